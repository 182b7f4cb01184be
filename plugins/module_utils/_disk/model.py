# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What we know of disks: pure data, no I/O. All offsets and sizes are bytes."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._extents import Extents


@dataclass(frozen=True)
class Disk:
    """A whole disk: a block device, or a plain file that is treated as one."""

    path: str
    size: int
    sector_size: int = 512
    physical_sector_size: int = 512
    kind: str = "disk"  # disk, loop, file
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
    device: str = ""  # identity of the node itself: "8:0", or "file:<st_dev>:<st_ino>"

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
        return self.label == "dos" and partition.type in {"5", "f", "85"}


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
    blank: Extents = field(default_factory=Extents)  # must be zero: unused edges of partitions; disjoint from used
    notes: tuple[str, ...] = ()
