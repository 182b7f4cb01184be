# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Driver packages, laid into a Windows that does not run; it installs them when it has been set up."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

from ..._errors import UsageError
from ..beneath import Root
from ..ntfs_names import can_be, folded
from ..tree import Tree
from . import first_boot

_FOLDER = f"{first_boot.FOLDER}/drivers"
_INSTALL = (
    r'pnputil.exe /add-driver "%SystemRoot%\golden.fleet\drivers\*.inf" /subdirs /install',
    "echo golden.fleet: pnputil ended with %errorlevel%",
)
_PIECE = 1 << 20


def apply(tree: Tree, folder: str | None, check: bool) -> dict[str, t.Any]:
    """Lay what is in a folder of this machine into the tree; what was laid there before goes.

    :param folder: with the driver packages, as deep as one likes; None: there shall be none.
    :returns: changed, diff, drivers: their .inf files.
    :raises UsageError: there is no driver package, or something that no Windows can have.
    """
    root = tree.root
    wanted = _packages(Path(folder)) if folder is not None else {}
    before = list(_laid(root))
    stale = [name for name in before if folded(name) not in set(map(folded, wanted))]
    missing = sorted(name for name, source in wanted.items() if not _same(root, name, source))
    started = first_boot.put(tree, first_boot.DRIVERS, _INSTALL if wanted else (), check)
    if not check:
        _lay(root, wanted, stale, missing)
    return {
        "changed": bool(stale or missing or started["changed"]),
        "diff": {"before": {"files": sorted(before)}, "after": {"files": sorted(wanted), "written": missing}},
        "drivers": sorted(name for name in wanted if name.lower().endswith(".inf")),
    }


def _lay(root: Root, wanted: dict[str, Path], stale: list[str], missing: list[str]) -> None:
    if not wanted:
        root.remove_all(_FOLDER)
        return
    for name in stale:
        root.remove(f"{_FOLDER}/{name}")
    for name in missing:
        with wanted[name].open("rb") as source:
            root.put(f"{_FOLDER}/{name}", source)


def _packages(folder: Path) -> dict[str, Path]:
    """All files in there, by their path as the tree shall have it."""
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder} on this machine.")
    found: dict[str, Path] = {}
    for above, folders, files in os.walk(folder):
        for each in (Path(above, name) for name in (*folders, *files)):
            name = each.relative_to(folder).as_posix()
            if not can_be(each.name) or each.is_symlink() or not (each.is_dir() or each.is_file()):
                raise UsageError(f"{each} is nothing that a Windows can have.")
            if each.is_file():
                found[name] = each
    if len(set(map(folded, found))) != len(found):
        raise UsageError(
            f"{folder} has two names that differ in nothing but their case, so a Windows has them not both."
        )
    if not any(name.lower().endswith(".inf") for name in found):
        raise UsageError(f"{folder} has no driver package: none of its files is called *.inf.")
    return found


def _laid(root: Root, below: str = "") -> t.Iterator[str]:
    """Path of each file that is in the tree already."""
    for name in root.names(f"{_FOLDER}/{below}"):
        info = root.info(f"{_FOLDER}/{below}{name}")
        if info and stat.S_ISDIR(info.st_mode):
            yield from _laid(root, f"{below}{name}/")
        else:
            yield f"{below}{name}"


def _same(root: Root, name: str, source: Path) -> bool:
    with root.opened(f"{_FOLDER}/{name}") as there, source.open("rb") as here:
        if there is None or os.fstat(there.fileno()).st_size != os.fstat(here.fileno()).st_size:
            return False
        return all(piece == there.read(_PIECE) for piece in iter(lambda: here.read(_PIECE), b""))
