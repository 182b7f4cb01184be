# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. All places of a disk where its ids may be named: each filesystem by itself, and boot code beside them."""

from __future__ import annotations

import re
import stat
import typing as t

from ..._disk.handle import DiskHandle, aligned_buffer
from ..._disk.model import Disk
from ..._run import run
from ..beneath import Root
from ..contents import opened
from ..fstab import Filesystem
from ..mount import Access, mount, unmount
from ..record import for_a_while
from . import grub
from .fat import Fat
from .files import Files
from .names import Renaming
from .volumes import Found

_BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
_PAGE = 4096
_MOST = 2 << 20  # of the place before the first partition
_ALL_SUBVOLUMES = "subvolid=5"
_DEFAULT = re.compile(r" path (.+)$", re.MULTILINE)

_T = t.TypeVar("_T")


def visit(disk: Disk, writable: bool, work: t.Callable[[Files], _T]) -> list[_T]:
    """Do work on the files of each filesystem of a disk; none stays mounted."""
    with for_a_while(disk.path) as kept, opened(disk, kept, writable) as contents:
        return [_visit(disk, each, kept.folder, writable, work) for each in contents.filesystems]


def rename_boot_code(found: Found, names: Renaming, write: bool) -> list[str]:
    """Put new ids into GRUB's core image for a BIOS, where it lies in no file.

    :returns: where that changes something.
    """
    changed = []
    for name, start, size in _areas(found) if names else ():
        with DiskHandle(found.disk, writable=write) as handle:
            area = aligned_buffer(size)
            handle.read_into(area, start)
            after = grub.renamed(bytes(area), names)
            if after != bytes(area):
                changed.append(name)
                if write:
                    area[:] = after
                    # Its first sector says how long it is, so that comes last.
                    handle.write_from(area[_PAGE:], start + _PAGE)
                    handle.write_from(area[:_PAGE], start)
                    handle.sync()
    return changed


def _visit(disk: Disk, filesystem: Filesystem, folder: str, writable: bool, work: t.Callable[[Files], _T]) -> _T:
    name = str(filesystem)
    if filesystem.type == "vfat":
        return work(Files(name, Fat(filesystem.device), esp=filesystem.esp))
    btrfs = filesystem.type == "btrfs"
    access = Access.WRITE if writable else Access.LOOK
    mount(disk.path, filesystem, folder, access, _ALL_SUBVOLUMES if btrfs else None)
    try:
        root = Root(folder, windows=filesystem.type == "ntfs")
        return work(Files(name, root, _subvolumes(root) if btrfs else ("",)))
    finally:
        unmount(folder)


def _subvolumes(root: Root) -> list[str]:
    """Where in a btrfs a system may have its root: the top, the folders there, and the default subvolume."""
    default = _DEFAULT.search(run(["btrfs", "subvolume", "get-default", root.path]).stdout)
    paths = (f"/{name}" for name in root.names("/"))
    folders = [path for path in paths if (info := root.info(path)) and stat.S_ISDIR(info.st_mode)]
    return list(dict.fromkeys(["", *folders, *([f"/{default[1]}"] if default else [])]))


def _areas(found: Found) -> t.Iterator[tuple[str, int, int]]:
    """Where a core image may be: name, beginning, size."""
    table = found.table
    if table is None or not table.partitions:
        return
    if table.label == "dos":
        first = min(each.start for each in table.partitions)
        if first > table.sector_size:
            yield "before the first partition", table.sector_size, min(first, _MOST) - table.sector_size
        return
    for each in table.partitions:
        if each.type == _BIOS_BOOT:
            yield f"partition {each.number}", each.start, min(each.size, _MOST)
