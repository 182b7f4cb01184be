# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The initramfs of each Linux on a disk, made anew by the system itself."""

from __future__ import annotations

import typing as t

from ..._disk.model import Disk
from ..assembly import mount_tree
from ..contents import opened
from ..find import System, find_systems, mounted
from ..linux.chroot import run_there
from ..linux.initramfs import remake
from ..mount import Access
from ..record import for_a_while
from ..tree import LINUX


def makers(disk: Disk) -> list[tuple[System, list[str]]]:
    """The systems that can, and how."""
    found = []
    for system in find_systems(disk)[0]:
        if system.family == LINUX:
            with mounted(disk, system) as root:
                if argv := remake(root):
                    found.append((system, argv))
    return found


def refuse_unrunnable(disk: Disk) -> None:
    """:raises OsError: a program of such a system cannot be run here."""
    for system, _argv in makers(disk):
        _run_in(disk, system, ["true"])


def remake_all(disk: Disk) -> None:
    for system, argv in makers(disk):
        _run_in(disk, system, argv)


def _run_in(disk: Disk, system: System, argv: t.Sequence[str]) -> None:
    with for_a_while(disk.path) as kept, opened(disk, kept, writable=True) as contents:
        filesystem = contents.filesystem(system.place)
        mount_tree(contents, filesystem, system.subvolume, kept.folder, Access.RUN)
        run_there(kept.folder, argv)
