# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening disks: only the one that was chosen, only when nobody else has it, and what is read and written."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import list_disks, read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.handle import DiskHandle, aligned_buffer
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint, select
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    DiskChanged,
    DiskError,
    DiskInUse,
    NoDiskMatches,
)

from tests.support.disks import MIB, call, looped, make_filesystem, mounted, sparse

CONTENT = random.Random(5).randbytes(3 * MIB)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "disk").write_bytes(CONTENT)
    return tmp_path / "disk"


def read(handle: DiskHandle, offset: int, length: int) -> bytes:
    buffer = aligned_buffer(max(length, 4096))
    handle.read_into(buffer[:length], offset)
    return bytes(buffer[:length])


def fill(content: bytes) -> memoryview:
    buffer = aligned_buffer(len(content))
    buffer[:] = content
    return buffer


@pytest.mark.parametrize("offset", [0, 4096, 512, 7, 3 * MIB - 4096])
@pytest.mark.parametrize("length", [1 << 20, 4096, 512, 100])
@pytest.mark.parametrize("loop", [False, True])
def test_reads_what_is_there_and_zeros_beyond_the_end(path: Path, offset: int, length: int, loop: bool) -> None:
    wanted = (CONTENT + bytes(MIB))[offset : offset + length]
    if not loop:
        with DiskHandle(read_disk(str(path)), writable=False) as handle:
            assert read(handle, offset, length) == wanted
        return
    with looped(path) as node, DiskHandle(read_disk(node), writable=False) as handle:
        assert read(handle, offset, length) == wanted


def test_odd_end_of_a_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "odd"
    path.write_bytes(CONTENT[: MIB + 700])
    with DiskHandle(read_disk(str(path)), writable=True) as handle:
        assert read(handle, MIB, MIB) == CONTENT[MIB : MIB + 700] + bytes(MIB - 700)
        handle.write_from(fill(b"z" * 700), MIB)
        handle.sync()
        assert read(handle, MIB, MIB) == b"z" * 700 + bytes(MIB - 700)
    assert path.read_bytes() == CONTENT[:MIB] + b"z" * 700


def test_buffers_need_not_be_aligned(path: Path) -> None:
    with DiskHandle(read_disk(str(path)), writable=True) as handle:
        buffer = memoryview(bytearray(3 * 4096))[3 : 3 + 8192]
        handle.read_into(buffer, 4096)
        assert bytes(buffer) == CONTENT[4096 : 4096 + 8192]
        handle.write_from(buffer, 0)
    assert path.read_bytes() == CONTENT[4096 : 4096 + 8192] + CONTENT[8192:]


def test_writes_from_many_threads(path: Path) -> None:
    def write(number: int) -> None:
        handle.write_from(fill(bytes([number]) * 65536), number * 65536)

    with DiskHandle(read_disk(str(path)), writable=True) as handle:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(48)))
        handle.sync()
    assert path.read_bytes() == b"".join(bytes([number]) * 65536 for number in range(48))


def test_nothing_is_written_beyond_the_end(path: Path) -> None:
    with DiskHandle(read_disk(str(path)), writable=True) as handle, pytest.raises(DiskError, match="beyond its end"):
        handle.write_from(fill(bytes(8192)), 3 * MIB - 4096)
    assert path.read_bytes() == CONTENT


def test_works_where_there_is_no_direct_io() -> None:
    path = Path("/dev/shm") / f"golden-{os.getpid()}"
    path.write_bytes(CONTENT)
    try:
        with DiskHandle(read_disk(str(path)), writable=True) as handle:
            handle.write_from(fill(b"y" * 4096), 0)
            assert read(handle, 0, 8192) == b"y" * 4096 + CONTENT[4096:8192]
    finally:
        path.unlink()


def test_a_disk_that_fails_is_named(path: Path) -> None:
    with looped(path) as node, DiskHandle(read_disk(node), writable=False) as handle:
        os.truncate(path, MIB)  # the device keeps its size, and has nothing to give behind the first MiB
        with pytest.raises(DiskError, match=rf"{node} could not be read at byte {2 * MIB}") as caught:
            read(handle, 2 * MIB, 4096)
    assert caught.value.facts == {"disk": node, "offset": 2 * MIB}
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EIO


def test_another_disk_in_its_place(tmp_path: Path, path: Path) -> None:
    other = sparse(tmp_path / "other", len(CONTENT))
    with looped(path) as node:
        disk = read_disk(node)
    call("losetup", node, other)
    try:
        with pytest.raises(DiskChanged, match=node), DiskHandle(disk, writable=True):
            pass
    finally:
        call("losetup", "--detach", node)
    assert not any(other.read_bytes())


def test_another_file_under_the_same_name(tmp_path: Path, path: Path) -> None:
    disk = read_disk(str(path))
    sparse(tmp_path / "other", len(CONTENT)).rename(path)
    with pytest.raises(DiskChanged, match=str(path)), DiskHandle(disk, writable=True):
        pass


