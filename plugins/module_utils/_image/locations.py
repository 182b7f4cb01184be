# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Where the chunks of an image lie: digest to pack, offset and length (docs/image-format.md)."""

from __future__ import annotations

import struct
import typing as t
from array import array

from .._errors import ImageDamaged
from ._codec import DIGEST_SIZE, compressor, decompressor, from_little_endian, inflate, to_little_endian
from .pack import FIRST_FRAME

_MAGIC = b"GFPLACE\x01"
_HEAD = struct.Struct("<8sQQ")  # magic, packs, chunks
_RAW_LIMIT = 512 << 20
_FREE = 0xFFFFFFFF
_FRAME_LIMIT = 20 << 20  # a frame of the largest chunk, incompressible


class Place(t.NamedTuple):
    """Where one chunk lies."""

    pack: str
    offset: int
    length: int


class Locations:
    """A compact map from digests to places: some 60 bytes a chunk where a dict of objects would need 400.

    Open addressing over flat arrays. One thread may add while others look up: a table is replaced whole.
    """

    def __init__(self) -> None:
        self.packs: list[str] = []
        self._numbers: dict[str, int] = {}
        self._digests = bytearray()
        self._pack = array("I")
        self._offset = array("Q")
        self._length = array("I")
        self._slots = _empty_slots(64)

    @classmethod
    def _of(cls, packs: list[str], digests: bytes, *columns: array[int]) -> Locations:
        """From columns as they are written; much faster than adding row by row."""
        found = cls()
        found.packs = packs
        found._numbers = {name: number for number, name in enumerate(packs)}
        found._digests = bytearray(digests)
        found._pack, found._offset, found._length = columns
        found._slots = found._grown()
        return found

    def __len__(self) -> int:
        return len(self._pack)

    def __contains__(self, digest: bytes) -> bool:
        return self._find(self._slots, digest)[1] != _FREE

    def __iter__(self) -> t.Iterator[tuple[bytes, Place]]:
        for row in range(len(self)):
            yield self._digest(row), self._place(row)

    def get(self, digest: bytes) -> Place | None:
        """The place of a chunk."""
        row = self._find(self._slots, digest)[1]
        return None if row == _FREE else self._place(row)

    def add(self, digest: bytes, place: Place) -> None:
        """Remember a chunk; the first place of a digest stays."""
        slot, row = self._find(self._slots, digest)
        if row != _FREE:
            return
        row = len(self)
        self._digests += digest
        self._offset.append(place.offset)
        self._length.append(place.length)
        self._pack.append(self._number(place.pack))
        if 2 * (row + 1) > len(self._slots):
            self._slots = self._grown()
        else:
            self._slots[slot] = row

    def _number(self, pack: str) -> int:
        if pack not in self._numbers:
            self._numbers[pack] = len(self.packs)
            self.packs.append(pack)
        return self._numbers[pack]

    def _digest(self, row: int) -> bytes:
        return bytes(self._digests[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE])

    def _place(self, row: int) -> Place:
        return Place(self.packs[self._pack[row]], self._offset[row], self._length[row])

    def _find(self, slots: array[int], digest: bytes) -> tuple[int, int]:
        """The slot where a digest is or would be, and its row or _FREE."""
        mask = len(slots) - 1
        slot = hash(digest) & mask  # seeded by Python: hostile digests cannot be made to collide
        row = slots[slot]
        while row != _FREE and self._digest(row) != digest:
            slot = (slot + 1) & mask
            row = slots[slot]
        return slot, row

    def _grown(self) -> array[int]:
        slots = _empty_slots(max(64, 4 * len(self)))
        digests = bytes(self._digests)
        for row in range(len(self)):
            slot, taken = self._find(slots, digests[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE])
            if taken == _FREE:
                slots[slot] = row
        return slots


def encode(locations: Locations) -> bytes:
    """The locations as they lie in a store: packs, then one column after the other."""
    columns = (locations._pack, locations._offset, locations._length)
    raw = b"".join(
        (
            _HEAD.pack(_MAGIC, len(locations.packs), len(locations)),
            bytes.fromhex("".join(locations.packs)),
            bytes(locations._digests),
            *(to_little_endian(column) for column in columns),
        )
    )
    return t.cast(bytes, compressor(3, checksum=True).compress(raw))


def decode(data: bytes, image: str) -> Locations:
    """Read locations from a store. They are hints: whatever is read there is verified by digest.

    :raises ImageDamaged: they are not readable.
    """
    raw = inflate(decompressor(), data, _RAW_LIMIT, f"The locations of image {image}")
    try:
        return _decode(raw)
    except (ValueError, IndexError, struct.error) as error:
        raise ImageDamaged(
            f"The locations of image {image} are damaged: {error}. "
            "Rebuild them from the packs: golden.fleet.image_verify with repair: true.",
            image=image,
        ) from error


def _decode(raw: bytes) -> Locations:
    magic, packs, chunks = _HEAD.unpack_from(raw)
    if magic != _MAGIC or len(raw) != _HEAD.size + DIGEST_SIZE * packs + chunks * (DIGEST_SIZE + 16):
        raise ValueError("they do not begin like locations, or have the wrong length")
    digests_at = _HEAD.size + DIGEST_SIZE * packs
    names = [raw[at : at + DIGEST_SIZE].hex() for at in range(_HEAD.size, digests_at, DIGEST_SIZE)]
    at = digests_at + DIGEST_SIZE * chunks
    pack = from_little_endian("I", raw[at : at + 4 * chunks])
    offset = from_little_endian("Q", raw[at + 4 * chunks : at + 12 * chunks])
    length = from_little_endian("I", raw[at + 12 * chunks :])
    if chunks and (max(pack) >= packs or min(offset) < FIRST_FRAME or max(length) > _FRAME_LIMIT or max(offset) >> 48):
        raise ValueError("a chunk lies where none can be")
    digests = raw[digests_at : digests_at + DIGEST_SIZE * chunks]
    return Locations._of(names, digests, pack, offset, length)


def _empty_slots(least: int) -> array[int]:
    return array("I", [_FREE]) * (1 << (least - 1).bit_length())
