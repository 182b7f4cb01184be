# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Partition tables, read and written by sfdisk."""

from __future__ import annotations

import json
import os
import re
import tempfile
import typing as t

from .._errors import DiskError, SectorSizeDiffers, ToolFailed, UsageError
from .._run import run
from .facts import read_disk
from .handle import DiskHandle, aligned_buffer
from .model import Disk, Partition, PartitionTable
from .volumes import node_of, signatures

# It takes no lock unless told: we have one on the disk.
_SFDISK = ("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never")
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-")


def read_table(path: str, sector_size: int | None = None) -> PartitionTable | None:
    """The partition table of a disk; None when it has none that we know.

    :param sector_size: for plain files, as for :func:`~.facts.read_disk`.
    :raises DiskError: the table makes no sense.
    """
    disk = read_disk(path, sector_size)
    with node_of(disk) as node:
        found = {each["type"] for each in signatures(node)}
        if not found & {"gpt", "dos"}:  # sfdisk would take the boot sector of a FAT filesystem for a table
            return None
        try:
            table = parse_table(json.loads(run(["sfdisk", "--json", node]).stdout), disk.sector_size)
            table.check(disk.size)
        except (ToolFailed, ValueError) as error:
            raise DiskError(
                f"The partition table of {path} is damaged: {error}. Repair it first, with fdisk or gdisk.",
                disk=path,
            ) from error
    if table.label == "dos" and not table.partitions and len(found) > 1:
        return None  # the boot sector of an NTFS or exFAT that has the whole disk looks like an empty table
    return table


def read_table_of(disk: Disk) -> PartitionTable | None:
    """The same, of a disk that was found already."""
    return read_table(disk.path, disk.sector_size if disk.kind == "file" else None)


def holds_table(handle: DiskHandle, table: PartitionTable | None) -> bool:
    """Does a disk hold exactly this table, with the GPT's backup at its very end?"""
    disk = handle.disk
    try:
        found = read_table(disk.path, disk.sector_size)
    except DiskError:  # a damaged one is none that anybody wants to keep
        return False
    return found == table and (table is None or table.label != "gpt" or _has_backup(handle))


def _has_backup(handle: DiskHandle) -> bool:
    """sfdisk is content with the primary header; a disk that was made bigger has its backup in the middle."""
    sector_size = handle.disk.sector_size
    last = aligned_buffer(sector_size)
    handle.read_into(last, (handle.size // sector_size - 1) * sector_size)  # a file may end with a piece of a sector
    return bytes(last[:8]) == b"EFI PART"


def parse_table(document: dict[str, t.Any], sector_size: int) -> PartitionTable:
    """The table in the output of ``sfdisk --json``."""
    said = document["partitiontable"]
    gpt = said["label"] == "gpt"
    partitions = [_parse_partition(each, gpt, sector_size) for each in said.get("partitions", ())]
    return PartitionTable(
        label=said["label"],
        id=said["id"].upper() if gpt else said["id"].lower(),
        sector_size=sector_size,
        partitions=tuple(sorted(partitions, key=lambda each: each.number)),
        length=int(said.get("table-length", 128)),
    )


def _parse_partition(each: dict[str, t.Any], gpt: bool, sector_size: int) -> Partition:
    return Partition(
        number=int(re.findall(r"\d+", each["node"])[-1]),
        start=int(each["start"]) * sector_size,
        size=int(each["size"]) * sector_size,
        type=each["type"].upper() if gpt else each["type"].lower(),
        uuid=each["uuid"].upper() if gpt else None,
        name=each.get("name") if gpt else None,
        attrs=each.get("attrs") if gpt else None,
        bootable=bool(each.get("bootable", False)) if not gpt else False,
    )


def script(table: PartitionTable) -> str:
    """The script from which sfdisk writes the table."""
    lines = [f"label: {table.label}", f"label-id: {table.id}", "unit: sectors"]
    if table.label == "gpt":
        # Without it sfdisk reserves the first MiB, where a small boot partition may lie.
        lowest = min([each.start for each in table.partitions], default=table.head)
        lines.append(f"first-lba: {min(lowest, max(1 << 20, table.head)) // table.sector_size}")
        lines.append(f"table-length: {table.length}")
    return "\n".join([*lines, "", *(_line(each, table.sector_size) for each in table.partitions), ""])


def _line(partition: Partition, sector_size: int) -> str:
    fields = [
        f"start={partition.start // sector_size}",
        f"size={partition.size // sector_size}",
        f"type={partition.type}",
    ]
    if partition.uuid:
        fields.append(f"uuid={partition.uuid}")
    if partition.name:
        fields.append(f'name="{_escaped(partition.name)}"')
    if partition.attrs:
        fields.append(f'attrs="{partition.attrs}"')
    if partition.bootable:
        fields.append("bootable")
    return f"{partition.number} : {', '.join(fields)}"


def _escaped(name: str) -> str:
    return "".join(chr(byte) if chr(byte) in _PLAIN else f"\\x{byte:02x}" for byte in name.encode())


def needed_size(table: PartitionTable) -> int:
    """How many bytes a disk must have for this table."""
    return max([each.end for each in table.partitions], default=table.head) + table.tail


def write_table(handle: DiskHandle, table: PartitionTable) -> None:
    """Write the table, both GPT headers, and read it back. Boot code in the first sector stays as it is.

    The kernel learns of it by :meth:`~.handle.DiskHandle.reread_table` only.

    :raises UsageError: the table cannot be on this disk.
    :raises SectorSizeDiffers: it was made for other sectors.
    :raises DiskError: the disk does not hold it afterwards.
    """
    handle.check_identity()
    _write(handle.disk, table)


def rehearse_table(table: PartitionTable, size: int) -> None:
    """Write the table to a file that stands for a disk of so many bytes: can sfdisk do it here, and exactly so?

    :raises DiskError: it cannot.
    :raises ToolMissing: there is no sfdisk.
    """
    with tempfile.TemporaryDirectory(prefix="golden-", dir=_memory()) as folder:
        path = os.path.join(folder, "disk")
        with open(path, "wb") as file:
            file.truncate(size)
        try:
            _write(read_disk(path, table.sector_size), table)
        except (DiskError, ToolFailed, UsageError) as error:
            raise DiskError(
                f"The partition table cannot be written by sfdisk of this machine, as an attempt on a file has shown: "
                f"{error.message} No disk was touched. Use a newer sfdisk; if there is none, the reference computer "
                "needs partitions as fdisk or gdisk make them."
            ) from error


def _memory() -> str | None:
    """Where a file may have the size of any disk: ext4 takes 16 TiB at most."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # TemporaryDirectory makes it private


def _write(disk: Disk, table: PartitionTable) -> None:
    """Have sfdisk write the table to a disk or a file, and read it back."""
    if table.sector_size != disk.sector_size:
        raise SectorSizeDiffers(
            f"The partition table was made for sectors of {table.sector_size} bytes; {disk.path} has sectors "
            f"of {disk.sector_size}. Use a disk with the same sector size.",
            disk=disk.path,
        )
    try:
        table.check(disk.size)
    except ValueError as error:
        raise UsageError(f"The partition table cannot be written to {disk.path}: {error}.", disk=disk.path) from error
    with node_of(disk, writable=True) as node:
        run([*_SFDISK, node], stdin=script(table))
    found = read_table(disk.path, disk.sector_size)
    if found != table:
        raise DiskError(
            f"Disk {disk.path} does not hold the partition table that was written to it: {found} instead of "
            f"{table}. It will not boot as it is.",
            disk=disk.path,
        )
