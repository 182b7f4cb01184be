# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A volume of a deployed disk, mounted for a while, and surely unmounted."""

from __future__ import annotations

import contextlib
import os
import tempfile
import typing as t

from .._disk.model import Disk, Volume
from .._disk.volumes import device_of
from .._errors import OsError, ToolFailed
from .._run import run
from .beneath import Root

# What the system on the disk could do to this one, it must not: run, be a device, change who one is.
_ALWAYS = ("nosuid", "nodev", "noexec", "noatime")
_READ_ONLY = {
    "ext3": ("noload",),
    "ext4": ("noload",),
    "xfs": ("nouuid", "norecovery"),
    "btrfs": ("rescue=nologreplay",),
}
_WRITABLE = {"xfs": ("nouuid",)}
MOUNTABLE = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "ntfs"})


@contextlib.contextmanager
def mounted(disk: Disk, volume: Volume, writable: bool = False) -> t.Iterator[Root]:
    """The root directory of a volume.

    :raises OsError: it cannot be mounted, or a Windows is hibernated or was not shut down.
    """
    with (
        tempfile.TemporaryDirectory(prefix="golden-os-") as folder,
        device_of(disk, volume.start, volume.size, writable) as device,
    ):
        _mount(disk, volume, device, folder, writable)
        try:
            yield Root(folder, windows=volume.type == "ntfs")
        finally:
            run(["umount", folder])
    if writable:
        _sync(disk)


def _mount(disk: Disk, volume: Volume, device: str, folder: str, writable: bool) -> None:
    options = ["rw" if writable else "ro", *_ALWAYS, *(_WRITABLE if writable else _READ_ONLY).get(volume.type, ())]
    if volume.type == "ntfs":
        # An unclean journal or a hibernated Windows: refused, not repaired, because that loses what is in it.
        argv = ["ntfs-3g", "-o", ",".join([*options, "norecover"]), device, folder]
    else:
        argv = ["mount", "-t", volume.type, "-o", ",".join(options), device, folder]
    try:
        run(argv)
        if writable and os.statvfs(folder).f_flag & os.ST_RDONLY:
            run(["umount", folder])
            raise OsError(
                f"Partition {volume.partition} of {disk.path} ({volume.type}) can only be read.", disk=disk.path
            )
    except ToolFailed as error:
        raise OsError(
            f"Partition {volume.partition} of {disk.path} ({volume.type}) cannot be mounted: {error.message}",
            disk=disk.path,
        ) from error


def _sync(disk: Disk) -> None:
    fd = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
