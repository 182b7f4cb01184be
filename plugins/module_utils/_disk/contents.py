# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a disk holds, for people who are about to overwrite it."""

from __future__ import annotations

import os
import typing as t

from .._errors import DiskError
from .._units import show_size
from .handle import aligned_buffer
from .model import Disk, PartitionTable, Volume
from .table import read_table
from .volumes import node_of, probe, signatures

_EDGE = 1 << 20
_SAMPLE = 64 << 10
_SAMPLES = 64


def contents(disk: Disk) -> list[str]:
    """What a disk holds, a line each; empty when it holds nothing that can be seen."""
    found = _known(disk)
    if not found and _has_data(disk):
        found.append("data without a known signature")
    return found


def _known(disk: Disk) -> list[str]:
    try:
        table = read_table(disk.path, disk.sector_size if disk.kind == "file" else None)
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


def _quoted(label: str | None) -> str:
    return f" '{label}'" if label else ""


def _has_data(disk: Disk) -> bool:
    """Look at both ends and some places between: a disk that was zeroed or never used has nothing there."""
    starts = [number * disk.size // _SAMPLES for number in range(_SAMPLES)]
    pieces = [(0, _EDGE), (max(0, disk.size - _EDGE), _EDGE), *((start, _SAMPLE) for start in starts)]
    buffer = aligned_buffer(_EDGE)
    fd = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for start, length in pieces:
            count = os.preadv(fd, [buffer[:length]], start)
            if any(buffer[:count].tobytes()):
                return True
    except OSError as error:
        raise DiskError(f"Disk {disk.path} cannot be read: {error.strerror}.", disk=disk.path) from error
    finally:
        os.close(fd)
    return False
