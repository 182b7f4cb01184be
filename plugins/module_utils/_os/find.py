# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The operating system on a deployed disk."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from .._disk.model import Disk, Volume
from .._disk.table import read_table
from .._disk.volumes import probe
from .._errors import OsError
from .mount import MOUNTABLE, mounted
from .tree import identify


@dataclass(frozen=True)
class System:
    """An operating system.

    :ivar release: id, version and name from os-release; empty for Windows.
    """

    family: str
    volume: Volume
    release: dict[str, str]


def find_system(disk: Disk) -> System:
    """The only operating system on a disk.

    :raises OsError: there is none, or more than one.
    """
    found = [system for system in (_look(disk, volume) for volume in _volumes(disk)) if system]
    if len(found) == 1:
        return found[0]
    several = "".join(
        f" {each.release.get('name', each.family)} in partition {each.volume.partition}." for each in found
    )
    raise OsError(
        f"There is {'more than one' if found else 'no'} operating system on {disk.path} that can be read.{several}",
        disk=disk.path,
    )


def _volumes(disk: Disk) -> list[Volume]:
    table = read_table(disk.path, disk.sector_size if disk.kind == "file" else None)
    pieces: t.Iterable[tuple[int | None, int, int]] = [(None, 0, disk.size)]
    if table:
        pieces = [(each.number, each.start, each.size) for each in table.partitions if not table.is_container(each)]
    found = [probe(disk, *piece) for piece in pieces]
    return [volume for volume in found if volume.type in MOUNTABLE]


def _look(disk: Disk, volume: Volume) -> System | None:
    with contextlib.suppress(OsError), mounted(disk, volume) as root:
        if found := identify(root):
            return System(found.family, volume, found.release)
    return None
