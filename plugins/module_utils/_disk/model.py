# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What we know of disks: pure data, no I/O. All offsets and sizes are bytes."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from .._extents import Extents

_GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_ATTRS = re.compile(r"(RequiredPartition|NoBlockIOProtocol|LegacyBIOSBootable|GUID:\d{1,2}(,\d{1,2})*|\s)+")
_EXTENDED = {"5", "f", "85"}
_DOS_PRIMARY = 4
_GPT_ENTRY = 128  # bytes


@dataclass(frozen=True)
class Disk:
    """A whole disk: a block device, or a plain file that is treated as one."""

    path: str
    size: int
    sector_size: int = 512
    physical_sector_size: int = 512
    kind: str = "disk"  # disk, mpath (multipath), raid (md), virtual (nbd, rbd ...), loop, file
    serial: str | None = None
    wwn: str | None = None
    model: str | None = None
    vendor: str | None = None
    transport: str | None = None
    rotational: bool | None = None
    removable: bool = False
    read_only: bool = False
    links: tuple[str, ...] = ()  # /dev/disk/by-path/..., /dev/disk/by-id/...
    in_use: tuple[str, ...] = ()  # why nobody may touch it: "/dev/sda1 is mounted on /home"
    device: str = ""  # identity of the node itself: "8:0#<diskseq>", or "file:<st_dev>:<st_ino>"

    @property
    def identity(self) -> tuple[t.Any, ...]:
        """What must not change between choosing a disk and writing to it."""
        return (self.device, self.size, self.sector_size, self.serial, self.wwn, self.model)


