# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The only place that starts other programs."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass

from ._errors import ToolFailed, ToolMissing

# Where system tools live although PATH of a service or an unprivileged shell may not say so.
_SYSTEM_PATHS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")

PACKAGES = {
    "blkid": "util-linux",
    "btrfs": "btrfs-progs",
    "btrfstune": "btrfs-progs",
    "debugfs": "e2fsprogs",
    "dump.f2fs": "f2fs-tools",
    "dumpe2fs": "e2fsprogs",
    "e2fsck": "e2fsprogs",
    "fatlabel": "dosfstools",
    "losetup": "mount",
    "lsblk": "util-linux",
    "lvs": "lvm2",
    "mcopy": "mtools",
    "mdir": "mtools",
    "mshowfat": "mtools",
    "ntfs-3g.probe": "ntfs-3g",
    "ntfsinfo": "ntfs-3g",
    "ntfslabel": "ntfs-3g",
    "ntfsresize": "ntfs-3g",
    "fsck.vfat": "dosfstools",
    "sfdisk": "fdisk",
    "ssh-keygen": "openssh-client",
    "swaplabel": "util-linux",
    "tune2fs": "e2fsprogs",
    "unshare": "util-linux",
    "umount": "mount",
    "vgchange": "lvm2",
    "vgs": "lvm2",
    "wipefs": "util-linux",
    "xfs_admin": "xfsprogs",
    "xfs_logprint": "xfsprogs",
}
_ON_CONTROLLERS = {
    "kinit": "krb5-user",
    "ldapdelete": "ldap-utils",
    "ldapmodify": "ldap-utils",
    "ldapsearch": "ldap-utils",
    "net": "samba-common-bin",
    "ssh": "openssh-client",
}
# What the role installs.
_BY_ROLE = {"partclone", *PACKAGES.values()}


@dataclass(frozen=True)
class Result:
    """What a program said."""

    rc: int
    stdout: str
    stderr: str


def environment() -> dict[str, str]:
    """The environment for every program: plain English output, system directories on the path, no locks.

    Without what is meant for us alone: a password may be among it.
    """
    path = os.environ.get("PATH", "").split(os.pathsep)
    path += [folder for folder in _SYSTEM_PATHS if folder not in path]
    ours = {
        "PATH": os.pathsep.join(filter(None, path)),
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "C",
        "LOCK_BLOCK_DEVICE": "no",  # util-linux would wait for the lock that we have on the disk
    }
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("GOLDEN_")}
    return {**theirs, **ours}


def package_of(tool: str) -> str:
    """The Debian package that holds a program we use."""
    return "partclone" if tool.startswith("partclone.") else PACKAGES.get(tool, _ON_CONTROLLERS.get(tool, tool))


def need_program(name: str) -> None:
    """:raises ToolMissing: it is not installed."""
    if shutil.which(name, path=environment()["PATH"]) is None:
        raise _missing(name, [name])


def run(
    argv: t.Sequence[str],
    *,
    ok: t.Container[int] = (0,),
    stdin: str | None = None,
    timeout: float | None = None,
    secrets: t.Mapping[str, str] | None = None,
) -> Result:
    """Run a program to its end.

    :param argv: the program and its arguments; never a secret among them.
    :param ok: exit codes that are no failure.
    :param secrets: more environment variables, for this program alone.
    :param timeout: seconds; then the program is killed and ToolFailed raised.
    :raises ToolMissing: the program is not installed.
    :raises ToolFailed: it ended with another exit code, did not end in time, or could not be started.
    """
    cmd = list(argv)
    try:
        done = subprocess.run(
            cmd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**environment(), **(secrets or {})},
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise _missing(cmd[0], cmd) from error
    except OSError as error:
        raise ToolFailed(f"{cmd[0]} cannot be started: {error.strerror}.", cmd=cmd) from error
    except subprocess.TimeoutExpired as error:
        raise ToolFailed(f"{cmd[0]} did not end within {timeout:.0f} s and was stopped.", cmd=cmd) from error
    if done.returncode not in ok:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise ToolFailed(
            f"{cmd[0]} failed with exit code {done.returncode}: {said or 'it said nothing'}",
            cmd=cmd,
            rc=done.returncode,
            stderr=said,
        )
    return Result(done.returncode, done.stdout, done.stderr)


def _missing(name: str, cmd: list[str]) -> ToolMissing:
    package = package_of(name)
    role = ", or run the role golden.fleet.tools" if package in _BY_ROLE else ""
    return ToolMissing(
        f"The program {name} is not installed on this machine. Install the package {package!r}{role}.",
        cmd=cmd,
        package=package,
    )
