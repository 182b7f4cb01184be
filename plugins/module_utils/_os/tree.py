# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The tree of files of a deployed operating system, wherever it is mounted."""

from __future__ import annotations

import os
import typing as t

from .._errors import OsError, UsageError
from .beneath import Root
from .probe import parse_os_release

LINUX, WINDOWS = "linux", "windows"
# Some find their partitions by their types, and have no fstab.
_OF_A_LINUX = ("/etc/fstab", "/etc/passwd")


class Tree(t.NamedTuple):
    """An operating system that does not run.

    :ivar family: linux or windows.
    :ivar release: id, version and name from os-release; empty for Windows.
    """

    root: Root
    family: str
    release: dict[str, str]

    def need(self, family: str, what: str) -> None:
        """:raises OsError: it is of the other family."""
        if self.family != family:
            raise OsError(f"{what} is for {family.capitalize()}; at {self.root.path} is a {self.family.capitalize()}.")


def open_tree(path: str) -> Tree:
    """:raises UsageError: this is the running system.
    :raises OsError: there is no operating system.
    """
    if os.path.realpath(path) == "/":
        raise UsageError("/ is the system that runs; this is for one that does not, where os_mount has mounted it.")
    if not os.path.isdir(path):
        raise OsError(f"There is no folder {path}. Mount the deployed system first, with golden.fleet.os_mount.")
    found = identify(Root(path))
    if found is None:
        raise OsError(
            f"There is no operating system at {path}. Mount the deployed one first, with golden.fleet.os_mount."
        )
    return found


def identify(root: Root) -> Tree | None:
    """What system this is the root of."""
    release = root.read("/etc/os-release") or root.read("/usr/lib/os-release")
    if release and any(map(root.exists, _OF_A_LINUX)):
        return Tree(root, LINUX, parse_os_release(release.decode("utf-8", "replace")))
    windows = Root(root.path, windows=True)
    if windows.exists("/Windows/System32/config/SYSTEM"):
        return Tree(windows, WINDOWS, {})
    return None
