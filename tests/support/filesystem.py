# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small real filesystems, to run full or to be read-only."""

from __future__ import annotations

import contextlib
import subprocess
import time
import typing as t
from pathlib import Path


@contextlib.contextmanager
def mounted_ext4(folder: Path, size: int) -> t.Iterator[Path]:
    """A new ext4 of so many bytes, mounted in folder; gone afterwards."""
    image = folder / "filesystem.img"
    mountpoint = folder / "mnt"
    mountpoint.mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(size)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    _run("mount", "-o", "loop", str(image), str(mountpoint))
    try:
        yield mountpoint
    finally:
        _run("umount", str(mountpoint))
        image.unlink()


@contextlib.contextmanager
def read_only(mountpoint: Path) -> t.Iterator[None]:
    """The filesystem mounted there takes no writes meanwhile."""
    _remount_read_only(mountpoint)
    try:
        yield
    finally:
        _run("mount", "-o", "remount,rw", str(mountpoint))


def _remount_read_only(mountpoint: Path) -> None:
    """Whoever served there has answered, but may be about to close its files: then it is busy for a moment more."""
    command = ("mount", "-o", "remount,ro", str(mountpoint))
    for _attempt in range(50):
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    _run(*command)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
