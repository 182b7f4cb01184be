# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Brings missing chunks onto a disk: fetch, verify, write, read back."""

from __future__ import annotations

import threading
import typing as t

from .._disk.handle import DiskHandle, aligned_buffer
from .._errors import DiskError, ImageDamaged, NotInStore
from .._progress import Progress
from . import reads as reading
from ._codec import decompressor, digest, inflate
from .chunks import Grid, zero, zero_digest
from .index import Index
from .library import Library
from .locations import Place
from .manifest import Manifest
from .names import pack_key
from .pipeline import PerThread, ordered
from .reads import Read, Wanted, Windows


class ChunkWriter:
    """Writes chunks of one image onto one disk, from several threads.

    :param read_back: read every chunk again after it was written, and compare.
    """

    def __init__(
        self, library: Library, image: Manifest, index: Index, grid: Grid, handle: DiskHandle, read_back: bool
    ) -> None:
        self.bytes = {"fetched": 0, "written": 0, "verified": 0}
        self.chunks = 0  # that were written
        self._library = library
        self._image = image
        self._index = index
        self._grid = grid
        self._handle = handle
        self._read_back = read_back
        self._places = library.locations(image)
        self._zero = zero_digest(grid.chunk_size)
        self._lock = threading.Lock()
        self._buffers = PerThread(lambda: aligned_buffer(grid.chunk_size))
        self._engines = PerThread(decompressor)

    def plan(self, rows: t.Iterable[int], windows: Windows) -> int:
        """How many bytes writing these rows will fetch."""
        return sum(item.end - item.start for item in self._reads(rows, windows))

    def unplaced(self) -> list[int]:
        """Rows with content of which nobody knows where it lies."""
        digests = ((row, self._index.digest(row)) for row in range(len(self._grid)))
        return [row for row, name in digests if name != self._zero and name not in self._places]

    def write(self, rows: t.Iterable[int], threads: int, progress: Progress, windows: Windows) -> int:
        """Write rows of the grid as they come; in the end they are verified, but not yet synced.

        :return: as plan().
        :raises ImageDamaged: the store does not hold what the image needs.
        :raises DiskError: the disk does not keep what was written.
        """
        planned = 0
        for read in ordered(self._bring, self._reads(rows, windows), threads):
            planned += read.end - read.start
            self.chunks += read.rows
            progress.advance(read.rows * self._grid.chunk_size)
        return planned

    def _reads(self, rows: t.Iterable[int], windows: Windows) -> t.Iterator[Read]:
        return reading.reads(self._index, self._places, rows, self._zero, str(self._image.ref), windows)

    def _bring(self, read: Read) -> Read:
        if read.zero_rows:
            buffer = self._buffers.get()
            zero(buffer)
            for row in read.zero_rows:
                self._put(row, buffer)
        elif read.pack is not None:
            self._fill(read, self._fetch(read))
        return read

    def _fill(self, read: Read, data: memoryview) -> None:
        for wanted in read.wanted:
            at = wanted.place.offset - read.start
            content = self._content(wanted, data[at : at + wanted.place.length])
            for row in wanted.rows:
                buffer = self._buffers.get()
                buffer[:] = content
                self._put(row, buffer)

    def _fetch(self, read: Read) -> memoryview:
        """The bytes of a read; empty where the pack is gone, and then each chunk is asked for again."""
        try:
            data = self._library.store.read(pack_key(str(read.pack)), read.start, read.end - read.start)
        except NotInStore:
            return memoryview(b"")
        self._count("fetched", len(data))
        return memoryview(data)

    def _content(self, wanted: Wanted, frame: memoryview) -> bytes:
        """A chunk as it must be; fetched once more, from where it lies now, if it is not."""
        try:
            return self._inflated(wanted, frame)
        except ImageDamaged:
            place = self._current_place(wanted)
            again = Read(place.pack, place.offset, place.offset + place.length)
            return self._inflated(wanted._replace(place=place), self._fetch(again))

    def _inflated(self, wanted: Wanted, frame: memoryview) -> bytes:
        what = f"Chunk {wanted.digest.hex()} of image {self._image.ref} in pack {wanted.place.pack}"
        content = inflate(self._engines.get(), frame, self._grid.chunk_size, what) if frame else b""
        if len(content) != self._grid.chunk_size or digest(content) != wanted.digest:
            raise ImageDamaged(
                f"{what} of {self._library.store.url} is missing or damaged, so nothing of it was written. "
                "golden.fleet.image_verify tells which images that breaks. The disk will not boot until an "
                "apply succeeds.",
                image=str(self._image.ref),
                pack=wanted.place.pack,
            )
        return content

    def _current_place(self, wanted: Wanted) -> Place:
        """Packs may have been rewritten since this apply began: ask where the chunk lies now."""
        with self._lock:
            if self._places.get(wanted.digest) == wanted.place:
                self._places = self._library.locations(self._image)
            return self._places.get(wanted.digest) or wanted.place

    def _put(self, row: int, buffer: memoryview) -> None:
        start = self._grid.start(row)
        view = buffer[: min(self._grid.chunk_size, self._handle.size - start)]
        self._handle.write_from(view, start)
        self._count("written", len(view))
        if self._read_back:
            self._check(row, start, len(view), buffer)

    def _check(self, row: int, start: int, length: int, buffer: memoryview) -> None:
        self._handle.read_into(buffer, start)
        if digest(buffer) != self._index.digest(row):
            raise DiskError(
                f"{self._handle.disk.path} does not keep what is written to it: {length} bytes at {start} came back "
                "different. The disk is failing or lies about its size; replace it. It will not boot as it is.",
                disk=self._handle.disk.path,
                offset=start,
            )
        self._count("verified", length)

    def _count(self, what: str, count: int) -> None:
        with self._lock:
            self.bytes[what] += count
