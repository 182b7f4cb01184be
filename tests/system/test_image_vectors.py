# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test vectors of the image format on a real disk, and what we capture in the hands of another reader."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.table import read_table
from ansible_collections.golden.fleet.plugins.module_utils._image.apply import ApplyRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._image.capture import CaptureRequest, capture
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._progress import Silent
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore
from ansible_collections.golden.fleet.tests.vectors import reader

VECTORS = Path(__file__).parents[1] / "vectors" / "image-format"
EXPECTED: dict[str, t.Any] = json.loads((VECTORS / "expected.json").read_text("utf-8"))
GARBAGE = b"\xa5"


@pytest.fixture
def store() -> DirectoryStore:
    return DirectoryStore(str(VECTORS / "store"))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A disk somewhat bigger than the image's, full of garbage."""
    path = tmp_path / "target.img"
    path.write_bytes(GARBAGE * (EXPECTED["1"]["disk_size"] + 123 * 512))
    return path


def put(store: DirectoryStore, image: str, disk: Path) -> dict[str, t.Any]:
    return apply(store, ApplyRequest(read_disk(str(disk)), parse_ref(image), erase=True), Silent())


def check(version: str, disk: Path, store: DirectoryStore) -> None:
    data = disk.read_bytes()
    for start, length, text in EXPECTED[version]["used"]:
        raw = text.encode() or b"\0"
        assert data[start : start + length] == (raw * (length // len(raw) + 1))[:length], f"used bytes at {start}"
    for start, length in EXPECTED[version]["blank"]:
        assert data[start : start + length] == bytes(length), f"blank bytes at {start}"
    assert read_table(str(disk), 512) == Library(store).find(parse_ref(f"tiny:{version}")).table
    assert data[-512:-504] == b"EFI PART", "the backup of the GPT is at the real end"


@pytest.mark.parametrize("version", EXPECTED)
def test_a_vector_comes_onto_a_disk(store: DirectoryStore, target: Path, version: str) -> None:
    assert put(store, f"tiny:{version}", target)["changed"]
    check(version, target, store)


def test_chunks_that_do_not_exist_are_not_touched(store: DirectoryStore, target: Path) -> None:
    put(store, "tiny:1", target)
    size = 65536
    # The first and the last MiB of the disk are made zero before; this one lies between them only on a bigger disk.
    with target.open("r+b") as file:
        file.truncate(4 << 20)
        file.seek(1 << 20)
        file.write(GARBAGE * (2 << 20))
    put(store, "tiny:1", target)
    start = 17 * size
    assert target.read_bytes()[start : 3 << 20] == GARBAGE * ((3 << 20) - start)


def test_one_version_over_the_other(store: DirectoryStore, target: Path) -> None:
    """Chunks are small here: several lie in the first MiB, which is taken away before anything is written."""
    put(store, "tiny:1", target)
    result = put(store, "tiny:2", target)
    check("2", target, store)
    assert result["chunks"]["present"] == 1, "all others begin in the first MiB"
    assert not put(store, "tiny:2", target)["changed"]


def test_another_reader_reads_what_we_capture(tmp_path: Path) -> None:
    source = tmp_path / "source.img"
    content = tmp_path / "content"
    content.mkdir()
    (content / "file").write_bytes(bytes(range(256)) * 4096)
    subprocess.run(["mkfs.ext4", "-q", "-d", content, source, "64M"], check=True, capture_output=True)
    store = DirectoryStore(str(tmp_path / "store"))
    capture(store, CaptureRequest(read_disk(str(source)), parse_ref("ext4:1")), Silent())
    image = reader.open_image(Path(store.url), "ext4", "1")
    copy = bytearray(image.manifest["disk"]["size"])
    for start, data in reader.read_chunks(Path(store.url), image):
        copy[start : start + len(data)] = data
    (tmp_path / "copy.img").write_bytes(copy)
    subprocess.run(["e2fsck", "-f", "-n", tmp_path / "copy.img"], check=True, capture_output=True)
    found = subprocess.run(["debugfs", "-R", "cat /file", tmp_path / "copy.img"], check=True, capture_output=True)
    assert found.stdout == (content / "file").read_bytes()
