# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Filesystems of a deployed disk, mounted and surely unmounted."""

from __future__ import annotations

import enum
import os
import re
import time
import typing as t
from pathlib import Path

from .._errors import OsError, ToolFailed
from .._run import run
from .fstab import Filesystem

MOUNTABLE = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "ntfs", "vfat"})
_READ_ONLY = {
    "ext3": ("noload",),
    "ext4": ("noload",),
    "xfs": ("nouuid", "norecovery"),
    "btrfs": ("rescue=nologreplay",),
    # An unclean journal or a hibernated Windows: refused, not repaired, because that loses what is in it.
    "ntfs": ("norecover",),
}
_WRITABLE = {"xfs": ("nouuid",), "ntfs": ("norecover",)}
_ALWAYS = {"vfat": ("umask=077",)}  # it has no owners, and may hold secrets of boot loaders
# Programs are woken by udev when something is mounted, and are done in a moment.
_PATIENCE = 5.0
_LOOPS = Path("/sys/block")
_OCTAL = re.compile(rb"\\([0-7]{3})")


class Access(enum.Enum):
    """What may be done with what is mounted.

    What the system on the disk could do to this one, it must not: run, be a device, change who one is. Unless it is
    ``RUN``.
    """

    LOOK = ("ro", "nosuid", "nodev", "noexec", "noatime")
    WRITE = ("rw", "nosuid", "nodev", "noexec", "noatime")
    RUN = ("rw", "noatime")

    @property
    def writable(self) -> bool:
        return self is not Access.LOOK


def mount(disk: str, filesystem: Filesystem, folder: str, access: Access, subvolume: str | None = None) -> None:
    """Mount it there.

    :param disk: what messages call the disk.
    :raises OsError: it cannot be.
    """
    kind = filesystem.type
    name = f"{filesystem.title} of {disk} ({kind})"
    special = (_WRITABLE if access.writable else _READ_ONLY).get(kind, ())
    options = [*access.value, *special, *_ALWAYS.get(kind, ()), *([subvolume] if subvolume else [])]
    program = ["ntfs-3g"] if kind == "ntfs" else ["mount", "--no-canonicalize", "--types", kind]
    try:
        run([*program, "-o", ",".join(options), filesystem.device, folder])
    except ToolFailed as error:
        raise OsError(f"{name} cannot be mounted: {error.message}", disk=disk) from error
    if access.writable and os.statvfs(folder).f_flag & os.ST_RDONLY:
        unmount(folder)
        raise OsError(f"{name} can only be read.", disk=disk)


def lend(folder: str, what: str) -> None:
    """Show a folder of the running system there, too.

    Private, because what is mounted in it would else appear in the running system as well, and be unmounted there.
    """
    run(["mount", "--no-canonicalize", "--options", "bind,private", what, folder])


def unmount(folder: str) -> None:
    """Everything that is mounted there and beneath.

    :raises OsError: a program is using it.
    """
    deadline = time.monotonic() + _PATIENCE
    while there := mounts_at(folder):
        said = run(["umount", "--no-canonicalize", there[-1]], ok=range(256))
        if said.rc == 0:
            continue
        if time.monotonic() > deadline:
            raise OsError(f"{there[-1]} cannot be unmounted: {said.stderr.strip()} {_users(there[-1])}", path=folder)
        time.sleep(0.1)


def wait_until_free(disk: str) -> list[str]:
    """Until our loop devices on a disk are gone: ntfs-3g closes them a moment after it is unmounted, as others do.

    :returns: those that stay.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        held = [folder.parent.name for folder in _LOOPS.glob("loop*/loop") if _is_ours(folder, disk)]
        if not held or time.monotonic() > deadline:
            return held
        time.sleep(0.02)


def mounts_at(folder: str) -> list[str]:
    """Where something is mounted, there and beneath, in the order in which it was."""
    return [each for each in parse_mountinfo(Path("/proc/self/mountinfo").read_bytes()) if _within(each, folder)]


def parse_mountinfo(text: bytes) -> list[str]:
    """The mount points in ``/proc/self/mountinfo``."""
    fields = (line.split(b" ")[4] for line in text.splitlines())
    return [os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), field)) for field in fields]


def _is_ours(loop: Path, disk: str) -> bool:
    """It goes with its last user, and is on this disk."""
    try:
        return (loop / "autoclear").read_text("ascii").strip() == "1" and _backing(loop) == disk
    except OSError:  # it has just gone
        return False


def _backing(loop: Path) -> str:
    return os.fsdecode((loop / "backing_file").read_bytes()).rstrip("\n")


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _users(folder: str) -> str:
    """Who keeps it busy, as far as that can be seen."""
    found = sorted(pid for pid in os.listdir("/proc") if pid.isdigit() and _uses(pid, folder))
    if not found:
        return ""
    return f"In use by {', '.join(f'{_program(pid)} (process {pid})' for pid in found)}: end it first."


def _uses(pid: str, folder: str) -> bool:
    return any(_within(target, folder) for target in _links(Path("/proc", pid)))


def _links(process: Path) -> t.Iterator[str]:
    try:
        for link in (process / "cwd", process / "root", process / "exe", *(process / "fd").iterdir()):
            yield os.readlink(link)
    except OSError:  # it has ended, or is one of the kernel's
        return


def _program(pid: str) -> str:
    try:
        return Path("/proc", pid, "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return "a program"
