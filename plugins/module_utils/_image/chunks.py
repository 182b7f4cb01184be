# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The chunk grid: which chunks an image has, and which bytes of each one are its own."""

from __future__ import annotations

from array import array

from .._extents import Extents
from ._codec import digest

MIB = 1 << 20
SMALLEST, USUAL, LARGEST = 64 << 10, 2 * MIB, 16 * MIB
_COMFORTABLE = 1 << 20  # chunks; more cost memory, so a bigger disk gets bigger chunks
_ZEROS = memoryview(bytes(MIB))


class Grid:
    """Chunks are aligned to the disk and all equally long; only those with a kept byte exist.

    :param chunk_size: bytes.
    :param used: bytes whose content the image holds.
    :param blank: bytes that are zero in the image and become zero on the disk.
    """

    def __init__(self, chunk_size: int, used: Extents, blank: Extents) -> None:
        self.chunk_size = chunk_size
        self.used = used
        self.kept = used | blank
        self.numbers = _numbers(self.kept, chunk_size)

    def __len__(self) -> int:
        return len(self.numbers)

    def start(self, row: int) -> int:
        """Where on the disk the row-th chunk begins."""
        return self.numbers[row] * self.chunk_size

    def keep_used(self, row: int, data: memoryview) -> None:
        """Zero whatever is not captured, in one chunk of a reference disk."""
        self._keep(self.used, row, data)

    def keep_kept(self, row: int, data: memoryview) -> None:
        """Zero whatever does not matter, in one chunk of a disk that is compared with the image."""
        self._keep(self.kept, row, data)

    def _keep(self, extents: Extents, row: int, data: memoryview) -> None:
        start = self.start(row)
        at = 0
        for begin, end in extents.within(start, start + self.chunk_size):
            zero(data[at : begin - start])
            at = end - start
        zero(data[at:])


def zero(view: memoryview) -> None:
    """Fill with zeros."""
    for at in range(0, len(view), MIB):
        piece = view[at : at + MIB]
        piece[:] = _ZEROS[: len(piece)]


def zero_digest(chunk_size: int) -> bytes:
    """The digest of a chunk of zeros: such chunks are never stored."""
    return digest(bytes(chunk_size))


def comfortable_chunk_size(used: int) -> int:
    """2 MiB, or more where an image of so many used bytes would have too many chunks to hold in memory."""
    size = USUAL
    while used > size * _COMFORTABLE and size < LARGEST:
        size *= 2
    return size


def valid_chunk_size(size: int) -> bool:
    """A power of two between 64 KiB and 16 MiB."""
    return SMALLEST <= size <= LARGEST and size & (size - 1) == 0


def _numbers(kept: Extents, chunk_size: int) -> array[int]:
    numbers = array("Q")
    following = 0
    for start, length in kept:
        first, last = start // chunk_size, (start + length - 1) // chunk_size
        numbers.extend(range(max(first, following), last + 1))
        following = last + 1
    return numbers
