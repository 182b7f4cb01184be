# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The survey of real disks. What it calls used is copied to a disk full of junk, and must be complete there."""

from __future__ import annotations

import lzma
import os
import random
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.handle import DiskHandle
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Survey
from ansible_collections.golden.fleet.plugins.module_utils._disk.survey import survey
from ansible_collections.golden.fleet.plugins.module_utils._disk.table import read_table, write_table
from ansible_collections.golden.fleet.plugins.module_utils._errors import DiskError, FilesystemUnfit, UsageError

from tests.support import disks
from tests.support.disks import MIB, Piece, call, looped, make_filesystem, mounted, sparse

FILLED = ["ext2", "ext3", "ext4", "xfs", "btrfs", "ntfs", "vfat"]
FILES = {f"file{number}": random.Random(number).randbytes(number * 70_000) for number in range(6)}


def restore(source: Path, found: Survey, target: Path, size: int) -> Path:
    """Copy only what is used to a disk of junk, zero what is blank, and write the table."""
    junk = random.Random(1).randbytes(MIB)
    with source.open("rb") as reader, target.open("wb") as writer:
        for _each in range(size // MIB):
            writer.write(junk)
        writer.truncate(size)
        for start, length in found.blank:
            writer.seek(start)
            writer.write(bytes(length))
        for start, length in found.used:
            reader.seek(start)
            writer.seek(start)
            for at in range(0, length, MIB):
                writer.write(reader.read(min(MIB, length - at)))
    if found.table:
        disk = read_disk(str(target), found.table.sector_size)
        with DiskHandle(disk, writable=True) as handle:
            write_table(handle, found.table)
    return target


def row_of(kinds: list[str]) -> tuple[list[Piece], int]:
    """Partitions one after the other, and the size of a disk for them."""
    pieces, at = [], MIB
    for kind in kinds:
        pieces.append(Piece(kind, at, disks.SIZE[kind], FILES if kind in FILLED or kind == "f2fs" else None))
        at += disks.SIZE[kind] + MIB
    return pieces, at + MIB


def check_pieces(disk: Path, pieces: list[Piece], folder: Path) -> None:
    for piece in pieces:
        part = disks.extract(disk, piece.start, piece.size, folder / "part")
        disks.check_filesystem(part, piece.kind)
        if piece.kind in FILLED:
            assert disks.read_files(part, piece.kind, FILES) == FILES, piece.kind


def assert_consistent(found: Survey, size: int) -> None:
    """What holds for every survey."""
    assert found.used.end <= size
    assert not list(found.used - (found.used - found.blank)), "used and blank overlap"
    assert sum(volume.used for volume in found.volumes) + sum(gap.size for gap in found.gaps) == found.used.total


@pytest.mark.parametrize(
    "kinds", [["ext2", "ext4", "ntfs", "swap", "exfat"], ["ext3", "xfs", "vfat"], ["btrfs", "f2fs"]]
)
def test_gpt_partitions_survive_as_their_used_bytes(tmp_path: Path, kinds: list[str]) -> None:
    pieces, size = row_of(kinds)
    disk = disks.make_gpt(tmp_path / "disk", size, pieces)
    found = survey(read_disk(str(disk)))
    assert [volume.type for volume in found.volumes] == kinds
    assert {volume.label for volume in found.volumes} <= {"data", "DATA"}
    assert all(volume.uuid for volume in found.volumes)
    assert_consistent(found, size)
    for volume in found.volumes:
        assert volume.method == ("header" if volume.type == "swap" else "partclone")
        assert 0 < volume.used < volume.size * 0.9
    check_pieces(restore(disk, found, tmp_path / "copy", size + 5 * MIB), pieces, tmp_path)
    assert read_table(str(tmp_path / "copy")) == found.table


HFSPLUS = Path(disks.__file__).with_name("hfsplus.img.xz")
HFSPLUS_FILES = {
    "dir/1": (1, 12000),
    "dir/3": (1, 36000),
    "dir/5": (1, 60000),
    "dir/6": (1, 72000),
    "numbers": (5, 90000),
}


def hfsplus(path: Path) -> Path:
    """Made by mkfs.hfsplus, filled by Linux: not every machine has either. Its last three sectors are in no block."""
    path.write_bytes(lzma.decompress(HFSPLUS.read_bytes()))
    return path


def test_hfsplus_survives_as_its_used_bytes_and_the_copy_of_its_header(tmp_path: Path) -> None:
    part = hfsplus(tmp_path / "part")
    size = part.stat().st_size
    disk = disks.make_gpt(tmp_path / "disk", 12 * MIB, [Piece("", 2 * MIB, size)])
    disks.place(part, disk, 2 * MIB)
    found = survey(read_disk(str(disk)))
    assert [(volume.type, volume.label, volume.method) for volume in found.volumes] == [
        ("hfsplus", "data", "partclone")
    ]
    assert 0 < found.volumes[0].used < size / 2
    assert_consistent(found, 12 * MIB)
    copy = disks.extract(restore(disk, found, tmp_path / "copy", 12 * MIB), 2 * MIB, size, tmp_path / "part-copy")
    for name, (first, last) in HFSPLUS_FILES.items():
        numbers = "".join(f"{number}\n" for number in range(first, last + 1))
        assert call("grub-fstest", copy, "cat", f"/{name}") == numbers
    assert copy.read_bytes()[-1024:-1022] == b"H+"
    assert copy.read_bytes()[-1024:] == part.read_bytes()[-1024:]


@pytest.mark.parametrize(
    ("kind", "size", "mkfs"),
    [
        ("minix", 16 * MIB, ["mkfs.minix", "-3"]),
        ("reiser4", 16 * MIB, ["mkfs.reiser4", "-fy"]),
        ("apfs", 600 * MIB, ["mkapfs"]),
    ],
)
def test_filesystems_whose_map_is_not_proven_are_kept_whole(
    tmp_path: Path, kind: str, size: int, mkfs: list[str]
) -> None:
    disk = sparse(tmp_path / "disk", size)
    call(*mkfs, disk)
    [volume] = survey(read_disk(str(disk))).volumes
    assert (volume.type, volume.used, volume.method) == (kind, size, "everything")
    assert volume.note == f"golden.fleet cannot tell which bytes of {kind} are used, so all of it is kept"


def test_dos_with_logical_partitions(tmp_path: Path) -> None:
    first, second, third = 16 * MIB, 24 * MIB, 40 * MIB
    starts = [MIB, 18 * MIB, 44 * MIB]
    script = (
        f"start={starts[0] // 512}, size={first // 512}, type=83, bootable\n"
        f"start={17 * MIB // 512}, size={80 * MIB // 512}, type=f\n"
        f"start={starts[1] // 512}, size={second // 512}, type=7\n"
        f"start={starts[2] // 512}, size={third // 512}, type=c\n"
    )
    pieces = [
        Piece("ext2", starts[0], first, FILES),
        Piece("ntfs", starts[1], second, FILES),
        Piece("vfat", starts[2], third, FILES),
    ]
    disk = disks.make_dos(tmp_path / "disk", 100 * MIB, script, pieces)
    found = survey(read_disk(str(disk)))
    assert [(volume.partition, volume.type) for volume in found.volumes] == [(1, "ext2"), (5, "ntfs"), (6, "vfat")]
    assert_consistent(found, 100 * MIB)
    assert not list(found.used.within(440, 512)), "the table itself is data, not content"
    assert not [note for note in found.notes if "in no partition" in note], "nor is the chain of logical partitions"
    check_pieces(restore(disk, found, tmp_path / "copy", 100 * MIB), pieces, tmp_path)
    assert read_table(str(tmp_path / "copy")) == found.table


def test_sectors_of_4096_bytes(tmp_path: Path) -> None:
    pieces, size = row_of(["ext4", "xfs", "ntfs"])
    disk = disks.make_gpt(tmp_path / "disk", size, pieces, sector_size=4096)
    found = survey(read_disk(str(disk), 4096))
    assert found.table is not None
    assert found.table.sector_size == 4096
    assert [volume.type for volume in found.volumes] == ["ext4", "xfs", "ntfs"]
    check_pieces(restore(disk, found, tmp_path / "copy", size), pieces, tmp_path)


@pytest.mark.parametrize("kind", ["ext4", "vfat", "ntfs", "exfat", "swap"])
def test_whole_disk_without_a_table(tmp_path: Path, kind: str) -> None:
    files = FILES if kind in FILLED else None
    disk = make_filesystem(tmp_path / "disk", kind, disks.SIZE[kind], files)
    found = survey(read_disk(str(disk)))
    assert found.table is None
    assert [(volume.partition, volume.type, volume.start) for volume in found.volumes] == [(None, kind, 0)]
    assert_consistent(found, disks.SIZE[kind])
    check_pieces(
        restore(disk, found, tmp_path / "copy", disks.SIZE[kind]),
        [Piece(kind, 0, disks.SIZE[kind], files)],
        tmp_path,
    )


def test_a_loop_device_is_a_disk_like_any_other(tmp_path: Path) -> None:
    pieces, size = row_of(["ext4", "swap"])
    path = disks.make_gpt(tmp_path / "disk", size, pieces)
    as_file = survey(read_disk(str(path)))
    with looped(path) as node:
        disk = read_disk(node)
        with DiskHandle(disk, writable=False):
            assert survey(disk) == as_file


def test_boot_code_and_gap_are_kept_and_empty_ones_are_blank(tmp_path: Path) -> None:
    path = disks.make_gpt(tmp_path / "disk", 8 * MIB, [Piece("", 2 * MIB, MIB)])
    empty = survey(read_disk(str(path)))
    assert empty.gaps == ()
    assert list(empty.blank.within(0, 2 * MIB)) == [(0, 440), (34 * 512, 2 * MIB)]
    with path.open("r+b") as file:
        file.write(b"boot")
        file.seek(MIB)
        file.write(b"core.img")
    found = survey(read_disk(str(path)))
    assert [(gap.start, gap.size) for gap in found.gaps] == [(0, 440), (34 * 512, 2 * MIB - 34 * 512)]
    assert list(found.used)[:2] == [(0, 440), (34 * 512, 3 * MIB - 34 * 512)]
    assert not found.blank


def test_gap_is_limited(tmp_path: Path) -> None:
    path = disks.make_gpt(tmp_path / "disk", 64 * MIB, [Piece("", 40 * MIB, MIB)])
    with path.open("r+b") as file:
        file.seek(10 * MIB)
        file.write(b"u-boot")
    assert [(gap.start, gap.size) for gap in survey(read_disk(str(path))).gaps] == [(34 * 512, 16 * MIB)]


def test_notes_tell_what_is_lost_between_partitions(tmp_path: Path) -> None:
    path = disks.make_gpt(tmp_path / "disk", 64 * MIB, [Piece("", 30 * MIB, MIB), Piece("", 40 * MIB, MIB)])
    places = [(34 * 512 + 16 * MIB, 30 * MIB), (31 * MIB, 40 * MIB), (41 * MIB, 64 * MIB - 33 * 512)]
    assert not survey(read_disk(str(path))).notes[2:]  # two for the partitions that nobody can look into
    for count, (start, end) in enumerate(places, 1):
        with path.open("r+b") as file:
            file.seek(end - 3)
            file.write(b"raw")
        lost = survey(read_disk(str(path))).notes[2:]
        assert len(lost) == count
        assert f"between bytes {start} and {end} are in no partition" in lost[-1]


def test_unknown_content_is_kept_whole_with_a_note(tmp_path: Path) -> None:
    path = disks.make_gpt(tmp_path / "disk", 40 * MIB, [Piece("", MIB, 4 * MIB), Piece("", 8 * MIB, 20 * MIB)])
    with path.open("r+b") as file:
        file.seek(8 * MIB)
        file.write(b"LUKS\xba\xbe\x00\x01")
        file.seek(8 * MIB + 168)
        file.write(b"0a49e3b1-6a23-4d8e-9d4c-3a6a2d8f7b10")
    found = survey(read_disk(str(path)))
    assert [(volume.type, volume.used, volume.method) for volume in found.volumes] == [
        ("unknown", 4 * MIB, "everything"),
        ("crypto_LUKS", 20 * MIB, "everything"),
    ]
    assert "partition 2 (crypto_LUKS): it is encrypted, so all of it is kept" in found.notes


def test_a_boot_loaders_partition_is_kept_whole_and_called_by_its_name(tmp_path: Path) -> None:
    path = disks.make_gpt(tmp_path / "disk", 40 * MIB, [Piece("", MIB, MIB)])
    disks.call("sfdisk", "--quiet", "--part-type", path, "1", "21686148-6449-6E6F-744E-656564454649")
    found = survey(read_disk(str(path)))
    assert [(volume.type, volume.used, volume.method) for volume in found.volumes] == [("BIOS boot", MIB, "everything")]
    assert "partition 1 (BIOS boot): a boot loader lies in it, so all of it is kept" in found.notes


def test_minimum_sizes(tmp_path: Path) -> None:
    pieces, size = row_of(["ntfs", "xfs"])
    disk = disks.make_gpt(tmp_path / "disk", size, pieces)
    ntfs, xfs = survey(read_disk(str(disk))).volumes
    assert ntfs.minimum_size is not None
    assert ntfs.used // 2 < ntfs.minimum_size < ntfs.size
    assert xfs.minimum_size == xfs.size


@pytest.mark.parametrize(
    ("offset", "byte", "note"), [(446, b"\x80", "marked active"), (446 + 16 + 4, b"\x0c", "hybrid MBR")]
)
def test_notes_tell_what_sfdisk_does_not_write_again(tmp_path: Path, offset: int, byte: bytes, note: str) -> None:
    path = disks.make_gpt(tmp_path / "disk", 8 * MIB, [Piece("", 2 * MIB, MIB)])
    assert not [each for each in survey(read_disk(str(path))).notes if "MBR" in each]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(byte)
    assert [each for each in survey(read_disk(str(path))).notes if note in each]


def dirty_ext4(path: Path) -> None:
    _copy_while_mounted(make_filesystem(path.with_name("clean"), "ext4", disks.SIZE["ext4"]), path)


def dirty_xfs(path: Path) -> None:
    _copy_while_mounted(make_filesystem(path.with_name("clean"), "xfs", disks.SIZE["xfs"]), path)


def btrfs_with_log(path: Path) -> None:
    _copy_while_mounted(make_filesystem(path.with_name("clean"), "btrfs", disks.SIZE["btrfs"]), path)


def _copy_while_mounted(source: Path, target: Path) -> None:
    """What a power cut would leave: something fsynced, nothing unmounted."""
    with mounted(source) as folder:
        call("sync", "--file-system", folder)
        with (folder / "fresh").open("wb") as file:
            file.write(b"fresh" * 4000)
            file.flush()
            os.fsync(file.fileno())
        target.write_bytes(source.read_bytes())


def btrfs_on_two_devices(path: Path) -> None:
    other = sparse(path.with_name("other"), disks.SIZE["btrfs"])
    sparse(path, disks.SIZE["btrfs"])
    with looped(path) as one, looped(other) as two:
        call("mkfs.btrfs", "-q", one, two)


def dirty_ntfs(path: Path) -> None:
    make_filesystem(path, "ntfs", disks.SIZE["ntfs"])
    call("ntfsfix", path)  # it marks the volume dirty, so that Windows looks at it


def hibernated_ntfs(path: Path) -> None:
    make_filesystem(path, "ntfs", disks.SIZE["ntfs"], {"hiberfil.sys": b"hibr" + bytes(4092)})


def bitlocker(path: Path) -> None:
    sparse(path, 16 * MIB)
    header = bytearray(512)
    header[0:11] = b"\xeb\x58\x90-FVE-FS-"
    header[11:13] = (512).to_bytes(2, "little")
    header[160:176] = bytes.fromhex("3bd66749292ed84a8399f6a339e3d001")
    header[510:] = b"\x55\xaa"
    block = b"-FVE-FS-" + (64).to_bytes(2, "little") + (2).to_bytes(2, "little") + bytes(500)
    header[176:200] = b"".join(offset.to_bytes(8, "little") for offset in (MIB, 2 * MIB, 3 * MIB))
    with path.open("r+b") as file:
        file.write(header)
        for offset in (MIB, 2 * MIB, 3 * MIB):
            file.seek(offset)
            file.write(block)


def damaged_ext4(path: Path) -> None:
    make_filesystem(path, "ext4", disks.SIZE["ext4"])
    call("debugfs", "-w", "-R", "set_super_value state 2", path)


def truncated_ext4(path: Path) -> None:
    make_filesystem(path, "ext4", disks.SIZE["ext4"])
    os.truncate(path, disks.SIZE["ext4"] - 4 * MIB)


def mounted_hfsplus(path: Path) -> None:
    with hfsplus(path).open("r+b") as file:
        file.seek(1024 + 6)
        file.write(b"\x08")  # what Linux writes there when it mounts it


def hibernated_linux(path: Path) -> None:
    make_filesystem(path, "swap", disks.SIZE["swap"])
    with path.open("r+b") as file:
        file.seek(4086)
        file.write(b"S1SUSPEND\0")


@pytest.mark.parametrize(
    ("make", "kind", "reason"),
    [
        (dirty_ext4, "ext4", "journal has not been replayed"),
        (dirty_xfs, "xfs", "log has not been replayed"),
        (btrfs_with_log, "btrfs", "log has not been replayed"),
        (btrfs_on_two_devices, "btrfs", "several devices"),
        (dirty_ntfs, "ntfs", "marked dirty"),
        (hibernated_ntfs, "ntfs", "hibernated"),
        (bitlocker, "BitLocker", "BitLocker"),
        (damaged_ext4, "ext4", "Run e2fsck"),
        (truncated_ext4, "ext4", "cannot be read"),
        (mounted_hfsplus, "hfsplus", "not unmounted cleanly"),
        (hibernated_linux, "swsuspend", "hibernated Linux"),
    ],
)
def test_unfit_filesystems_are_refused_or_kept_whole(
    tmp_path: Path, make: t.Callable[[Path], None], kind: str, reason: str
) -> None:
    part = tmp_path / "part"
    make(part)
    size = part.stat().st_size
    disk = disks.make_gpt(tmp_path / "disk", size + 4 * MIB, [Piece("", 2 * MIB, size)])
    disks.place(part, disk, 2 * MIB)
    with pytest.raises(FilesystemUnfit, match=reason) as caught:
        survey(read_disk(str(disk)))
    assert f"Partition 1 of {disk} ({kind})" in caught.value.message
    assert caught.value.facts["partition"] == 1
    assert caught.value.facts["filesystem"] == kind
    found = survey(read_disk(str(disk)), "raw")
    assert [(volume.method, volume.used) for volume in found.volumes] == [("everything", size)]
    assert found.volumes[0].note
    assert list(found.used.within(2 * MIB, 2 * MIB + size)) == [(2 * MIB, 2 * MIB + size)]


def test_dirty_fat_is_worth_a_note(tmp_path: Path) -> None:
    path = make_filesystem(tmp_path / "disk", "vfat", disks.SIZE["vfat"])
    with path.open("r+b") as file:
        file.seek(0x41 if b"FAT32" in file.read(512) else 0x25)
        file.write(b"\x01")
    assert "not unmounted cleanly" in str(survey(read_disk(str(path))).volumes[0].note)


def test_a_table_that_makes_no_sense(tmp_path: Path) -> None:
    path = disks.make_dos(tmp_path / "disk", 16 * MIB, "start=2048, size=2048\nstart=8192, size=2048\n", [])
    with path.open("r+b") as file:
        file.seek(446 + 16 + 8)
        file.write((3000).to_bytes(4, "little"))  # the second partition now begins inside the first
    with pytest.raises(DiskError, match="overlap"):
        survey(read_disk(str(path)))


def test_unreadable_must_be_one_of_two(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="maybe"):
        survey(read_disk(str(sparse(tmp_path / "disk", MIB))), "maybe")


def test_killed_survey_leaves_no_loop_device(tmp_path: Path) -> None:
    pieces, size = row_of(["ext4"])
    path = disks.make_gpt(tmp_path / "disk", size, pieces)
    slow = tmp_path / "bin" / "partclone.ext4"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 10\n")
    slow.chmod(0o755)
    code = (
        "from ansible_collections.golden.fleet.plugins.module_utils._disk import facts, survey;"
        f"survey.survey(facts.read_disk({str(path)!r}))"
    )
    environment = {"PATH": f"{slow.parent}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    worker = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **environment})
    _wait_until(lambda: "1" in call("losetup", "--associated", path, "--noheadings", "--output", "AUTOCLEAR"))
    worker.send_signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL, "it had ended before"
    _wait_until(lambda: not read_disk(str(path)).in_use)


def _wait_until(true: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
