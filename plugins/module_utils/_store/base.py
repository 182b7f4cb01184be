# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a store can do. A backend fills in the methods that begin with an underscore."""

from __future__ import annotations

import abc
import re
import secrets
import types
import typing as t
from dataclasses import dataclass

from .._errors import StoreBroken
from .._units import show_size

Buffer = t.Union[bytes, bytearray, memoryview]
AnyStore = t.TypeVar("AnyStore", bound="Store")
Data = t.Union[Buffer, t.Sequence[Buffer]]

# No component begins with a dot: "." and ".." are no names, and nginx does not list hidden files.
_COMPONENT = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,199}")
_LONGEST_KEY = 1000
_DEEPEST = 16  # folders; a server that nests them without end must not keep us busy for ever

# "~" cannot be in a key, so nothing temporary is ever taken for an object.
TEMPORARY = "~tmp-"
_LEFT_BEHIND = 24 * 3600.0  # seconds after which nobody is still writing to it

MOST_AT_ONCE = 256 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """A direct child of a folder."""

    name: str
    folder: bool
    size: int = 0  # bytes; 0 for a folder
    age: float = 0.0  # seconds since it was written, roughly; Store.age() is exact


Entries = list[Entry]  # a class with a method called list cannot say list[...]


class Store(abc.ABC):
    """Objects under keys. Every method may be called from several threads.

    :ivar url: where it is, as the user wrote it, without credentials: for messages.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self: AnyStore) -> AnyStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.close()

    def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """An object, or the piece of it that begins at ``start``: exactly ``length`` bytes, or an error.

        :raises NotInStore: there is no such object.
        :raises StoreBroken: it ends before that.
        """
        check_key(key)
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"cannot read {length} bytes from {start}")
        if length is None and start == 0:
            return self._read_all(key)
        if length is None:
            length = self._rest(key, start)
        self._check_amount(key, length)
        return self._read_range(key, start, length) if length else b""

    def size(self, key: str) -> int:
        """How many bytes an object has.

        :raises NotInStore: there is no such object.
        """
        check_key(key)
        return self._size(key)

    def write(self, key: str, data: Data) -> None:
        """Put an object in the store, in place of one that may be there. Nobody ever sees a part of it."""
        check_key(key)
        self._write(key, buffers(data))

    def create(self, key: str, data: Data) -> None:
        """The same, if there is none yet. Of several who try at the same time exactly one succeeds.

        :raises AlreadyInStore: there is one.
        """
        check_key(key)
        self._create(key, buffers(data))

    def delete(self, key: str) -> None:
        """Take an object out of the store. If there is none, nothing happens.

        A folder is taken away only if it is empty and the store can do that without risk to what
        somebody else puts there at the same time; otherwise it simply stays.
        """
        check_key(key)
        self._delete(key)

    def list(self, prefix: str = "") -> Entries:
        """Direct children of a folder, by name; none where there is no such folder."""
        if prefix:
            check_key(prefix)
        found = (entry for entry in self._children(prefix) if _is_name(entry.name))
        return sorted(found, key=lambda entry: entry.name)

    def age(self, key: str) -> float:
        """Seconds since an object was written, by the store's clock.

        :raises NotInStore: there is no such object.
        """
        check_key(key)
        return self._age(key)

    def sweep(self) -> int:
        """Remove what interrupted writes left behind more than a day ago; returns how many there were."""
        return self._sweep("", 0)

    def close(self) -> None:  # noqa: B027  # a backend that holds nothing open has nothing to do here
        """Let go of connections."""

    def _rest(self, key: str, start: int) -> int:
        size = self._size(key)
        if start > size:
            raise self.too_short(key, start, size)
        return size - start

    def _check_amount(self, key: str, length: int) -> None:
        if length > MOST_AT_ONCE:
            raise StoreBroken(
                f"{key} in {self.url} has {show_size(length)} where at most {show_size(MOST_AT_ONCE)} "
                "can be right. It was not written by this collection, or it is damaged.",
                store=self.url,
                key=key,
            )

    def too_short(self, key: str, needed: int, size: int) -> StoreBroken:
        """The error for an object that ends too early."""
        return StoreBroken(
            f"{key} in {self.url} ends after {size} bytes where at least {needed} were expected: it was "
            "cut off. Check the store with golden.fleet.image_verify; a copy of this file repairs it.",
            store=self.url,
            key=key,
            size=size,
            needed=needed,
        )

    def _sweep(self, folder: str, depth: int) -> int:
        removed = 0
        for entry in self._children(folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(TEMPORARY):
                if entry.age > _LEFT_BEHIND:
                    self._remove_temporary(path + "/" if entry.folder else path)
                    removed += 1
            elif entry.folder and _is_name(entry.name) and depth < _DEEPEST:
                removed += self._sweep(path, depth + 1)
        return removed

    @abc.abstractmethod
    def _read_all(self, key: str) -> bytes: ...

    @abc.abstractmethod
    def _read_range(self, key: str, start: int, length: int) -> bytes: ...

    @abc.abstractmethod
    def _size(self, key: str) -> int: ...

    @abc.abstractmethod
    def _write(self, key: str, data: t.Sequence[memoryview]) -> None: ...

    @abc.abstractmethod
    def _create(self, key: str, data: t.Sequence[memoryview]) -> None: ...

    @abc.abstractmethod
    def _delete(self, key: str) -> None: ...

    @abc.abstractmethod
    def _children(self, folder: str) -> Entries:
        """Everything in a folder, temporary files too; whatever is neither file nor folder is left out."""

    @abc.abstractmethod
    def _age(self, key: str) -> float: ...

    @abc.abstractmethod
    def _remove_temporary(self, path: str) -> None:
        """Take away something temporary; the path of a folder ends with a slash."""


def check_key(key: str) -> str:
    """A key, if it is one. The only place that decides; backends rely on it.

    :raises ValueError: it is not. Keys are made by this collection, so that is a bug, or something hostile.
    """
    if len(key) > _LONGEST_KEY or not all(map(_is_name, key.split("/"))):
        raise ValueError(f"{key[:_LONGEST_KEY]!r} is no key of a store")
    return key


def temporary_key(key: str) -> str:
    """A new name beside an object, for what is to become that object."""
    return f"{key.rpartition('/')[0]}/{TEMPORARY}{secrets.token_hex(16)}".lstrip("/")


def buffers(data: Data) -> list[memoryview]:
    """The pieces of an object, as flat bytes, without copying them; empty ones are left out."""
    pieces = [data] if isinstance(data, (bytes, bytearray, memoryview)) else data
    return [memoryview(piece).cast("B") for piece in pieces if len(piece)]


def _is_name(component: str) -> bool:
    return _COMPONENT.fullmatch(component) is not None
