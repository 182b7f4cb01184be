# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The tree of a deployed system, put together of the filesystems that its fstab names."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._disk import health
from .._errors import OsError
from .beneath import Root
from .contents import Contents
from .fstab import Entry, Filesystem, named, parse_fstab, root_of
from .mount import Access, lend, mount, mounts_at, unmount

_ESP_FOLDERS = ("/boot/efi", "/efi")
_OF_THE_KERNEL = ("/dev", "/proc", "/sys")
_WINDOWS = "ntfs"


@dataclass(frozen=True)
class Mounted:
    """A filesystem in its place.

    :ivar path: as the deployed system sees it.
    :ivar source: partition or logical volume.
    """

    path: str
    source: str
    type: str
    subvolume: str | None = None


@dataclass(frozen=True)
class Skipped:
    """An entry of the fstab that is not mounted, and why."""

    path: str
    source: str
    reason: str


@dataclass
class Assembly:
    """What is mounted, and what is not."""

    root: Root
    mounts: list[Mounted]
    skipped: list[Skipped]


def objection(contents: Contents, filesystem: Filesystem) -> str | None:
    """Why a system with this root must not be written to."""
    if contents.hibernated:
        return contents.hibernated
    if filesystem.type == _WINDOWS and (why := health.problem(filesystem.device, _WINDOWS)):
        return f"{filesystem.title} of {contents.disk.path} ({_WINDOWS}) must not be written to: {why}."
    return None


def mount_root(contents: Contents, filesystem: Filesystem, subvolume: str | None, folder: str, access: Access) -> Root:
    """The root filesystem alone.

    :raises OsError: it cannot be mounted, or must not be written to.
    """
    if access.writable and (why := objection(contents, filesystem)):
        raise OsError(why, disk=contents.disk.path)
    mount(contents.disk.path, filesystem, folder, access, subvolume)
    return Root(folder, windows=filesystem.type == _WINDOWS)


def mount_tree(
    contents: Contents,
    filesystem: Filesystem,
    subvolume: str | None,
    folder: str,
    access: Access,
    only: t.Container[str] | None = None,
) -> Assembly:
    """The root filesystem, and in it what its fstab names on the same disk.

    :param only: of what the fstab names.
    :raises OsError: something cannot be mounted that the system needs; nothing stays mounted then.
    """
    root = mount_root(contents, filesystem, subvolume, folder, access)
    tree = Assembly(root, [Mounted("/", filesystem.place, filesystem.type, subvolume)], [])
    try:
        text = (root.read("/etc/fstab") or b"").decode("utf-8", "replace")
        entries = parse_fstab(text)
        if only is None:
            entries += _unnamed_esp(contents, entries, root)
        for entry in entries:
            if only is None or entry.path in only:
                found = named(entry.source, contents.filesystems, (root_of(text), filesystem))
                _mount_entry(contents, tree, entry, found, access)
        if access is Access.RUN:
            for path in _OF_THE_KERNEL:
                lend(_place(tree, path, make=True), path)
    except BaseException:
        unmount(folder)
        raise
    return tree


def _mount_entry(contents: Contents, tree: Assembly, entry: Entry, found: Filesystem | None, access: Access) -> None:
    why = _reason_to_skip(contents, tree, entry, found, access)
    if found is None or why:
        tree.skipped.append(Skipped(entry.path, entry.source, why))
        return
    try:
        place = _place(tree, entry.path, make=access.writable)
        mount(contents.disk.path, found, place, access, entry.subvolume)
    except OsError as error:
        if not entry.optional:
            raise
        tree.skipped.append(Skipped(entry.path, entry.source, error.message))
    else:
        tree.mounts.append(Mounted(entry.path, found.place, found.type, entry.subvolume))


def _reason_to_skip(contents: Contents, tree: Assembly, entry: Entry, found: Filesystem | None, access: Access) -> str:
    """Empty, where there is none.

    :raises OsError: the system needs it, and it may be where nobody can look.
    """
    if found is None:
        if contents.closed and not entry.optional:
            raise OsError(
                f"{entry.path} of the system on {contents.disk.path} is {entry.source}, which is not to be found. "
                f"{' '.join(contents.closed)}",
                disk=contents.disk.path,
            )
        return "It is on no filesystem of this disk that can be mounted."
    if found.type == _WINDOWS:
        return "It is of a Windows."
    if not access.writable and not tree.root.exists(entry.path):
        return "There is no folder for it; it would be made."
    return ""


def _place(tree: Assembly, path: str, make: bool) -> str:
    """The folder to mount something in, where links of the system do not lead elsewhere."""
    place = tree.root.place(path, make)
    if place is None or place in mounts_at(tree.root.path):
        raise OsError(f"{path} of the deployed system is, or leads to, what is mounted already.", path=path)
    return place


def _unnamed_esp(contents: Contents, entries: list[Entry], root: Root) -> list[Entry]:
    """A system that finds its boot partition by its type has no entry for it."""
    for filesystem in contents.filesystems:
        meant = [named(entry.source, contents.filesystems, ("", filesystem)) for entry in entries]
        if filesystem.esp and filesystem not in meant and filesystem.part_uuid:
            folders = [path for path in _ESP_FOLDERS if root.names(path) == [] and root.exists(path)]
            return [Entry(f"PARTUUID={filesystem.part_uuid}", path, "vfat", optional=True) for path in folders[:1]]
    return []
