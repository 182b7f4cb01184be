# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The filesystems of a disk, each with a device that can be mounted; logical volumes among them."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._disk import firmware, health
from .._disk.model import Disk, Partition, PartitionTable
from .._disk.table import read_table_of
from .._disk.volumes import loop_of, probe, probe_device
from .._errors import GoldenError, OsError
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


@dataclasses.dataclass
class Contents:
    """What a disk holds.

    :ivar closed: why there may be more than the filesystems: sentences.
    :ivar hibernated: why none of them may be written to, or empty.
    """

    disk: Disk
    table: PartitionTable | None
    filesystems: list[Filesystem] = dataclasses.field(default_factory=list)
    closed: list[str] = dataclasses.field(default_factory=list)
    hibernated: str = ""

    def filesystem(self, place: str) -> Filesystem:
        """The one that lay there a moment ago.

        :raises OsError: it cannot be reached any more.
        """
        for each in self.filesystems:
            if each.place == place:
                return each
        raise OsError(f"{place} of {self.disk.path} is out of reach. {' '.join(self.closed)}", disk=self.disk.path)


@contextlib.contextmanager
def opened(disk: Disk, record: Record, writable: bool = False) -> t.Iterator[Contents]:
    """The filesystems of a disk. What is mounted meanwhile keeps its device.

    :param record: gets the volume groups that are activated, and has to be undone.
    """
    record.written = writable
    record.save()
    table = read_table_of(disk)
    contents = Contents(disk, table)
    with contextlib.ExitStack() as stack:
        members = []
        for partition in _pieces(disk, table):
            volume = probe(disk, partition.number or None, partition.start, partition.size)
            found = Filesystem(
                place=str(partition.number or "disk"),
                device="",
                type=volume.type,
                uuid=volume.uuid,
                label=volume.label,
                part_uuid=_part_uuid(table, partition),
                part_label=partition.name,
                esp=firmware.is_esp(partition),
            )
            if found.type == lvm.MEMBER:
                # A thin pool cannot be activated on what can only be read. Nothing is written by that.
                members.append(stack.enter_context(loop_of(disk, partition.start, partition.size, writable=True)))
            elif found.type in MOUNTABLE:
                device = stack.enter_context(loop_of(disk, partition.start, partition.size, writable))
                contents.filesystems.append(dataclasses.replace(found, device=device))
            else:
                _note(contents, found)
        if members:
            _add_logical_volumes(contents, members, record)
        yield contents


def _pieces(disk: Disk, table: PartitionTable | None) -> list[Partition]:
    if table is None:
        return [Partition(0, 0, disk.size, "")]
    return [each for each in table.partitions if not table.is_container(each)]


def _part_uuid(table: PartitionTable | None, partition: Partition) -> str | None:
    if table and table.label == "dos":
        return f"{table.id[2:]}-{partition.number:02x}"
    return partition.uuid


def _note(contents: Contents, found: Filesystem) -> None:
    """What is to be known of something that cannot be mounted."""
    if found.type == _HIBERNATED:
        contents.hibernated = f"{found.title} of {contents.disk.path}: {health.problem('', _HIBERNATED)}."
    elif found.type in _CLOSED:
        contents.closed.append(f"{found.title} cannot be looked into: {_CLOSED[found.type]}.")


def _add_logical_volumes(contents: Contents, members: list[str], record: Record) -> None:
    """A group that cannot be activated is no error yet: the system may lie elsewhere."""
    try:
        record.groups = lvm.groups_on(members)
    except GoldenError as error:
        contents.closed.append(f"Logical volumes cannot be looked into: {error.message}")
        return
    record.save()
    for group in record.groups:
        try:
            volumes, complaint = lvm.activate(group, members)
            found = list(map(_filesystem, volumes))
        except GoldenError as error:
            found, complaint = [], error.message
        if complaint:
            contents.closed.append(f"Not all of volume group {group.name} can be looked into: {complaint}")
        contents.filesystems += [each for each in found if each.type in MOUNTABLE]
        for each in found:
            _note(contents, each)


def _filesystem(volume: lvm.LogicalVolume) -> Filesystem:
    known = probe_device(volume.device)
    return Filesystem(volume.name, volume.device, known.get("TYPE", "unknown"), known.get("UUID"), known.get("LABEL"))