@dataclass(frozen=True)
class Partition:
    """One entry of a partition table."""

    number: int
    start: int
    size: int
    type: str  # GPT: a GUID in upper case; DOS: hexadecimal without 0x, in lower case
    uuid: str | None = None  # GPT only
    name: str | None = None  # GPT only
    attrs: str | None = None  # GPT only, as sfdisk writes them
    bootable: bool = False  # DOS only

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True)
class PartitionTable:
    """A partition table as data."""

    label: str  # gpt, dos
    id: str  # GPT: the disk's GUID in upper case; DOS: 0x and eight hexadecimal digits
    sector_size: int
    partitions: tuple[Partition, ...] = ()
    length: int = 128  # GPT only: number of entries

    def is_container(self, partition: Partition) -> bool:
        """An extended DOS partition: it holds others and nothing of its own."""
        return self.label == "dos" and partition.type in _EXTENDED

    @property
    def head(self) -> int:
        """Bytes at the disk's start that the table needs: boot sector, GPT header and entries."""
        return self.sector_size + (self.tail if self.label == "gpt" else 0)

    @property
    def tail(self) -> int:
        """Bytes at the disk's end that the table needs: the GPT's backup."""
        if self.label != "gpt":
            return 0
        entries = -(-self.length * _GPT_ENTRY // self.sector_size)
        return (1 + entries) * self.sector_size

    def check(self, disk_size: int) -> None:
        """Can this table be written to a disk of so many bytes, and does it make sense?

        A table may come from a damaged disk or a hostile image: this is what stands before sfdisk.

        :raises ValueError: it cannot; the message says why.
        """
        check_disk_id = _GUID if self.label == "gpt" else re.compile(r"0x[0-9a-f]{8}")
        if self.label not in {"gpt", "dos"} or not check_disk_id.fullmatch(self.id):
            raise ValueError(f"{self.label} {self.id!r} is no partition table we know")
        numbers = [partition.number for partition in self.partitions]
        if numbers != sorted(set(numbers)):
            raise ValueError("the partitions are not in order, or two have the same number")
        for partition in self.partitions:
            if self.label == "gpt":
                _check_gpt(self, partition)
            else:
                _check_dos(self, partition)
        _check_places(self, disk_size)


def _check_gpt(table: PartitionTable, partition: Partition) -> None:
    if not 1 <= partition.number <= table.length:
        raise ValueError(f"partition number {partition.number} does not fit into {table.length} entries")
    if not (_GUID.fullmatch(partition.type) and _GUID.fullmatch(partition.uuid or "")):
        raise ValueError(f"partition {partition.number} has a type or UUID that is no GUID in upper case")
    name = partition.name or ""
    if len(name.encode("utf-16-le", "surrogatepass")) > 72 or any(ord(char) < 32 for char in name):
        raise ValueError(f"partition {partition.number} has an impossible name")
    if partition.attrs and not _ATTRS.fullmatch(partition.attrs):
        raise ValueError(f"partition {partition.number} has unknown attributes")
    if partition.bootable:
        raise ValueError(f"partition {partition.number} is marked active, which a GPT does not have")


def _check_dos(table: PartitionTable, partition: Partition) -> None:
    if not re.fullmatch(r"[1-9a-f][0-9a-f]?", partition.type):
        raise ValueError(f"partition {partition.number} has type {partition.type!r}, not 1 to ff")
    if partition.uuid or partition.name or partition.attrs:
        raise ValueError(f"partition {partition.number} has what only a GPT knows: UUID, name, attributes")
    if partition.end > table.sector_size << 32:
        raise ValueError(f"partition {partition.number} ends where a DOS table cannot reach")
    if partition.number > _DOS_PRIMARY and table.is_container(partition):
        raise ValueError(f"partition {partition.number} is an extended partition inside another")


def _check_places(table: PartitionTable, disk_size: int) -> None:
    end = disk_size // table.sector_size * table.sector_size - table.tail
    for partition in table.partitions:
        if partition.size <= 0 or partition.start % table.sector_size or partition.size % table.sector_size:
            raise ValueError(f"partition {partition.number} is empty or not made of whole sectors")
        if partition.start < table.head or partition.end > end:
            raise ValueError(
                f"partition {partition.number} ({partition.start} to {partition.end}) reaches over the table "
                f"itself or beyond the disk of {disk_size} bytes"
            )
    logical = [each for each in table.partitions if table.label == "dos" and each.number > _DOS_PRIMARY]
    primary = [each for each in table.partitions if each not in logical]
    _check_apart(primary, 0)
    _check_apart(logical, table.sector_size)
    containers = [each for each in primary if table.is_container(each)]
    if len(containers) > 1 or [each.number for each in logical] != list(range(5, 5 + len(logical))):
        raise ValueError("there are several extended partitions, or the logical ones are not numbered from 5")
    for partition in logical:
        # one sector before each logical partition links to the next
        room = [each for each in containers if each.start + table.sector_size <= partition.start]
        if not any(partition.end <= each.end for each in room):
            raise ValueError(f"partition {partition.number} is not inside an extended partition")


def _check_apart(partitions: list[Partition], between: int) -> None:
    ordered = sorted(partitions, key=lambda each: each.start)
    for one, other in zip(ordered, ordered[1:]):
        if one.end + between > other.start:
            raise ValueError(f"partitions {one.number} and {other.number} overlap")


@dataclass(frozen=True)
class Volume:
    """What lies in a partition, or on a disk without a partition table."""

    partition: int | None  # None: the whole disk
    start: int
    size: int
    type: str  # as blkid names it: ext4, ntfs, swap ...; "unknown" for what nobody can read
    uuid: str | None = None
    label: str | None = None
    used: int = 0  # bytes that are captured
    minimum_size: int | None = None  # bytes the filesystem could be shrunk to; None where no tool tells
    method: str = "everything"  # how used was found: partclone, header, everything
    note: str | None = None  # why, where that is not obvious


@dataclass(frozen=True)
class Gap:
    """A piece outside all partitions that is captured."""

    start: int
    size: int
    note: str


@dataclass(frozen=True)
class Survey:
    """What a disk holds, and which of its bytes an image must keep."""

    table: PartitionTable | None
    volumes: tuple[Volume, ...]
    gaps: tuple[Gap, ...]
    used: Extents  # captured: filesystem data, boot code, gaps, unknown partitions
    blank: Extents = field(default_factory=Extents)  # must be zero: unused edges, empty gaps; not in used
    notes: tuple[str, ...] = ()
