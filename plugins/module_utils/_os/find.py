# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The operating system on a deployed disk."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from .._disk.model import Disk
from .._errors import OsError
from . import record
from .assembly import mount_root, mount_tree
from .beneath import Root
from .contents import Contents, opened
from .fstab import Filesystem
from .mount import MOUNTABLE, Access, unmount
from .tree import identify

# Where distributions put their root when it is not the default: Debian, Ubuntu and SUSE, Fedora.
_SUBVOLUMES = ("@rootfs", "@", "root")
_ROOTS = MOUNTABLE - {"vfat"}
_USR = ("/usr",)  # without it, nothing says what system it is


@dataclass(frozen=True)
class System:
    """An operating system.

    :ivar place: of its root filesystem: number of a partition, or names of volume group and logical volume.
    :ivar subvolume: as an option of mount, where it is not the default of a btrfs.
    :ivar release: id, version and name from os-release; empty for Windows.
    """

    family: str
    place: str
    where: str
    subvolume: str | None = None
    release: dict[str, str] = field(default_factory=dict)

    def is_at(self, wanted: str | None) -> bool:
        """:param wanted: a place, perhaps with the name of a subvolume: ``2``, ``vg/root``, ``2:@``."""
        return wanted in (None, self.place, self.name)

    @property
    def name(self) -> str:
        """What it can be chosen by."""
        return f"{self.place}:{self.subvolume.partition('=')[2]}" if self.subvolume else self.place


def find_system(disk: Disk, wanted: str | None = None) -> System:
    """The only operating system on a disk, or the only one in that place.

    :raises OsError: there is none, or more than one.
    """
    every, closed = find_systems(disk)
    found = [system for system in every if system.is_at(wanted)]
    if len(found) == 1:
        return found[0]
    listed = "".join(f" {each.release.get('name', each.family.capitalize())} in {each.where}." for each in every)
    names = " or ".join(each.name for each in found)
    choose = f" golden.fleet.os_mount takes one of them with its option partition: {names}." if found else ""
    raise OsError(
        f"There is {'more than one' if found else 'no'} operating system on {disk.path}"
        f"{f' in partition {wanted}' if wanted else ''} that can be read.{listed}{choose}"
        f"{''.join(f' {why}' for why in closed)}",
        disk=disk.path,
        systems=[each.name for each in every],
    )


def find_systems(disk: Disk) -> tuple[list[System], list[str]]:
    """All operating systems on a disk, and why there may be more than these."""
    with record.for_a_while(disk.path) as kept, opened(disk, kept) as contents:
        roots = [each for each in contents.filesystems if each.type in _ROOTS]
        return [system for each in roots for system in _look(contents, each, kept.folder)], contents.closed


@contextlib.contextmanager
def mounted(disk: Disk, system: System, writable: bool = False) -> t.Iterator[Root]:
    """The root filesystem of a system, for a while.

    :raises OsError: it cannot be mounted, or a Windows is hibernated or was not shut down.
    """
    access = Access.WRITE if writable else Access.LOOK
    with record.for_a_while(disk.path) as kept, opened(disk, kept, writable) as contents:
        yield mount_root(contents, contents.filesystem(system.place), system.subvolume, kept.folder, access)


def _look(contents: Contents, filesystem: Filesystem, folder: str) -> t.Iterator[System]:
    """The system that it is the root of; several where it has subvolumes, of which none is the default."""
    found = _look_at(contents, filesystem, None, folder)
    if found:
        yield found
    elif filesystem.type == "btrfs":
        for name in _SUBVOLUMES:
            if other := _look_at(contents, filesystem, f"subvol={name}", folder):
                yield other


def _look_at(contents: Contents, filesystem: Filesystem, subvolume: str | None, folder: str) -> System | None:
    try:
        tree = mount_tree(contents, filesystem, subvolume, folder, Access.LOOK, only=_USR)
    except OsError as error:
        if subvolume is None:
            contents.closed.append(error.message)
        return None
    try:
        found = identify(tree.root)
    except OsError:  # a link in a circle: no system could be run from there
        return None
    finally:
        unmount(folder)
    if found is None:
        return None
    where = f"{filesystem}{f', {subvolume}' if subvolume else ''}"
    return System(found.family, filesystem.place, where, subvolume, found.release)
