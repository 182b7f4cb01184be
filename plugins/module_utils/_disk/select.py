# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which disk is meant: exactly one, or an error that lists the candidates."""

from __future__ import annotations

import fnmatch
import os
import typing as t
from dataclasses import dataclass

from .._errors import DiskInUse, NoDiskMatches, SeveralDisksMatch, UsageError
from .._units import parse_size, show_size
from .facts import list_disks, read_disk
from .model import Disk

_TEXTS = ("path", "by_path", "serial", "wwn", "model", "transport")
_SIZES = ("min_size", "max_size")
_KEYS = (*_TEXTS, *_SIZES, "rotational", "sector_size")
_SECTOR_SIZES = (512, 1024, 2048, 4096)
_WWN_PREFIXES = ("0x", "naa.", "eui.", "nvme.")


@dataclass(frozen=True)
class DiskHint:
    """What a user said about the disk that is meant. Everything that is not None must hold."""

    path: str | None = None
    by_path: str | None = None
    serial: str | None = None
    wwn: str | None = None
    model: str | None = None
    transport: str | None = None
    min_size: int | None = None
    max_size: int | None = None
    rotational: bool | None = None
    sector_size: int | None = None  # only for a plain file named by path

    @property
    def names_one(self) -> bool:
        """Does it name a single disk, rather than describe a kind of disk?"""
        return any((self.path, self.by_path, self.serial, self.wwn))


def parse_hint(value: t.Any) -> DiskHint:
    """What the user wrote for ``disk``: ``auto``, a path, or a dictionary of facts.

    :raises UsageError: it is none of these.
    """
    if value == "auto":
        return DiskHint()
    if isinstance(value, str) and os.path.isabs(value):
        return DiskHint(path=value)
    if not isinstance(value, dict) or not value:
        raise UsageError(
            f"disk: {value!r} names no disk. Write 'auto', an absolute path, or a dictionary with some of: "
            f"{', '.join(_KEYS)}."
        )
    unknown = sorted(set(map(str, value)) - set(_KEYS))
    if unknown:
        raise UsageError(f"disk: unknown keys {', '.join(unknown)}. Known are {', '.join(_KEYS)}.")
    hint = DiskHint(**{key: _parse_fact(key, fact) for key, fact in value.items() if fact is not None})
    if hint == DiskHint():
        raise UsageError("disk: all its keys are empty. Write 'auto' if any single free disk will do.")
    if hint.sector_size and not hint.path:
        raise UsageError("disk: sector_size is for a plain file, so it needs path.")
    return hint


def select(hint: DiskHint, disks: t.Sequence[Disk] | None = None) -> Disk:
    """The one disk that fits.

    :param disks: what to choose from; the disks of this machine unless told.
    :raises NoDiskMatches: none fits.
    :raises SeveralDisksMatch: more than one fits.
    :raises DiskInUse: one fits, but is in use.
    """
    if disks is None:
        disks = [read_disk(hint.path, hint.sector_size)] if hint.path else list_disks()
    fitting = [disk for disk in disks if not mismatches(hint, disk)]
    free = [disk for disk in fitting if not objections(disk, hint.names_one)]
    if len(free) == 1:
        return free[0]
    candidates = [_candidate(hint, disk) for disk in disks]
    listed = "".join(f"\n  {each['text']}" for each in candidates) or " none."
    if free:
        raise SeveralDisksMatch(
            f"{len(free)} disks fit {show_hint(hint)}, and nothing tells which one is meant. Add a serial, "
            f"wwn, model or size to 'disk'. The disks are:{listed}",
            candidates=candidates,
        )
    if len(fitting) == 1 and fitting[0].in_use:
        disk = fitting[0]
        raise DiskInUse(
            f"Disk {describe(disk)} is in use: {'; '.join(disk.in_use)}. Unmount or release it, or boot the "
            "machine into the boot environment.",
            disk=disk.path,
            in_use=list(disk.in_use),
            candidates=candidates,
        )
    raise NoDiskMatches(f"No disk fits {show_hint(hint)}. The disks are:{listed}", candidates=candidates)


