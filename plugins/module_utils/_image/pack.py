# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Packs: many compressed chunks in one file that is named by its digest (docs/image-format.md)."""

from __future__ import annotations

import mmap
import struct
import typing as t

from .._errors import ImageDamaged
from .._store.base import Store
from ._codec import digest, hasher
from .chunks import LARGEST
from .names import pack_key

_MAGIC = b"GFPACK\x00\x01"
_TRAILER = struct.Struct("<QQ32s8s")  # entries, offset of the table, digest of the table, magic
_ENTRY = struct.Struct("<32sI")  # digest of the chunk, length of its frame
TARGET_SIZE = 64 << 20
FIRST_FRAME = len(_MAGIC)
ENTRY_SIZE = _ENTRY.size
OVERHEAD = FIRST_FRAME + _TRAILER.size  # bytes of a pack without any chunk


class Entry(t.NamedTuple):
    """A chunk in a pack."""

    digest: bytes
    offset: int
    length: int


def pack_buffer() -> memoryview:
    """Memory for a PackBuilder; only what is used of it becomes real. Frames of their own would fragment the heap."""
    return memoryview(mmap.mmap(-1, TARGET_SIZE + 2 * LARGEST))


class PackBuilder:
    """Collects frames until there are enough for a pack.

    :param buffer: from pack_buffer(); it may serve one builder after the other. Its own by default.
    """

    def __init__(self, buffer: memoryview | None = None) -> None:
        self.entries: list[Entry] = []
        self.size = 0
        self._buffer = pack_buffer() if buffer is None else buffer
        self._hasher = hasher()
        self._append(_MAGIC)

    @property
    def full(self) -> bool:
        return self.size + len(self.entries) * _ENTRY.size >= TARGET_SIZE

    def add(self, chunk: bytes, frame: bytes) -> Entry:
        """Append the frame of a chunk."""
        entry = Entry(chunk, self.size, len(frame))
        self.entries.append(entry)
        self._append(frame)
        return entry

    def finish(self) -> tuple[str, memoryview]:
        """The pack's name and its bytes; the builder is used up."""
        table_at = self.size
        table = b"".join(_ENTRY.pack(entry.digest, entry.length) for entry in self.entries)
        self._append(table)
        self._append(_TRAILER.pack(len(self.entries), table_at, digest(table), _MAGIC))
        return self._hasher.digest().hex(), self._buffer[: self.size]

    def _append(self, piece: bytes) -> None:
        self._buffer[self.size : self.size + len(piece)] = piece
        self._hasher.update(piece)
        self.size += len(piece)


def read_table(store: Store, name: str) -> list[Entry]:
    """What a pack holds, from its table at the end.

    :raises NotInStore: there is no such pack.
    :raises ImageDamaged: it has no valid table.
    """
    key = pack_key(name)
    size = store.size(key)
    if size < FIRST_FRAME + _TRAILER.size:
        raise ImageDamaged(f"Pack {name} in {store.url} has only {size} bytes.", pack=name)
    trailer_at = size - _TRAILER.size
    count, table_at, table_digest, magic = _TRAILER.unpack(store.read(key, trailer_at, _TRAILER.size))
    if magic != _MAGIC or table_at + count * _ENTRY.size != trailer_at:
        raise ImageDamaged(f"Pack {name} in {store.url} does not end like a pack.", pack=name)
    table = store.read(key, table_at, trailer_at - table_at)
    if digest(table) != table_digest:
        raise ImageDamaged(f"The table of pack {name} in {store.url} is damaged.", pack=name)
    entries = list(_entries(table))
    if FIRST_FRAME + sum(entry.length for entry in entries) != table_at:
        raise ImageDamaged(f"The table of pack {name} in {store.url} does not fit its frames.", pack=name)
    return entries


def _entries(table: bytes) -> t.Iterator[Entry]:
    offset = FIRST_FRAME
    for chunk, length in _ENTRY.iter_unpack(table):
        yield Entry(chunk, offset, length)
        offset += length
