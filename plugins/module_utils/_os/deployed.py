# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A deployed system that stays mounted, and surely is unmounted again."""

from __future__ import annotations

import os
import typing as t
from dataclasses import asdict, dataclass

from .._disk.facts import read_disk
from .._disk.firmware import boots_with
from .._disk.model import Disk
from .._disk.select import DiskHint, mismatches, select
from .._errors import DiskError, OsError, UsageError
from .assembly import Assembly, mount_tree, objection
from .contents import Contents, opened
from .find import System, find_system
from .mount import Access, mounts_at
from .record import Record, for_a_while, leftovers, new_record, record_of
from .tree import LINUX, WINDOWS, open_tree
from .windows import facts as windows

_BOOT_CODE = 440  # bytes


@dataclass(frozen=True)
class MountRequest:
    """What shall be mounted.

    :ivar root: where.
    :ivar partition: place of the system, where there are several.
    :ivar execute: its programs shall run.
    """

    hint: DiskHint
    root: str
    partition: str | None = None
    execute: bool = False
    check: bool = False


def probe(request: MountRequest) -> dict[str, t.Any]:
    """What is there to be mounted; nothing stays mounted.

    :returns: changed, root, disk, partition, family, release, windows, firmware, objection, mounts, skipped.
    """
    kept = record_of(_real(request.root))
    if kept and _is_complete(kept):
        _check_disk(kept, request)
        return {"changed": False, **_facts(kept)}
    disk = select(request.hint)
    system = find_system(disk, request.partition)
    with for_a_while(disk.path) as kept, opened(disk, kept) as contents:
        filesystem = contents.filesystem(system.place)
        assembly = mount_tree(contents, filesystem, system.subvolume, kept.folder, Access.LOOK)
        kept.details = {**_details(request, system, contents, assembly), "objection": objection(contents, filesystem)}
        return {"changed": False, **_facts(kept), "root": request.root}


def ensure_mounted(request: MountRequest) -> dict[str, t.Any]:
    """All of the system, beneath the root.

    :returns: as probe(), and diff.
    """
    root = _real(request.root)
    kept = record_of(root)
    before = _paths(kept)
    if kept and _is_complete(kept):
        _check_disk(kept, request)
        if kept.details["asked"] == _asked(request):
            return {"changed": False, **_facts(kept), "diff": _diff(before, before)}
    if kept is None:
        _check_folder(root)
    if request.check:
        return _would_mount(request, kept)
    for each in ([kept] if kept else []) + leftovers():
        each.undo()
    kept = _mount(request, root)
    return {"changed": True, **_facts(kept), "diff": _diff(before, _paths(kept))}


def ensure_unmounted(root: str, check: bool) -> dict[str, t.Any]:
    """Nothing of a disk is mounted there, nor where this was interrupted.

    :returns: changed, root, disk, diff.
    """
    real = _real(root)
    kept = record_of(real)
    if kept is None and mounts_at(real):
        raise OsError(
            f"What is mounted at {root} was not mounted by golden.fleet.os_mount. Whoever has, must unmount it.",
            path=root,
        )
    found = ([kept] if kept else []) + leftovers()
    for each in found if not check else []:
        each.undo()
    disk = kept.disk if kept else None
    return {"changed": bool(found), "root": root, "disk": disk, "diff": _diff(_paths(kept), [])}


def _mount(request: MountRequest, root: str) -> Record:
    disk = select(request.hint)
    system = find_system(disk, request.partition)
    _check_family(request, system, disk)
    access = Access.RUN if request.execute else Access.WRITE
    kept = new_record(root, disk.path, made=not os.path.isdir(root))
    kept.save()
    try:
        os.makedirs(root, 0o700, exist_ok=True)
        with opened(disk, kept, writable=True) as contents:
            assembly = mount_tree(contents, contents.filesystem(system.place), system.subvolume, root, access)
            kept.details = {**_details(request, system, contents, assembly), "points": mounts_at(root)}
            kept.save()
        open_tree(root)  # what its fstab names may hide what makes it one
    except BaseException:
        kept.undo()
        raise
    return kept


def _would_mount(request: MountRequest, kept: Record | None) -> dict[str, t.Any]:
    """What mounting would do. What is left of an interrupted one is in the way of knowing more."""
    if kept:
        known = _facts(kept) if _is_complete(kept) else {"root": kept.folder, "disk": kept.disk}
        return {**known, "changed": True, "diff": _diff(_paths(kept), _paths(kept))}
    found = probe(request)
    if found["objection"]:
        raise OsError(found["objection"], disk=found["disk"])
    return {**found, "changed": True, "diff": _diff([], [each["path"] for each in found["mounts"]])}


def _real(root: str) -> str:
    real = os.path.realpath(root)
    if real == "/":
        raise UsageError("root: / is the system that runs; the deployed one needs a folder of its own.")
    return real


def _check_folder(root: str) -> None:
    if mounts_at(root):
        raise OsError(f"Something is mounted at {root}, or beneath. Unmount it, or choose another root.", path=root)
    if os.path.lexists(root) and (not os.path.isdir(root) or os.listdir(root)):
        raise OsError(f"{root} is no empty folder. Choose another root.", path=root)


def _check_family(request: MountRequest, system: System, disk: Disk) -> None:
    if request.execute and system.family != LINUX:
        raise OsError(f"exec is for Linux; on {disk.path} is a {system.family.capitalize()}.", disk=disk.path)


def _check_disk(kept: Record, request: MountRequest) -> None:
    wrong = mismatches(request.hint, read_disk(kept.disk))
    if wrong:
        raise OsError(
            f"At {kept.folder}, {kept.disk} is mounted, which is not the disk that is meant: {', '.join(wrong)}. "
            "Unmount it first, with state: unmounted.",
            disk=kept.disk,
        )


def _is_complete(kept: Record) -> bool:
    """All that was mounted still is, from the disk that still is there."""
    try:
        device = read_disk(kept.disk).device
    except DiskError:
        return False
    return kept.details.get("device") == device and kept.details.get("points") == mounts_at(kept.folder)


def _asked(request: MountRequest) -> dict[str, t.Any]:
    return {"partition": request.partition, "exec": request.execute}


def _details(request: MountRequest, system: System, contents: Contents, assembly: Assembly) -> dict[str, t.Any]:
    return {
        "asked": _asked(request),
        "device": contents.disk.device,
        "points": [],
        "facts": {
            "disk": contents.disk.path,
            "partition": system.name,
            "firmware": boots_with(contents.table, _has_boot_code(contents.disk)),
            "mounts": [asdict(each) for each in assembly.mounts],
            "skipped": [asdict(each) for each in assembly.skipped],
        },
        "objection": None,
    }


def _facts(kept: Record) -> dict[str, t.Any]:
    """What has been found out, and what is true now, which customizing may have changed."""
    tree = open_tree(kept.folder)
    return {
        **kept.details["facts"],
        "objection": kept.details["objection"],
        "root": kept.folder,
        "family": tree.family,
        "release": tree.release,
        "windows": windows.facts(tree.root) if tree.family == WINDOWS else None,
    }


def _paths(kept: Record | None) -> list[str]:
    return [each["path"] for each in kept.details.get("facts", {}).get("mounts", [])] if kept else []


def _diff(before: list[str], after: list[str]) -> dict[str, t.Any]:
    return {"before": {"mounts": before}, "after": {"mounts": after}}


def _has_boot_code(disk: Disk) -> bool:
    with open(disk.path, "rb") as file:
        return any(file.read(_BOOT_CODE))
