# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a disk holds, for people who are about to overwrite it."""

from __future__ import annotations

import typing as t

from .._errors import DiskError
from .._units import show_size
from .model import Disk, PartitionTable, Volume
from .samples import has_data
from .table import read_table_of
from .volumes import node_of, probe, signatures

# What the line begins with that stands for data without a table or filesystem around it
LEFTOVERS = "data without a known signature"

_FIRST_PARTITION = 1 << 20  # where nearly every system puts it


def contents(disk: Disk) -> list[str]:
    """What a disk holds, a line each; empty when it holds nothing that can be seen."""
    return _known(disk) or _leftovers(disk)


def _known(disk: Disk) -> list[str]:
    try:
        table = read_table_of(disk)
    except DiskError as error:
        return [error.message]
    if table is None:
        return _signatures(disk)
    return [f"a partition table ({table.label})", *_partitions(disk, table)]


def _partitions(disk: Disk, table: PartitionTable) -> t.Iterator[str]:
    for each in table.partitions:
        if not table.is_container(each):
            yield _describe(probe(disk, each.number, each.start, each.size), each.name)


def _describe(volume: Volume, name: str | None) -> str:
    label = f" '{volume.label or name}'" if volume.label or name else ""
    return f"partition {volume.partition}: {volume.type}{label}, {show_size(volume.size)}"


def _signatures(disk: Disk) -> list[str]:
    with node_of(disk) as node:
        found = signatures(node)
    # "dos" is what the boot sector of an NTFS or exFAT looks like: read_table saw no table.
    lines = [f"{each['type']}{_quoted(each['label'])} on the whole disk" for each in found if each["type"] != "dos"]
    return list(dict.fromkeys(lines))  # a filesystem has its signature in several places


def _leftovers(disk: Disk) -> list[str]:
    """What remains where somebody took a partition table away, as an interrupted apply does."""
    volume = probe(disk, None, _FIRST_PARTITION, max(0, disk.size - _FIRST_PARTITION))
    if volume.type != "unknown":
        return [f"{LEFTOVERS} but for {volume.type}{_quoted(volume.label)} at 1 MiB, where a partition may have been"]
    return [LEFTOVERS] if has_data(disk, 0, disk.size) else []


def _quoted(label: str | None) -> str:
    return f" '{label}'" if label else ""
