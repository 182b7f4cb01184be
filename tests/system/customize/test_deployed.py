# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The marker on deployed disks of real filesystems, and the search for the system that it belongs to."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import typing as t
from dataclasses import asdict
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os import acl
from ansible_collections.golden.fleet.plugins.module_utils._os.marker import Marker, deployed_info, mark

from tests.support import disks
from tests.support.disks import MIB, Piece, call, make_gpt, mounted

MARKER = Marker("lab-a:2026.11", "a" * 64, "5f0c9d6f8a0d1b7f", "2026-11-01T12:00:00Z")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0vyLD4XDDZBJW2sS1bGXt5M5Ok0v6b0j6k9k0XyZ12"
LINUX = {
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "etc/fstab": b"",
    "etc/ssh/ssh_host_ed25519_key.pub": f"{KEY} root@reference\n".encode(),
    # What is no key would come into a command that ssh runs.
    "etc/ssh/ssh_host_rsa_key.pub": f"ssh-rsa {KEY[12:]}'%H;reboot;' root@reference\n".encode(),
    "etc/ssh/ssh_host_ed25519_key": b"private",
}
WINDOWS = {"Windows/System32/config/SYSTEM": b"regf", "ProgramData/desktop.ini": b""}


@contextlib.contextmanager
def opened(disk: Path, piece: Piece) -> t.Iterator[Path]:
    """A partition's filesystem, writable."""
    with disks.looped(disk, "--offset", str(piece.start), "--sizelimit", str(piece.size)) as node:
        kind = "ntfs-3g" if piece.kind == "ntfs" else str(piece.kind)
        with mounted(node, "-t", kind) as folder:
            yield folder


def fill(disk: Path, piece: Piece, files: dict[str, bytes]) -> None:
    with opened(disk, piece) as folder:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def pieces(*kinds: str) -> list[Piece]:
    found, at = [], MIB
    for kind in kinds:
        found.append(Piece(kind, at, disks.SIZE[kind]))
        at += disks.SIZE[kind] + MIB
    return found


def made(path: Path, *kinds: str) -> tuple[Path, list[Piece]]:
    layout = pieces(*kinds)
    return make_gpt(path / "disk.img", layout[-1].start + layout[-1].size + 2 * MIB, layout), layout


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs"])
def test_a_linux(tmp_path: Path, kind: str) -> None:
    path, (_esp, root) = made(tmp_path, "vfat", kind)
    fill(path, root, LINUX)
    disk = read_disk(str(path))
    before = deployed_info(disk)
    assert (before["family"], before["marker"]) == ("linux", None)
    assert before["release"]["id"] == "debian"
    assert before["ssh_host_keys"] == [KEY]
    content = path.read_bytes()
    would = mark(disk, MARKER, check=True)
    assert would["changed"]
    assert path.read_bytes() == content, "looking and check mode have written"
    assert mark(disk, MARKER, check=False)["changed"]
    assert not mark(disk, MARKER, check=False)["changed"]
    assert deployed_info(disk)["marker"] == asdict(MARKER)
    with opened(path, root) as folder:
        assert json.loads((folder / "etc/ansible/facts.d/golden.fact").read_text())["digest"] == "a" * 64
    part = disks.extract(path, root.start, root.size, tmp_path / "part")
    disks.check_filesystem(part, kind)


def test_a_marker_is_taken_away(tmp_path: Path) -> None:
    path, (root,) = made(tmp_path, "ext4")
    fill(path, root, LINUX)
    disk = read_disk(str(path))
    content = path.read_bytes()
    assert not mark(disk, None, check=False)["changed"]
    assert path.read_bytes() == content, "there was nothing to do"
    mark(disk, MARKER, check=False)
    assert mark(disk, None, check=True)["changed"]
    assert mark(disk, None, check=False)["diff"] == {"before": asdict(MARKER), "after": {}}
    assert deployed_info(disk)["marker"] is None


