# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which operating systems lie on a disk, read with userland tools: nothing is mounted."""

from __future__ import annotations

import shlex
import typing as t

from .._disk.model import Disk, Volume
from .._disk.volumes import device_of
from .._errors import GoldenError
from .._run import run

_EXT = {"ext2", "ext3", "ext4"}


def find_systems(disk: Disk, volumes: t.Iterable[Volume]) -> list[dict[str, t.Any]]:
    """One dict for each OS: partition, family (linux, windows), and for Linux id, version, name.

    Systems on other filesystems than ext2/3/4 and NTFS are not looked for.
    """
    return [{"partition": volume.partition, **found} for volume in volumes for found in _look(disk, volume)]


def parse_os_release(text: str) -> dict[str, str]:
    """``os-release`` as a dict of what we keep: id, version, name."""
    keys = {"ID": "id", "VERSION_ID": "version", "PRETTY_NAME": "name"}
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key in keys:
            words = _words(value)
            found[keys[key]] = "".join(char for char in " ".join(words) if char.isprintable())[:200]
    return found


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return []


def _look(disk: Disk, volume: Volume) -> list[dict[str, str]]:
    if volume.type in _EXT and volume.method == "partclone":
        return _linux(disk, volume)
    if volume.type == "ntfs" and volume.method == "partclone":
        return _windows(disk, volume)
    return []


def _linux(disk: Disk, volume: Volume) -> list[dict[str, str]]:
    with device_of(disk, volume.start, volume.size) as device:
        for path in ("/usr/lib/os-release", "/etc/os-release"):
            found = parse_os_release(_said(["debugfs", "-R", f"cat {path}", device]))
            if found.get("id"):
                return [{"family": "linux", **found}]
    return []


def _windows(disk: Disk, volume: Volume) -> list[dict[str, str]]:
    with device_of(disk, volume.start, volume.size) as device:
        if "SYSTEM" in _said(["ntfsls", "-p", "/Windows/System32/config", device]).split():
            return [{"family": "windows"}]
    return []


def _said(argv: list[str]) -> str:
    """What a tool prints; an OS that cannot be read is no reason to fail a capture."""
    try:
        return run(argv, ok=range(256), timeout=60).stdout
    except GoldenError:
        return ""
