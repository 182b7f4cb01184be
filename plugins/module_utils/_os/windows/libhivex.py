# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Registry hives, through the C library libhivex.

Not through its program hivexsh, which replaces all values of a key by those it is told, and shows strings as text only:
what lies behind the text, as in many real values, would be lost. Not through its Python binding, which exists for the
system's own Python alone, and not for that of the role tools.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import multiprocessing
import os
import typing as t
from multiprocessing.connection import Connection

from ..._errors import LibraryMissing, OsError
from .values import Value

_NAME = "libhivex.so.0"
_PATIENCE = 120.0  # seconds; the largest hives take two
_OPEN_WRITE = 4
# Windows keeps what is longer in several pieces, and takes one piece for a list of them. The library writes one.
_LONGEST = 16344
_CONTROL_SET = "CurrentControlSet"

Values = t.Dict[str, Value]  # noqa: UP006  # evaluated at run time
_T = t.TypeVar("_T")


class _Setting(ctypes.Structure):
    _fields_ = (
        ("key", ctypes.c_char_p),
        ("kind", ctypes.c_int),
        ("length", ctypes.c_size_t),
        ("data", ctypes.c_char_p),
    )


_HANDLE, _NODE, _TEXT, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int
_FUNCTIONS: dict[str, tuple[t.Any, tuple[t.Any, ...]]] = {
    "hivex_open": (_HANDLE, (_TEXT, _INT)),
    "hivex_root": (_NODE, (_HANDLE,)),
    "hivex_node_get_child": (_NODE, (_HANDLE, _NODE, _TEXT)),
    "hivex_node_children": (ctypes.POINTER(_NODE), (_HANDLE, _NODE)),
    "hivex_node_add_child": (_NODE, (_HANDLE, _NODE, _TEXT)),
    "hivex_node_values": (ctypes.POINTER(_NODE), (_HANDLE, _NODE)),
    "hivex_value_key": (_TEXT, (_HANDLE, _NODE)),
    "hivex_value_value": (_HANDLE, (_HANDLE, _NODE, ctypes.POINTER(_INT), ctypes.POINTER(ctypes.c_size_t))),
    "hivex_node_set_values": (_INT, (_HANDLE, _NODE, ctypes.c_size_t, ctypes.POINTER(_Setting), _INT)),
    "hivex_commit": (_INT, (_HANDLE, _TEXT, _INT)),
}


@functools.cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_NAME, use_errno=True)
    except OSError as error:
        raise LibraryMissing(
            f"The library {_NAME} is not installed on this machine. Install the package 'libhivex0', or run the role "
            "golden.fleet.tools.",
            library=_NAME,
        ) from error
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def apart(work: t.Callable[[], _T]) -> _T:
    """Do work on a hive in a process of its own: a damaged one may crash the library, or keep it busy for ever.

    What the library allocates is given back by the end of that process.

    :raises OsError: it crashed, or did not end.
    """
    _library()  # that it is missing is better said here
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_do, args=(work, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(_PATIENCE):
            raise OsError("it takes too long")
        result, error = ours.recv()
    except EOFError:
        raise OsError("libhivex crashed, so it is damaged") from None
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
    if error:
        raise OsError(error)
    return t.cast(_T, result)


def _do(work: t.Callable[[], t.Any], answer: Connection) -> None:
    try:
        answer.send((work(), ""))
    except OsError as error:
        answer.send((None, error.message))


class Hive:
    """An open hive. To be used apart() only.

    :raises OsError: by all methods, with a reason and no place.
    """

    def __init__(self, path: str, writable: bool = False) -> None:
        self._library = _library()
        self._handle = self._need("hivex_open", os.fsencode(path), _OPEN_WRITE if writable else 0)

    def key(self, path: str, make: bool = False) -> int | None:
        """The node of a key, whose name has backslashes; None if there is none. CurrentControlSet is the last one."""
        node = self._need("hivex_root", self._handle)
        for part in self._parts(path):
            name = part.encode("utf-8")
            ctypes.set_errno(0)
            found = self._library.hivex_node_get_child(self._handle, node, name)
            if not found and ctypes.get_errno():
                raise self._reason()
            if not found and not make:
                return None
            node = found or self._need("hivex_node_add_child", self._handle, node, name)
        return int(node)

    def beneath(self, node: int) -> t.Iterator[int]:
        """This key and all in it."""
        yield node
        for child in _listed(self._need("hivex_node_children", self._handle, node)):
            yield from self.beneath(child)

    def values(self, node: int) -> Values:
        """All values of a key, the default one under an empty name."""
        found = {}
        for handle in _listed(self._need("hivex_node_values", self._handle, node)):
            kind, length = ctypes.c_int(), ctypes.c_size_t()
            data = self._need("hivex_value_value", self._handle, handle, ctypes.byref(kind), ctypes.byref(length))
            name = self._need("hivex_value_key", self._handle, handle)
            found[name.decode("utf-8")] = Value(kind.value, ctypes.string_at(data, length.value))
        return found

    def set_values(self, node: int, values: Values) -> None:
        """In the place of all that the key has."""
        if any(len(value.data) > _LONGEST for value in values.values()):
            raise OsError(f"a key with a value of more than {_LONGEST} bytes cannot be changed")
        settings = (_Setting * len(values))(
            *(_Setting(name.encode("utf-8"), each.kind, len(each.data), each.data) for name, each in values.items())
        )
        if self._library.hivex_node_set_values(self._handle, node, len(values), settings, 0):
            raise self._reason()

    def commit(self, path: str) -> None:
        """Write it to a file."""
        if self._library.hivex_commit(self._handle, os.fsencode(path), 0):
            raise self._reason()

    def _parts(self, path: str) -> list[str]:
        parts = [part for part in path.split("\\") if part]
        if parts and parts[0].casefold() == _CONTROL_SET.casefold():
            parts[0] = self._control_set()
        return parts

    def _control_set(self) -> str:
        node = self.key("Select")
        current = self.values(node).get("Current") if node else None
        if current is None or len(current.data) != 4:
            raise OsError("it does not say which control set is current")
        return f"ControlSet{int.from_bytes(current.data, 'little'):03d}"

    def _need(self, name: str, *arguments: t.Any) -> t.Any:
        found = getattr(self._library, name)(*arguments)
        if not found and found != b"":  # an empty name is one
            raise self._reason()
        return found

    @staticmethod
    def _reason() -> OsError:
        return OsError(f"{os.strerror(ctypes.get_errno())}, says libhivex")


def _listed(handles: t.Any) -> t.Iterator[int]:
    return itertools.takewhile(bool, (handles[index] for index in itertools.count()))
