# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A whole disk as a capture sees it: table, volumes, gaps, and which bytes an image must keep."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._errors import FilesystemUnfit, ToolFailed, UsageError
from .._extents import Extents
from .._units import show_size
from . import health
from .model import Disk, Gap, PartitionTable, Survey, Volume
from .samples import has_data
from .table import read_table_of
from .usage import Usage, everything, measure
from .volumes import device_of, node_of, probe, signatures

MIB = 1 << 20
_BOOT_CODE = 440
_LARGEST_GAP = 16 * MIB
_EDGE = MIB
_BLKFLSBUF = 0x1261
# Volumes whose tools run beside each other
_AT_ONCE = 4
_PROTECTIVE = 0xEE
# Partitions that never hold a filesystem, by their type
_PURPOSES = {
    "21686148-6449-6E6F-744E-656564454649": "BIOS boot",
    "9E1A2D38-C612-4316-AA26-8B49521E5A8B": "PReP boot",
    "41": "PReP boot",
}
_FOREIGN_TABLES = {"mac", "sun", "sgi", "bsd", "atari", "dasd", "PMBR"}


@dataclasses.dataclass(frozen=True)
class _Examined:
    volume: Volume
    used: Extents  # counted from the disk's start


def survey(disk: Disk, unreadable: str = "fail") -> Survey:
    """Find out what a disk holds and which of its bytes an image must keep. The disk is only read.

    :param unreadable: what to do with a filesystem that cannot be captured by its used blocks:
        ``fail``, or ``raw`` to keep all of it.
    :raises FilesystemUnfit: there is such a filesystem, and unreadable is ``fail``.
    :raises DiskError: the partition table makes no sense.
    """
    if unreadable not in ("fail", "raw"):
        raise UsageError(f"unreadable is 'fail' or 'raw', not {unreadable!r}.")
    _drop_old_buffers(disk)
    table = read_table_of(disk)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        examined = list(pool.map(lambda piece: _examine(disk, piece, unreadable), _pieces(disk, table)))
    gaps, empty = _gaps(disk, table)
    volumes = tuple(each.volume for each in examined)
    used = Extents([(gap.start, gap.size) for gap in gaps])
    for each in examined:
        used = used | each.used
    blank = (Extents(empty) | Extents.collect(_edges(volumes))) - used
    notes = [*_notes(disk, table, volumes), *_lost(disk, table, used | blank)]
    return Survey(table, volumes, gaps, used, blank, tuple(notes))


def _drop_old_buffers(disk: Disk) -> None:
    """What was written through a partition's node is not in the kernel's buffers of the whole disk."""
    if disk.kind == "file":
        return
    fd = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _BLKFLSBUF)
    finally:
        os.close(fd)


class _Piece(t.NamedTuple):
    """A part of the disk that may hold a filesystem."""

    partition: int | None  # None: the whole disk
    start: int
    size: int
    type: str | None = None  # as the partition table says


def _pieces(disk: Disk, table: PartitionTable | None) -> list[_Piece]:
    if table is None:
        return [_Piece(None, 0, disk.size)]
    return [
        _Piece(each.number, each.start, each.size, each.type)
        for each in table.partitions
        if not table.is_container(each)
    ]


def _examine(disk: Disk, piece: _Piece, unreadable: str) -> _Examined:
    volume = probe(disk, piece.partition, piece.start, piece.size)
    if volume.type == "unknown":
        volume = dataclasses.replace(volume, type=_PURPOSES.get(piece.type or "", volume.type))
    with device_of(disk, piece.start, piece.size) as device:
        try:
            usage = _usage(device, volume)
        except ToolFailed as error:
            usage = _unfit(disk, volume, f"it cannot be read: {error.message}", unreadable)
        except _Unfit as error:
            usage = _unfit(disk, volume, str(error), unreadable)
    note = "; ".join(filter(None, (volume.note, usage.note))) or None
    return _Examined(
        dataclasses.replace(
            volume, used=usage.used.total, minimum_size=usage.minimum_size, method=usage.method, note=note
        ),
        usage.used.shifted(piece.start),
    )


class _Unfit(Exception):
    """The reason why a filesystem must not be captured by its used blocks."""


