# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told about disks: their contents, and the module disk_info."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.contents import contents
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk

from tests.support import disks
from tests.support.disks import MIB, Piece, looped, make_filesystem, sparse


def contents_of(path: Path, sector_size: int | None = None) -> list[str]:
    return contents(read_disk(str(path), sector_size))


@pytest.mark.parametrize("sector_size", [512, 4096])
def test_partitions_are_described(tmp_path: Path, sector_size: int) -> None:
    pieces = [Piece("ext4", MIB, 24 * MIB), Piece("", 26 * MIB, 2 * MIB)]
    path = disks.make_gpt(tmp_path / "disk", 32 * MIB, pieces, sector_size)
    assert contents_of(path, sector_size) == [
        "a partition table (gpt)",
        "partition 1: ext4 'data', 25.2 MB",
        "partition 2: unknown, 2.1 MB",
    ]


@pytest.mark.parametrize("kind", ["ext4", "ntfs", "exfat", "vfat", "xfs", "swap"])
def test_filesystem_on_the_whole_disk(tmp_path: Path, kind: str) -> None:
    path = make_filesystem(tmp_path / "disk", kind, disks.SIZE[kind])
    label = "DATA" if kind == "vfat" else "data"
    assert [line.replace(f" '{label}'", "") for line in contents_of(path)] == [f"{kind} on the whole disk"]


def test_damaged_table_counts_as_something(tmp_path: Path) -> None:
    path = disks.make_dos(tmp_path / "disk", 16 * MIB, "start=2048, size=2048\n", [])
    os.truncate(path, MIB)
    assert "damaged" in contents_of(path)[0]


def test_a_blank_disk_holds_nothing(tmp_path: Path) -> None:
    assert contents_of(sparse(tmp_path / "disk", 100 * MIB)) == []
    with looped(tmp_path / "disk") as node:
        assert contents_of(Path(node)) == []


@pytest.mark.parametrize("offset", [100, MIB - 1, 3 * MIB, 50 * MIB + 7, 100 * MIB - 1])
def test_data_without_a_signature_is_noticed(tmp_path: Path, offset: int) -> None:
    path = sparse(tmp_path / "disk", 100 * MIB)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"x")
    assert contents_of(path) == ["data without a known signature"]


def test_a_filesystem_whose_partition_table_is_gone(tmp_path: Path) -> None:
    path = disks.make_gpt(tmp_path / "disk", 40 * MIB, [Piece("ext4", MIB, 24 * MIB)])
    with path.open("r+b") as file:
        file.write(bytes(MIB))
        file.seek(-MIB, os.SEEK_END)
        file.write(bytes(MIB))
    (line,) = contents_of(path)
    assert line.startswith("data without a known signature but for ext4 'data' at 1 MiB")


def run_module(**params: t.Any) -> dict[str, t.Any]:
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.golden.fleet.plugins.modules.disk_info"],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": params}),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    result: dict[str, t.Any] = json.loads(done.stdout)
    return result


def test_module_tells_of_one_disk(tmp_path: Path) -> None:
    path = make_filesystem(tmp_path / "disk", "ext4", 24 * MIB)
    result = run_module(disk=str(path), contents=True, _ansible_check_mode=True)
    assert result["changed"] is False
    (disk,) = result["disks"]
    assert (disk["path"], disk["size"], disk["kind"]) == (str(path), 24 * MIB, "file")
    assert (disk["eligible"], disk["reasons"], disk["contents"]) == (True, [], ["ext4 'data' on the whole disk"])
    with looped(path) as node:
        (disk,) = run_module(disk={"path": str(path), "sector_size": 4096})["disks"]
        assert (disk["eligible"], disk["reasons"]) == (False, [f"{node} is attached to it"])
        assert disk["sector_size"] == 4096
        assert "contents" not in disk


def test_module_lists_all_disks_or_those_that_fit(tmp_path: Path) -> None:
    with looped(sparse(tmp_path / "disk", 5 * MIB)) as node:
        everything = {disk["path"]: disk for disk in run_module()["disks"]}
        assert not everything[node]["eligible"]
        assert everything[node]["reasons"] == ["it is of kind loop, so it must be named by path"]
        small = {disk["path"] for disk in run_module(disk={"max_size": 5 * MIB})["disks"]}
        assert node in small
        assert small <= {path for path, disk in everything.items() if disk["size"] <= 5 * MIB}


def test_module_refuses_a_hint_that_says_nothing() -> None:
    result = run_module(disk={"colour": "grey"})
    assert result["failed"]
    assert "unknown keys colour" in result["msg"]
