# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The filesystems of a disk, each with a device that can be mounted; logical volumes among them."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from .._disk import firmware, health
from .._disk.model import Disk, Partition, PartitionTable
from .._disk.table import read_table
from .._disk.volumes import loop_of, probe, probe_device
from .._errors import GoldenError
from . import lvm
from .fstab import Filesystem
from .mount import MOUNTABLE
from .record import Record

_CLOSED = {
    "BitLocker": health.problem("", "BitLocker"),
    "crypto_LUKS": "it is encrypted with LUKS, which cannot be opened here",
    "linux_raid_member": "it belongs to a RAID",
    "zfs_member": "it belongs to a pool of ZFS",
}
_HIBERNATED = "swsuspend"


@dataclass
class Contents:
    """What a disk holds.

    :ivar closed: why there may be more than the filesystems: sentences.
    :ivar hibernated: why none of them may be written to, or empty.
    """

    disk: Disk
    table: PartitionTable | None
    filesystems: list[Filesystem] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    hibernated: str = ""

    def filesystem(self, place: str) -> Filesystem:
        """The one that lay there a moment ago."""
        return next(each for each in self.filesystems if each.place == place)


@contextlib.contextmanager
def opened(disk: Disk, record: Record, writable: bool = False) -> t.Iterator[Contents]:
    """The filesystems of a disk. What is mounted meanwhile keeps its device.

    :param record: gets the volume groups that are activated, and has to be undone.
    """
    table = read_table(disk.path, disk.sector_size if disk.kind == "file" else None)
    contents = Contents(disk, table)
    with contextlib.ExitStack() as stack:
        members = []
        for partition in _pieces(disk, table):
            volume = probe(disk, partition.number or None, partition.start, partition.size)
            place = str(partition.number or "disk")
            if volume.type in MOUNTABLE or volume.type == lvm.MEMBER:
                device = stack.enter_context(loop_of(disk, partition.start, partition.size, writable))
                if volume.type == lvm.MEMBER:
                    members.append(device)
                else:
                    contents.filesystems.append(
                        Filesystem(
                            place,
                            device,
                            volume.type,
                            volume.uuid,
                            volume.label,
                            _part_uuid(table, partition),
                            partition.name,
                            firmware.is_esp(partition),
                        )
                    )
            elif volume.type in _CLOSED:
                contents.closed.append(f"Partition {place} cannot be looked into: {_CLOSED[volume.type]}.")
            elif volume.type == _HIBERNATED:
                contents.hibernated = f"Partition {place}: {health.problem('', _HIBERNATED)}."
        _add_logical_volumes(contents, members, record, writable)
        yield contents


def _pieces(disk: Disk, table: PartitionTable | None) -> list[Partition]:
    if table is None:
        return [Partition(0, 0, disk.size, "")]
    return [each for each in table.partitions if not table.is_container(each)]


def _part_uuid(table: PartitionTable | None, partition: Partition) -> str | None:
    if table and table.label == "dos":
        return f"{table.id[2:]}-{partition.number:02x}"
    return partition.uuid


def _add_logical_volumes(contents: Contents, members: list[str], record: Record, writable: bool) -> None:
    """A group that cannot be activated is no error yet: the system may lie elsewhere."""
    if not members:
        return
    try:
        groups = lvm.groups_on(members)
        record.groups = groups
        record.save()
        for group in groups:
            for volume in lvm.activate(group, members, writable):
                known = probe_device(volume.device)
                kind = known.get("TYPE", "unknown")
                if kind in MOUNTABLE:
                    contents.filesystems.append(
                        Filesystem(volume.name, volume.device, kind, known.get("UUID"), known.get("LABEL"))
                    )
                elif kind in _CLOSED:
                    contents.closed.append(f"Logical volume {volume.name} cannot be looked into: {_CLOSED[kind]}.")
    except GoldenError as error:
        contents.closed.append(f"Logical volumes cannot be looked into: {error.message}")