def test_changes_while_open_are_found_before_the_first_write(path: Path) -> None:
    with DiskHandle(read_disk(str(path)), writable=True) as handle:
        handle.check_identity()
        os.truncate(path, MIB)
        with pytest.raises(DiskChanged):
            handle.check_identity()
        path.unlink()
        with pytest.raises(DiskChanged, match="is gone"):
            handle.check_identity()


def test_mounted_disk_is_neither_chosen_nor_opened(tmp_path: Path) -> None:
    path = make_filesystem(tmp_path / "disk", "ext4", 24 * MIB)
    with looped(path) as node:
        disk = read_disk(node)
        with mounted(node, "-o", "ro") as folder:
            assert read_disk(node).in_use == (f"{node} is mounted on {folder}",)
            with pytest.raises(DiskInUse, match="is mounted on"):
                select(parse_hint(node))
            with pytest.raises(DiskInUse, match="is mounted on"), DiskHandle(disk, writable=False):
                pass


def test_file_with_a_loop_device_is_in_use(path: Path) -> None:
    disk = read_disk(str(path))
    with looped(path) as node:
        assert read_disk(str(path)).in_use == (f"{node} is attached to it",)
        with pytest.raises(DiskInUse, match=f"{node} is attached"), DiskHandle(disk, writable=True):
            pass


def test_block_device_that_somebody_has_for_himself(path: Path) -> None:
    with looped(path) as node:
        disk = read_disk(node)
        with DiskHandle(disk, writable=False):
            assert read_disk(node).in_use == ("another program or a mounted filesystem has it for itself",)
            with pytest.raises(DiskInUse, match="for itself"), DiskHandle(disk, writable=False):
                pass
        assert read_disk(node).in_use == ()


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (True, True)])
def test_a_writer_is_alone(path: Path, first: bool, second: bool) -> None:
    disk = read_disk(str(path))
    with DiskHandle(disk, first), pytest.raises(DiskInUse, match="locked"), DiskHandle(disk, second):
        pass


def test_plain_file_may_have_several_readers(path: Path) -> None:
    disk = read_disk(str(path))
    with DiskHandle(disk, writable=False) as one, DiskHandle(disk, writable=False) as other:
        assert read(one, 0, 4096) == read(other, 0, 4096) == CONTENT[:4096]


def test_waits_for_a_short_lock(path: Path) -> None:
    """udev takes the lock for a moment."""
    disk = read_disk(str(path))
    with path.open("rb") as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_SH)

        def opens() -> str:
            with DiskHandle(disk, writable=True) as handle:
                return handle.disk.path

        waiting = pool.submit(opens)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.5)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert waiting.result(timeout=5) == str(path)


def test_read_only_disk_is_opened_for_reading_only(path: Path) -> None:
    with looped(path, "--read-only") as node:
        disk = read_disk(node)
        with pytest.raises(DiskError, match="is read-only"), DiskHandle(disk, writable=True):
            pass
        with DiskHandle(disk, writable=False) as handle:
            assert read(handle, 0, 4096) == CONTENT[:4096]


@pytest.mark.parametrize(("busy", "seen"), [(2, True), (1000, False)])
def test_a_kernel_that_is_busy_with_the_old_table(
    path: Path, monkeypatch: pytest.MonkeyPatch, busy: int, seen: bool
) -> None:
    """As while udev has a partition open; no loop device of the test machines has partitions."""
    answers = iter(range(busy))

    def ioctl(_fd: int, _request: int) -> None:
        if next(answers, None) is not None:
            raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(f"{DiskHandle.__module__}._PATIENCE", 0.5)
    with looped(path) as node, DiskHandle(read_disk(node), writable=True) as handle:
        monkeypatch.setattr(fcntl, "ioctl", ioctl)
        assert handle.reread_table() is seen


def test_a_partition_is_no_disk_and_neither_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="neither"):
        read_disk(str(tmp_path))
    with pytest.raises(DiskError, match="There is no disk"):
        read_disk(str(tmp_path / "nothing"))


def test_sector_size_is_for_plain_files(path: Path) -> None:
    assert read_disk(str(path), 4096).sector_size == 4096
    with looped(path) as node, pytest.raises(DiskError, match="plain files only"):
        read_disk(node, 4096)


def test_the_running_system_is_never_chosen() -> None:
    root = [disk for disk in list_disks() if any("is mounted on /" in use for use in disk.in_use)]
    if not root:
        pytest.skip("the root filesystem of this machine is on no disk that it can see")
    hint: dict[str, t.Any] = {"min_size": root[0].size, "max_size": root[0].size}
    with pytest.raises((DiskInUse, NoDiskMatches), match="mounted on"):
        select(parse_hint(hint), root)