def test_a_windows(tmp_path: Path) -> None:
    path, (_esp, root) = made(tmp_path, "vfat", "ntfs")
    fill(path, root, WINDOWS)
    disk = read_disk(str(path))
    assert deployed_info(disk)["family"] == "windows"
    assert mark(disk, MARKER, check=False)["changed"]
    assert not mark(disk, MARKER, check=False)["changed"]
    with opened(path, root) as folder:
        marker = folder / "ProgramData/golden.fleet/golden.fact"
        assert json.loads(marker.read_text())["deploy"] == MARKER.deploy
        for each in (marker, marker.parent):
            assert os.getxattr(each, acl.ATTRIBUTE) == acl.PRIVATE, "ntfs-3g would let everybody write it"


def test_a_windows_that_was_not_shut_down_is_only_looked_at(tmp_path: Path) -> None:
    path, (_esp, root) = made(tmp_path, "vfat", "ntfs")
    fill(path, root, {**WINDOWS, "hiberfil.sys": b"hibr" + bytes(4096)})
    disk = read_disk(str(path))
    assert deployed_info(disk)["family"] == "windows"
    content = path.read_bytes()
    with pytest.raises(OsError, match=r"Partition 2 of .*disk\.img \(ntfs\)"):
        mark(disk, MARKER, check=False)
    assert path.read_bytes() == content


def test_no_system_and_two(tmp_path: Path) -> None:
    path, (one, other) = made(tmp_path, "ext4", "xfs")
    disk = read_disk(str(path))
    with pytest.raises(OsError, match="no operating system"):
        deployed_info(disk)
    fill(path, one, LINUX)
    fill(path, other, {**LINUX, "etc/os-release": b"ID=fedora\nPRETTY_NAME=Fedora\n"})
    with pytest.raises(OsError, match=r"more than one.* Debian GNU/Linux 12 in partition 1. Fedora in partition 2\."):
        mark(disk, MARKER, check=False)


@pytest.mark.parametrize("content", [b'{"digest": "../../etc/shadow"}', b"[" * 100_000, b"[]", b"\xff"])
def test_a_marker_that_makes_no_sense_is_none(tmp_path: Path, content: bytes) -> None:
    path, (root,) = made(tmp_path, "ext4")
    fill(path, root, {**LINUX, "etc/ansible/facts.d/golden.fact": content})
    disk = read_disk(str(path))
    assert deployed_info(disk)["marker"] is None
    assert mark(disk, MARKER, check=False)["diff"]["before"] == {}
    assert deployed_info(disk)["marker"]["image"] == MARKER.image


def test_a_full_filesystem_says_so_and_stays_as_it_is(tmp_path: Path) -> None:
    path, (root,) = made(tmp_path, "ext4")
    fill(path, root, LINUX)
    with opened(path, root) as folder:
        call("dd", "if=/dev/zero", f"of={folder}/ballast", "bs=64k", "status=none", ok=(1,))
        call("dd", "if=/dev/zero", f"of={folder}/more", "bs=1k", "status=none", ok=(0, 1))
    disk = read_disk(str(path))
    with pytest.raises(OsError, match="No space left on device"):
        mark(disk, MARKER, check=False)
    assert deployed_info(disk)["marker"] is None


def mounts() -> set[str]:
    return {
        line for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines() if "golden.fleet" in line
    }


def test_nothing_stays_mounted(tmp_path: Path) -> None:
    before = mounts()
    path, (root,) = made(tmp_path, "ext4")
    fill(path, root, LINUX)
    disk = read_disk(str(path))
    mark(disk, MARKER, check=False)
    with opened(path, root) as folder:
        (folder / "etc/ansible/facts.d/golden.fact").unlink()
        (folder / "etc/ansible/facts.d/golden.fact").mkdir()
    with pytest.raises(OsError, match="no plain file"):
        mark(disk, MARKER, check=False)
    said = subprocess.run(["losetup", "--list", "--noheadings"], capture_output=True, text=True, check=True).stdout
    assert str(path) not in said
    assert mounts() == before
