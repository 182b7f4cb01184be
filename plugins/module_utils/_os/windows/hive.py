# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The registry of a Windows that does not run: values in its hives, read and changed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import struct
import typing as t
from dataclasses import dataclass
from functools import partial

from ..._errors import OsError, UsageError
from ..beneath import Root
from ..ntfs_names import folded
from .libhivex import Hive, Values, apart
from .values import Value, shown

_CONFIG = "/Windows/System32/config"
PLACES: t.Final = {
    **{name: f"{_CONFIG}/{name}" for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY", "DEFAULT")},
    "NTUSER": "/Users/Default/NTUSER.DAT",
}
_LARGEST = 1 << 30
_HEADER = 4096
_NO_NAME = re.compile("[\0\ud800-\udfff]")
_LONGEST_KEY, _LONGEST_NAME = 255, 16383
_ABOVE = re.compile(r"HK(?:LM|CU|CR|U|CC|EY_[A-Z_]+):?", re.IGNORECASE)


@dataclass(frozen=True)
class Edit:
    """One value as it shall be.

    :ivar key: such as ``ControlSet001\\Control``; CurrentControlSet is the one that Windows would take.
    :ivar name: empty: the default value.
    :ivar value: None: there shall be no such value.
    """

    key: str
    name: str
    value: Value | None


def check_names(key: str, name: str) -> None:
    """:raises UsageError: the key or the value cannot be called so."""
    parts = [part for part in key.split("\\") if part]
    if parts and _ABOVE.fullmatch(parts[0]):
        raise UsageError(rf"The path {key!r} begins at the top of the hive: leave {parts[0]}, and the hive, out of it.")
    if not parts or any(_NO_NAME.search(part) or len(part) > _LONGEST_KEY for part in parts):
        raise UsageError(f"{key[:80]!r} is no name of a key.")
    if _NO_NAME.search(name) or len(name) > _LONGEST_NAME:
        raise UsageError(f"{name[:80]!r} is no name of a value.")


def read_value(root: Root, hive: str, key: str, name: str) -> Value | None:
    """One value; None if there is none.

    :raises OsError: the hive is missing, unclean or damaged. So with all others here.
    """
    (values,) = read_keys(root, hive, key)
    return _named(values or {}, name)[1]


def read_keys(root: Root, hive: str, *keys: str) -> list[Values | None]:
    """All values of each key; None for a key that does not exist."""
    with _copied(root, hive) as copy:
        return _work(PLACES[hive], partial(_look, _path(copy), keys))


def binaries(data: bytes, place: str, key: str) -> list[bytes]:
    """All values without a type beneath a key, of any hive.

    :param place: what messages call it.
    """
    with os.fdopen(os.memfd_create("hive"), "w+b") as copy:
        copy.write(data)
        copy.flush()
        _refuse_unclean(data[:_HEADER], place)
        return t.cast("list[bytes]", _work(place, partial(_gather, _path(copy), key)))


def change(root: Root, hive: str, edits: t.Sequence[Edit], check: bool) -> dict[str, t.Any]:
    """Make values as they shall be. The hive is replaced as a whole, or stays as it is.

    :returns: changed, diff.
    """
    with _copied(root, hive) as copy:
        before = _work(PLACES[hive], partial(_alter, _path(copy), edits, commit=not check))
        changed = any(old != edit.value for edit, old in zip(edits, before))
        if changed and not check:
            copy.seek(0)
            root.put(PLACES[hive], copy, keep=True)
    return {"changed": changed, "diff": _diff(edits, before)}


def _diff(edits: t.Sequence[Edit], before: t.Sequence[Value | None]) -> dict[str, t.Any]:
    names = [f"{edit.key}\\{edit.name or '@'}" for edit in edits]
    after = [edit.value for edit in edits]
    sides = {"before": before, "after": after}
    return {side: {name: shown(value) for name, value in zip(names, sides[side]) if value} for side in sides}


@contextlib.contextmanager
def _copied(root: Root, hive: str) -> t.Iterator[t.BinaryIO]:
    """The hive, copied to memory: what is in it belongs on no other disk."""
    place = PLACES[hive]
    with os.fdopen(os.memfd_create("hive"), "w+b") as copy:
        with root.opened(place) as file:
            if file is None:
                raise OsError(f"There is no {place} in the deployed system.", path=place)
            if os.fstat(file.fileno()).st_size > _LARGEST:
                raise OsError(f"{place} of the deployed system is too large for a registry hive.", path=place)
            shutil.copyfileobj(file, copy)
        copy.flush()
        copy.seek(0)
        _refuse_unclean(copy.read(_HEADER), place)
        yield copy


def _refuse_unclean(header: bytes, place: str) -> None:
    if len(header) < _HEADER or not header.startswith(b"regf"):
        raise OsError(f"{place} of the deployed system is no registry hive.", path=place)
    begun, done = struct.unpack_from("<II", header, 4)
    if begun != done:
        raise OsError(
            f"{place} of the deployed system is not clean: its last changes are in its log, which only Windows can "
            "read. Let the reference computer start once more, shut it down, and capture it again.",
            path=place,
        )


def _work(place: str, work: t.Callable[[], t.Any]) -> t.Any:
    try:
        return apart(work)
    except OsError as error:
        raise OsError(f"{place} of the deployed system cannot be used: {error.message}.", path=place) from error


def _path(copy: t.BinaryIO) -> str:
    return f"/proc/self/fd/{copy.fileno()}"


def _look(path: str, keys: t.Sequence[str]) -> list[Values | None]:
    hive = Hive(path)
    nodes = [hive.key(key) for key in keys]
    return [None if node is None else hive.values(node) for node in nodes]


def _gather(path: str, key: str) -> list[bytes]:
    hive = Hive(path)
    node = hive.key(key)
    nodes = hive.beneath(node) if node else iter(())
    return [value.data for each in nodes for value in hive.values(each).values() if value.type == "binary"]


def _alter(path: str, edits: t.Sequence[Edit], commit: bool) -> list[Value | None]:
    """:returns: what was there before each edit."""
    hive = Hive(path, writable=True)
    before = [_edit(hive, edit) for edit in edits]
    if commit and before != [edit.value for edit in edits]:
        hive.commit(path)
    return before


def _edit(hive: Hive, edit: Edit) -> Value | None:
    node = hive.key(edit.key, make=edit.value is not None)
    if node is None:
        return None
    values = hive.values(node)
    name, before = _named(values, edit.name)
    if before != edit.value:
        values.pop(name, None)
        hive.set_values(node, values if edit.value is None else {**values, name: edit.value})
    return before


def _named(values: Values, name: str) -> tuple[str, Value | None]:
    """A value, and its name as the key has it: Windows does not mind its case."""
    for stored, value in values.items():
        if folded(stored) == folded(name):
            return stored, value
    return name, None
