# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import typing as t
from pathlib import Path

import pytest
import zstandard
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.initramfs import names_in
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.names import Id, Renaming

OLD = "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e01"
NAMES = Renaming([(Id("uuid", OLD), Id("uuid", OLD[::-1]))])
PACKERS: dict[str, t.Callable[[bytes], bytes]] = {
    "not at all": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.compress,
}


def archive(folder: Path, files: t.Mapping[str, str]) -> bytes:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)
    command = ["cpio", "--quiet", "--create", "--format=newc"]
    return subprocess.run(command, cwd=folder, input="\n".join(files).encode(), capture_output=True, check=True).stdout


@pytest.fixture
def early(tmp_path: Path) -> bytes:
    """Microcode: what comes first, and is never packed."""
    return archive(tmp_path / "early", {"microcode": "code" * 1000})


@pytest.mark.parametrize("packed", PACKERS)
@pytest.mark.parametrize("first", [True, False])
def test_an_id_is_seen(packed: str, first: bool, early: bytes, tmp_path: Path) -> None:
    files = {f"{number}": f"{number}" * 100_000 for number in range(30)}
    with_id = archive(tmp_path / "with", {**files, "resume": f"RESUME=UUID={OLD}\n"})
    without = archive(tmp_path / "without", {**files, "resume": "RESUME=none\n"})
    head = early if first else b""
    assert names_in(head + PACKERS[packed](with_id), NAMES) is True
    assert names_in(head + PACKERS[packed](without), NAMES) is False


def test_an_id_among_the_microcode(tmp_path: Path) -> None:
    late = archive(tmp_path / "late", {"empty": ""})
    assert names_in(archive(tmp_path / "first", {"resume": OLD}) + gzip.compress(late), NAMES) is True


def test_what_cannot_be_unpacked_may_name_one(early: bytes, tmp_path: Path) -> None:
    whole = gzip.compress(archive(tmp_path / "a", {"a": "a" * 5000}))
    for odd in (b"", b"\x02\x21\x4c\x18 lz4", early + b"\x89LZO", whole[:60], b"070701" + b"x" * 200):
        assert names_in(odd, NAMES) is None, odd[:20]
