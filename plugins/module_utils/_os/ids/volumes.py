# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The ids of a disk as they are, and programs that set them."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._disk import health
from ..._disk.handle import DiskHandle
from ..._disk.model import Disk, PartitionTable, Volume
from ..._disk.table import read_table_of, write_table
from ..._disk.volumes import loop_of, probe
from ..._errors import OsError
from ..._run import need_program, run
from .names import TABLE, Id, Ids

_EXT = ("ext2", "ext3", "ext4")
_NOTE = "golden.fleet: "
_BEGUN = re.compile(rf"^Last mounted on: +{re.escape(_NOTE)}([0-9a-f-]{{36}})$", re.MULTILINE)
_REFUSED = {
    "LVM2_member": "belongs to LVM, whose ids are not changed here",
    "crypto_LUKS": "is encrypted with LUKS, so what names its ids cannot be seen",
    "zfs_member": "belongs to a pool of ZFS",
}
_ANSWER = "Nothing was changed. Leave the ids of this disk as they are, and keep it apart from its copies."


@dataclasses.dataclass(frozen=True)
class Found:
    """A disk and its ids.

    :ivar ids: by place; what has none is not among them.
    """

    disk: Disk
    table: PartitionTable | None
    volumes: tuple[Volume, ...]
    ids: Ids

    @property
    def numbers(self) -> list[int]:
        """Of all partitions."""
        return [each.number for each in self.table.partitions] if self.table else []


def look(disk: Disk) -> Found:
    """:raises OsError: something of it has an id that cannot be changed here, or must not be."""
    table = read_table_of(disk)
    if table:
        pieces = [each for each in table.partitions if not table.is_container(each)]
        volumes = tuple(probe(disk, each.number, each.start, each.size) for each in pieces)
    else:
        volumes = (probe(disk, None, 0, disk.size),)
    ids = _table_ids(table)
    for volume in volumes:
        _refuse(disk, volume)
        if volume.uuid:
            ids[_place(volume)] = Id(_KINDS[volume.type].id, _written(volume))
    return Found(disk, table, volumes, ids)


def refuse_unclean(found: Found) -> None:
    """:raises OsError: a filesystem was not unmounted cleanly, or is hibernated."""
    for volume in found.volumes:
        # e2fsck sees to the others, just before
        if volume.type in _KINDS and volume.type not in _EXT:
            with loop_of(found.disk, volume.start, volume.size, writable=False) as device:
                if why := health.problem(device, volume.type):
                    raise OsError(f"{_name(found.disk, volume)} must not be changed: {why}.", disk=found.disk.path)


def need_programs(found: Found) -> None:
    """:raises ToolMissing: one is not installed."""
    for name in sorted({name for volume in found.volumes if volume.uuid for name in _KINDS[volume.type].programs}):
        need_program(name)


def set_ids(found: Found, wanted: Ids) -> None:
    """Filesystems first, each by its own program, then the table at once."""
    for volume in found.volumes:
        place = _place(volume)
        if place in wanted and found.ids[place] != wanted[place]:
            with loop_of(found.disk, volume.start, volume.size, writable=True) as device:
                _KINDS[volume.type].set(device, wanted[place].value)
    table = _table_with(found.table, wanted)
    if table and table != found.table:
        with DiskHandle(found.disk, writable=True) as handle:
            write_table(handle, table)
            handle.sync()
            handle.reread_table()


def finish_begun(disk: Disk, check: bool) -> bool:
    """A filesystem whose id was just being changed cannot be looked into until that is done.

    :returns: whether there is one.
    """
    table = read_table_of(disk)
    places = [(each.start, each.size) for each in table.partitions] if table else [(0, disk.size)]
    begun = [_finish_begun(disk, start, size, check) for start, size in places]
    return any(begun)


