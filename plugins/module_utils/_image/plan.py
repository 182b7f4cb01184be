# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Compares a disk with an image: which chunks does it lack?"""

from __future__ import annotations

import typing as t
from contextlib import closing

from .._disk.handle import DiskHandle, aligned_buffer
from .._progress import Progress
from ._codec import digest
from .chunks import Grid
from .index import Index
from .pipeline import PerThread, ordered

_SAMPLES = 32


class Comparer:
    """Tells which chunks of an image a disk holds already, by reading them."""

    def __init__(self, handle: DiskHandle, index: Index, grid: Grid, threads: int) -> None:
        self.read = 0  # bytes
        self._handle = handle
        self._index = index
        self._grid = grid
        self._threads = threads
        self._buffers = PerThread(lambda: aligned_buffer(grid.chunk_size))

    def missing(self, rows: t.Iterable[int], progress: Progress) -> t.Iterator[int]:
        """Those of the rows whose chunk on the disk is not the image's, as they are found."""
        with closing(ordered(self._compare, rows, self._threads)) as compared:
            for row, same in compared:
                self.read += self._grid.chunk_size
                progress.advance(self._grid.chunk_size)
                if not same:
                    yield row

    def unlike(self, zero: bytes, progress: Progress) -> bool:
        """Does the disk seem to hold nothing of this image? It only decides whether comparing is worth it."""
        solid = [row for row in _spread(len(self._grid), 4 * _SAMPLES) if self._index.digest(row) != zero]
        chosen = [solid[at] for at in _spread(len(solid), _SAMPLES)]
        progress.phase("sampling", len(chosen) * self._grid.chunk_size)
        return bool(chosen) and len(list(self.missing(chosen, progress))) == len(chosen)

    def _compare(self, row: int) -> tuple[int, bool]:
        buffer = self._buffers.get()
        self._handle.read_into(buffer, self._grid.start(row))
        self._grid.keep_kept(row, buffer)
        return row, digest(buffer) == self._index.digest(row)


def _spread(count: int, most: int) -> list[int]:
    """At most so many numbers below count, evenly spread."""
    if count <= most:
        return list(range(count))
    return [at * count // most for at in range(most)]