def _usage(device: str, volume: Volume) -> Usage:
    reason = health.problem(device, volume.type)
    if reason:
        raise _Unfit(reason)
    usage = measure(device, volume.type, volume.size)
    remark = health.remark(device, volume.type)
    return dataclasses.replace(usage, note=remark) if remark else usage


def _unfit(disk: Disk, volume: Volume, reason: str, unreadable: str) -> Usage:
    if unreadable == "raw":
        return everything(volume.size, f"all of it is kept, because {reason.partition('. ')[0]}")
    place = f"Partition {volume.partition} of {disk.path}" if volume.partition else f"Disk {disk.path}"
    raise FilesystemUnfit(
        f"{place} ({volume.type}) cannot be captured as it is: {reason.rstrip('.!')}. "
        "Or set unreadable_filesystems=raw: that keeps every block, and each clone gets the same state.",
        disk=disk.path,
        partition=volume.partition,
        filesystem=volume.type,
        reason=reason,
    )


def _gaps(disk: Disk, table: PartitionTable | None) -> tuple[tuple[Gap, ...], list[tuple[int, int]]]:
    """What lies outside the partitions and is no table: pieces with content, and empty ones."""
    if table is None:
        return (), []
    starts = [each.start for each in table.partitions]
    end = min([*starts, table.head + _LARGEST_GAP, disk.size - table.tail])
    pieces = [
        Gap(0, _BOOT_CODE, "boot code in the first sector"),
        Gap(table.head, max(0, end - table.head), "before the first partition: a boot loader may be there"),
    ]
    gaps, empty = [], []
    with open(disk.path, "rb") as file:
        for piece in pieces:
            file.seek(piece.start)
            if any(file.read(piece.size)):
                gaps.append(piece)
            else:
                empty.append((piece.start, piece.size))
    return tuple(gaps), empty


def _lost(disk: Disk, table: PartitionTable | None, seen: Extents) -> t.Iterator[str]:
    """Notes on what lies outside the partitions and is not kept: some boot loaders and licences live there.

    An extended partition counts as a whole, because the links between its logical ones are in its gaps.
    """
    if table is None:
        return
    end = disk.size // table.sector_size * table.sector_size - table.tail
    partitions = Extents.collect((each.start, each.size) for each in table.partitions)
    for start, size in Extents([(table.head, max(0, end - table.head))]) - partitions - seen:
        if has_data(disk, start, size):
            yield (
                f"{show_size(size)} between bytes {start} and {start + size} are in no partition, "
                "hold something and are not kept"
            )


def _edges(volumes: t.Iterable[Volume]) -> t.Iterator[tuple[int, int]]:
    """Where filesystems, RAID and LVM leave their marks: an older one must not survive beside a newer one."""
    for volume in volumes:
        edge = min(_EDGE, volume.size)
        yield volume.start, edge
        yield volume.start + volume.size - edge, edge


def _notes(disk: Disk, table: PartitionTable | None, volumes: t.Iterable[Volume]) -> t.Iterator[str]:
    if table is None:
        with node_of(disk) as node:
            foreign = _FOREIGN_TABLES & {each["type"] for each in signatures(node)}
        for kind in sorted(foreign):
            yield f"golden.fleet does not read partition tables of kind {kind}: the disk is kept whole"
    elif table.label == "gpt":
        yield from _protective_notes(disk)
    for volume in volumes:
        if volume.note:
            place = f"partition {volume.partition}" if volume.partition else "the disk"
            yield f"{place} ({volume.type}): {volume.note}"


def _protective_notes(disk: Disk) -> t.Iterator[str]:
    """What in the boot sector of a GPT disk sfdisk will not write again."""
    with open(disk.path, "rb") as file:
        sector = file.read(512)
    entries = [sector[at : at + 16] for at in range(446, 510, 16)]
    if any(entry[4] not in (0, _PROTECTIVE) for entry in entries):
        yield "the boot sector has a hybrid MBR beside the GPT, which is not kept"
    if any(entry[0] & 0x80 for entry in entries):
        yield "the protective MBR is marked active, which is not kept; some old firmware needs that to boot"
