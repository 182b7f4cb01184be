# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The disks of a machine, as a module returns them."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from .._errors import DiskError, ToolFailed
from .contents import contents
from .facts import list_disks, read_disk
from .model import Disk
from .select import DiskHint, mismatches, objections


def disk_info(hint: DiskHint, with_contents: bool) -> dict[str, t.Any]:
    """Facts of all disks that fit the hint, also of those that may not be chosen, and why.

    :param with_contents: also look what each disk holds.
    """
    disks = [read_disk(hint.path, hint.sector_size)] if hint.path else list_disks()
    fitting = [disk for disk in disks if not mismatches(hint, disk)]
    return {"changed": False, "disks": [_entry(disk, hint, with_contents) for disk in fitting]}


def _entry(disk: Disk, hint: DiskHint, with_contents: bool) -> dict[str, t.Any]:
    why = objections(disk, hint.names_one)
    entry = {**asdict(disk), "eligible": not why, "reasons": why}
    if with_contents:
        entry["contents"] = _contents(disk)
    return entry


def _contents(disk: Disk) -> list[str]:
    """A disk that cannot be read must not hide the others: in a container that is the host's."""
    try:
        return contents(disk)
    except (DiskError, ToolFailed) as error:
        return [f"cannot be read: {error.message}"]