def _finish_begun(disk: Disk, start: int, size: int, check: bool) -> bool:
    kind = probe(disk, None, start, size).type
    if kind not in (*_EXT, "btrfs"):
        return False
    with loop_of(disk, start, size, writable=not check) as device:
        if kind == "btrfs":
            begun = "CHANGING_FSID" in run(["btrfs", "inspect-internal", "dump-super", device]).stdout
            if begun and not check:
                run(["btrfstune", "-f", "-u", device])  # it goes on with the id that was begun
            return begun
        found = _BEGUN.search(run(["dumpe2fs", "-h", device], ok=range(256)).stdout)
        if found and not check:
            # Who has tried to mount it may have noted errors, and tune2fs would want e2fsck first. That comes after it.
            for value in ("state 1", "lastcheck now"):
                run(["debugfs", "-w", "-n", "-R", f"set_super_value {value}", device])
            run(["tune2fs", "-f", "-U", found[1], device])
            run(["e2fsck", "-f", "-p", device], ok=(0, 1))
            run(["tune2fs", "-M", "", device])
        return found is not None


def _table_ids(table: PartitionTable | None) -> Ids:
    if table is None:
        return {}
    if table.label == "dos":
        return {TABLE: Id("dos", table.id)}
    ids = {f"partition {each.number}": Id("guid", each.uuid) for each in table.partitions if each.uuid}
    return {TABLE: Id("guid", table.id), **ids}


def _table_with(table: PartitionTable | None, ids: Ids) -> PartitionTable | None:
    if table is None:
        return None
    if table.label == "dos":
        return dataclasses.replace(table, id=ids[TABLE].value)
    partitions = (dataclasses.replace(each, uuid=ids[f"partition {each.number}"].value) for each in table.partitions)
    return dataclasses.replace(table, id=ids[TABLE].value, partitions=tuple(partitions))


def _refuse(disk: Disk, volume: Volume) -> None:
    why = _REFUSED.get(volume.type) or volume.note
    if "_raid_member" in volume.type:
        why = "belongs to a RAID"
    elif volume.type in {"BitLocker", "swsuspend"}:
        why = f"must not be changed: {health.problem('', volume.type)}"
    elif volume.uuid and volume.type not in _KINDS and not why:
        why = f"is of kind {volume.type}, whose id cannot be changed here"
    if why:
        raise OsError(f"{_name(disk, volume)} {why}. {_ANSWER}", disk=disk.path)


def _name(disk: Disk, volume: Volume) -> str:
    return f"Partition {volume.partition} of {disk.path}" if volume.partition else f"What is on {disk.path}"


def _place(volume: Volume) -> str:
    return f"filesystem {volume.partition or 'disk'}"


def _written(volume: Volume) -> str:
    uid = volume.uuid or ""
    return uid.lower() if _KINDS[volume.type].id == "uuid" else uid.upper()


class _Kind(t.NamedTuple):
    """Of filesystems.

    :ivar id: what kind of id it has.
    :ivar set: gives the filesystem on a device another one.
    """

    id: str
    programs: tuple[str, ...]
    set: t.Callable[[str, str], object]


def _set_ext(device: str, value: str) -> None:
    """All its checksums depend on the id, so tune2fs writes all of them, and what is done in part cannot be mounted.

    Then tune2fs can write all of them once more, but has to know which id was meant: it is noted where else the folder
    stands in which it was last mounted.
    """
    run(["e2fsck", "-f", "-p", device], ok=(0, 1))  # tune2fs wants to know that there is nothing to repair
    run(["tune2fs", "-M", f"{_NOTE}{value}", device])
    run(["tune2fs", "-U", value, device])
    run(["tune2fs", "-M", "", device])


_KINDS = {
    **{kind: _Kind("uuid", ("debugfs", "dumpe2fs", "e2fsck", "tune2fs"), _set_ext) for kind in _EXT},
    "btrfs": _Kind("uuid", ("btrfs", "btrfstune"), lambda device, value: run(["btrfstune", "-f", "-U", value, device])),
    "ntfs": _Kind("ntfs", ("ntfslabel",), lambda device, value: run(["ntfslabel", f"--new-serial={value}", device])),
    "swap": _Kind("uuid", ("swaplabel",), lambda device, value: run(["swaplabel", "--uuid", value, device])),
    "vfat": _Kind(
        "fat",
        ("fatlabel", "mcopy", "mdir", "mshowfat"),
        lambda device, value: run(["fatlabel", "-i", device, value.replace("-", "")]),
    ),
    "xfs": _Kind("uuid", ("xfs_admin",), lambda device, value: run(["xfs_admin", "-U", value, device])),
}
