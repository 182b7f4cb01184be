# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The index object of an image: its extents and the digest of each chunk (docs/image-format.md)."""

from __future__ import annotations

import struct
import typing as t
from array import array
from dataclasses import dataclass

from .._errors import ImageDamaged
from .._extents import Extents
from ._codec import DIGEST_SIZE, compressor, decompressor, from_little_endian, inflate, to_little_endian
from .chunks import Grid, valid_chunk_size

_MAGIC = b"GFINDEX\x01"
_HEAD = struct.Struct("<8sQQQQ")  # magic, chunk size, used ranges, blank ranges, chunks
RAW_LIMIT = 256 << 20


@dataclass(frozen=True)
class Index:
    """What an image keeps, and the digest of every chunk of its grid, in order."""

    chunk_size: int
    used: Extents
    blank: Extents
    digests: bytes

    def grid(self) -> Grid:
        return Grid(self.chunk_size, self.used, self.blank)

    def digest(self, row: int) -> bytes:
        return self.digests[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE]


def encode(index: Index) -> bytes:
    """The index as it lies in a store."""
    head = _HEAD.pack(_MAGIC, index.chunk_size, len(index.used), len(index.blank), len(index.digests) // DIGEST_SIZE)
    raw = b"".join((head, _pack_extents(index.used), _pack_extents(index.blank), index.digests))
    return t.cast(bytes, compressor(3).compress(raw))


def decode(data: bytes, disk_size: int, image: str) -> Index:
    """Read an index from a store; nothing in it is believed.

    :param disk_size: size of the captured disk in bytes; no range may end beyond it.
    :raises ImageDamaged: it is not a valid index.
    """
    raw = inflate(decompressor(), data, RAW_LIMIT, f"The index of image {image}")
    try:
        return _decode(raw, disk_size)
    except (ValueError, OverflowError, struct.error) as error:
        raise ImageDamaged(f"The index of image {image} is damaged: {error}.", image=image) from error


def _decode(raw: bytes, disk_size: int) -> Index:
    magic, chunk_size, used_count, blank_count, chunk_count = _HEAD.unpack_from(raw)
    if magic != _MAGIC:
        raise ValueError("it does not begin like an index")
    if not valid_chunk_size(chunk_size):
        raise ValueError(f"chunk size {chunk_size} is not allowed")
    if len(raw) != _HEAD.size + 16 * (used_count + blank_count) + DIGEST_SIZE * chunk_count:
        raise ValueError("its length does not fit its counts")
    blank_at = _HEAD.size + 16 * used_count
    digests_at = blank_at + 16 * blank_count
    used = _unpack_extents(raw[_HEAD.size : blank_at], disk_size)
    blank = _unpack_extents(raw[blank_at:digests_at], disk_size)
    index = Index(chunk_size, used, blank, raw[digests_at:])
    kept = used | blank
    if kept.total != used.total + blank.total:
        raise ValueError("used and blank ranges overlap")
    if _count_chunks(kept, chunk_size) != chunk_count:
        raise ValueError("the number of chunks does not fit the ranges")
    return index


def _count_chunks(kept: Extents, chunk_size: int) -> int:
    """How many chunks the grid will have; counted before it is built, so that a lie costs no memory."""
    count, following = 0, 0
    for start, length in kept:
        first, last = start // chunk_size, (start + length - 1) // chunk_size
        count += last + 1 - max(first, following)
        following = last + 1
    return count


def _pack_extents(extents: Extents) -> bytes:
    """Pairs of (gap since the end before, length): small numbers, which compress well."""
    flat = array("Q")
    before = 0
    for start, length in extents:
        flat.append(start - before)
        flat.append(length)
        before = start + length
    return to_little_endian(flat)


def _unpack_extents(raw: bytes, limit: int) -> Extents:
    flat = from_little_endian("Q", raw)
    extents = Extents(_absolute(flat, limit))
    if len(extents) != len(flat) // 2:
        raise ValueError("ranges are empty or touch each other")
    return extents


def _absolute(flat: array[int], limit: int) -> t.Iterator[tuple[int, int]]:
    at = 0
    for number in range(0, len(flat), 2):
        start, length = at + flat[number], flat[number + 1]
        at = start + length
        if at > limit:
            raise ValueError(f"a range ends at {at}, beyond the disk's {limit} bytes")
        yield start, length
