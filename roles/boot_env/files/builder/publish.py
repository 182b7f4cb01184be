# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where machines get a boot environment from: a folder for each, and a link to the one that counts."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

CURRENT = "current"
_OLD = 2  # machines may be about to fetch one that was current a moment ago
_ARRIVING = ".new-"


def publish(source: Path, root: Path, digest: str) -> bool:
    """Make a complete folder the current one. Whoever looks meanwhile finds the old one, or the new.

    :returns: whether that changed anything.
    """
    root.mkdir(parents=True, exist_ok=True)
    target = root / digest
    link = root / CURRENT
    if not target.exists():
        arriving = root / f"{_ARRIVING}{digest}"
        shutil.rmtree(arriving, ignore_errors=True)
        shutil.copytree(source, arriving)
        _make_readable(arriving)
        arriving.rename(target)
    if link.is_symlink() and os.readlink(link) == digest:
        return False
    os.utime(target, (time.time(), time.time()))
    draft = root / f"{_ARRIVING}{CURRENT}"
    draft.unlink(missing_ok=True)
    draft.symlink_to(digest)
    draft.replace(link)
    _sweep(root, digest)
    return True


def is_current(root: Path, digest: str) -> bool:
    return (root / digest).exists() and os.path.realpath(root / CURRENT) == os.path.realpath(root / digest)


def _make_readable(folder: Path) -> None:
    """For the servers, whatever this program's umask."""
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)


def _sweep(root: Path, digest: str) -> None:
    others = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink() and path.name != digest]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[:-_OLD]:
        shutil.rmtree(path)
