# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Is a filesystem fit to be captured?

A filesystem that was not unmounted cleanly has changes in its journal only. Its bitmap of used blocks, which
tells what is captured, does not know of them: the image would lack blocks that the journal's replay, on the
first mount of every clone, then refers to. So it must be clean, or be taken whole.
"""

from __future__ import annotations

import re
import typing as t

from .._run import run

_HFSPLUS_HEADER = 1024
_HFSPLUS_UNMOUNTED = 1 << 8
_HFSPLUS_INCONSISTENT = 1 << 11
_CLEANLY = "Start it once and shut it down properly"
_WINDOWS = "Start Windows, turn off Fast Startup (powercfg /h off), and shut it down with 'shutdown /s /t 0'"


def problem(device: str, kind: str) -> str | None:
    """Why this filesystem must not be captured by its used blocks, and what to do; None when it may be.

    :param device: a device or file that holds just the volume.
    :param kind: what blkid calls it.
    """
    check = _CHECKS.get(kind)
    return check(device) if check else None


def remark(device: str, kind: str) -> str | None:
    """What is worth knowing of a filesystem that may be captured all the same."""
    if kind == "vfat" and "Dirty bit is set" in run(["fsck.vfat", "-n", device], ok=range(256)).stdout:
        return "it was not unmounted cleanly; its dirty mark is in the image"
    return None


def ext_problem(text: str) -> str | None:
    """Judge the output of ``dumpe2fs -h``."""
    state = _field(text, "Filesystem state")
    if "needs_recovery" in (_field(text, "Filesystem features") or "").split():
        return f"its journal has not been replayed. {_CLEANLY}, or run e2fsck on it"
    if state != "clean":
        return f"its state is '{state}'. Run e2fsck on it"
    return None


def xfs_problem(text: str) -> str | None:
    """Judge the output of ``xfs_logprint -t``."""
    if re.search(r"state: <CLEAN>", text):
        return None
    return f"its log has not been replayed. {_CLEANLY}, or mount and unmount it"


def btrfs_problem(text: str) -> str | None:
    """Judge the output of ``btrfs inspect-internal dump-super``."""
    if _number(text, "log_root") != 0:
        return f"its log has not been replayed. {_CLEANLY}, or mount and unmount it"
    if _number(text, "num_devices") != 1:
        return "it spans several devices. Capture it as files, or remove the other devices from it"
    return None


def f2fs_problem(text: str) -> str | None:
    """Judge the output of ``dump.f2fs``."""
    found = re.search(r"checkpoint state = \w+ *: *(.*)", text)
    state = found[1].split() if found else []
    if {"error", "fsck"} & set(state):
        return "it has errors. Run fsck.f2fs on it"
    if "unmount" not in state:
        return f"it was not unmounted cleanly. {_CLEANLY}, or mount and unmount it"
    return None


def hfsplus_problem(header: bytes) -> str | None:
    """Judge the volume header."""
    if header[:2] == b"BD":
        return "it lies inside an HFS, as Mac OS 9 wanted it. Capture it as files"
    attributes = int.from_bytes(header[4:8], "big")
    if attributes & (_HFSPLUS_UNMOUNTED | _HFSPLUS_INCONSISTENT) != _HFSPLUS_UNMOUNTED:
        return f"it was not unmounted cleanly. {_CLEANLY}, or let Disk Utility in macOS or fsck.hfsplus repair it"
    return None


def ntfs_problem(probe: int, info: str) -> str | None:
    """Judge the exit code of ``ntfs-3g.probe --readwrite`` and the output of ``ntfsinfo -m``."""
    if probe == 14:
        return f"Windows is hibernated, or was shut down with Fast Startup. {_WINDOWS}"
    if probe == 15:
        return f"its journal has not been replayed. {_WINDOWS}"
    if probe != 0:
        return f"it is damaged (ntfs-3g.probe says {probe}). Run 'chkdsk /f' on it in Windows"
    flags = re.search(r"Volume Flags: (0x[0-9A-Fa-f]+)", info)
    if not flags:
        return "ntfsinfo cannot read it. Run 'chkdsk /f' on it in Windows"
    if int(flags[1], 16) & 1:
        return f"it is marked dirty. Run 'chkdsk /f' on it in Windows. {_WINDOWS}"
    return None


def _field(text: str, name: str) -> str | None:
    found = re.search(rf"^{name}:\s*(.*?)\s*$", text, re.MULTILINE)
    return found[1] if found else None


def _number(text: str, name: str) -> int | None:
    found = re.search(rf"^{name}\s+(\d+)\s*$", text, re.MULTILINE)
    return int(found[1]) if found else None


def _ext(device: str) -> str | None:
    return ext_problem(run(["dumpe2fs", "-h", device], ok=range(256)).stdout)


def _xfs(device: str) -> str | None:
    return xfs_problem(run(["xfs_logprint", "-t", device], ok=range(256)).stdout)


def _btrfs(device: str) -> str | None:
    return btrfs_problem(run(["btrfs", "inspect-internal", "dump-super", device], ok=range(256)).stdout)


def _f2fs(device: str) -> str | None:
    return f2fs_problem(run(["dump.f2fs", device], ok=range(256)).stdout)


def _hfsplus(device: str) -> str | None:
    with open(device, "rb") as file:
        file.seek(_HFSPLUS_HEADER)
        return hfsplus_problem(file.read(8))


def _ntfs(device: str) -> str | None:
    probe = run(["ntfs-3g.probe", "--readwrite", device], ok=range(256)).rc
    info = run(["ntfsinfo", "--force", "--mft", device], ok=range(256)).stdout
    return ntfs_problem(probe, info)


def _bitlocker(_device: str) -> str:
    return "it is encrypted with BitLocker. Turn BitLocker off in Windows and wait until it has decrypted"


def _hibernated_linux(_device: str) -> str:
    return f"it holds a hibernated Linux, whose filesystems are not unmounted. {_CLEANLY}"


_CHECKS: dict[str, t.Callable[[str], str | None]] = {
    "BitLocker": _bitlocker,
    "btrfs": _btrfs,
    "ext2": _ext,
    "ext3": _ext,
    "ext4": _ext,
    "f2fs": _f2fs,
    "hfsplus": _hfsplus,
    "ntfs": _ntfs,
    "swsuspend": _hibernated_linux,
    "xfs": _xfs,
}