def mismatches(hint: DiskHint, disk: Disk) -> list[str]:
    """In what a disk differs from the hint; empty when it fits."""
    wrong = []
    if hint.path and os.path.realpath(hint.path) != os.path.realpath(disk.path):
        wrong.append(f"its path is {disk.path}")
    if hint.by_path and not {hint.by_path, f"/dev/disk/by-path/{hint.by_path}"} & set(disk.links):
        wrong.append("it is connected elsewhere")
    if hint.serial and hint.serial != disk.serial:
        wrong.append(f"its serial is {disk.serial or 'not known'}")
    if hint.wwn and _bare_wwn(hint.wwn) != _bare_wwn(disk.wwn):
        wrong.append(f"its wwn is {disk.wwn or 'not known'}")
    if hint.model and not fnmatch.fnmatchcase((disk.model or "").lower(), hint.model.lower()):
        wrong.append(f"its model is {disk.model or 'not known'}")
    if hint.transport and hint.transport.lower() != (disk.transport or "").lower():
        wrong.append(f"its transport is {disk.transport or 'not known'}")
    if hint.min_size is not None and disk.size < hint.min_size:
        wrong.append(f"it has less than {show_size(hint.min_size)}")
    if hint.max_size is not None and disk.size > hint.max_size:
        wrong.append(f"it has more than {show_size(hint.max_size)}")
    if hint.rotational is not None and hint.rotational != disk.rotational:
        wrong.append("it rotates" if disk.rotational else "it does not rotate")
    return wrong


def objections(disk: Disk, named: bool = False) -> list[str]:
    """Why a disk may not be chosen; empty when it may.

    :param named: the user named this very disk, so that it may also be removable, read-only or no hardware.
    """
    why = list(disk.in_use)
    if named:
        return why
    if disk.removable or disk.transport == "usb":
        why.append("it is removable or on USB, so it must be named by serial, wwn, by_path or path")
    if disk.read_only:
        why.append("it is read-only")
    if disk.kind not in {"disk", "mpath"}:
        why.append(f"it is of kind {disk.kind}, so it must be named by path")
    return why


def describe(disk: Disk) -> str:
    """One disk in one line: path, size, model, serial."""
    maker = " ".join(filter(None, (disk.vendor, disk.model)))
    serial = f"serial {disk.serial}" if disk.serial else ""
    return f"{disk.path} ({', '.join(filter(None, (show_size(disk.size), maker, disk.transport, serial)))})"


def show_hint(hint: DiskHint) -> str:
    """The hint in words."""
    said = [f"{key} {getattr(hint, key)}" for key in _KEYS if getattr(hint, key) is not None]
    return f"disk: {', '.join(said)}" if said else "disk: auto"


def _candidate(hint: DiskHint, disk: Disk) -> dict[str, t.Any]:
    why = mismatches(hint, disk) + objections(disk, hint.names_one)
    return {"path": disk.path, "reasons": why, "text": f"{describe(disk)}: {'; '.join(why) or 'fits'}"}


def _bare_wwn(wwn: str | None) -> str:
    bare = (wwn or "").lower()
    for prefix in _WWN_PREFIXES:
        if bare.startswith(prefix):
            return bare[len(prefix) :]
    return bare


def _parse_fact(key: str, fact: t.Any) -> t.Any:
    if key in _SIZES:
        return parse_size(fact)
    if key == "rotational":
        return _parse_bool(key, fact)
    if key == "sector_size":
        if str(fact) not in map(str, _SECTOR_SIZES):
            raise UsageError(f"disk: sector_size must be one of {_SECTOR_SIZES}, not {fact!r}.")
        return int(fact)
    # A serial of digits only arrives as a number when it is not quoted in YAML, and has lost its zeros.
    if not isinstance(fact, str) or not fact.strip():
        raise UsageError(f"disk: {key} must be text; put it in quotes: {fact!r}.")
    if key == "path" and not os.path.isabs(fact):
        raise UsageError(f"disk: path must be absolute, not {fact!r}.")
    return fact.strip()


def _parse_bool(key: str, fact: t.Any) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False}
    if isinstance(fact, bool):
        return fact
    if str(fact).lower() not in words:
        raise UsageError(f"disk: {key} must be true or false, not {fact!r}.")
    return words[str(fact).lower()]
