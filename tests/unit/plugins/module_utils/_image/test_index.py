# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct
import typing as t

import pytest
import zstandard
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from ansible_collections.golden.fleet.plugins.module_utils._image import index
from ansible_collections.golden.fleet.plugins.module_utils._image.index import Index
from hypothesis import given
from hypothesis import strategies as st

CHUNK = 65536
DISK = 1 << 40


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    """Used and blank ranges that do not overlap, over a disk of a few hundred chunks."""
    size = 1 << draw(st.integers(16, 20))
    cuts = sorted(draw(st.sets(st.integers(0, 300 * size), max_size=40)))
    kinds = draw(st.lists(st.sampled_from(["used", "blank", "neither"]), min_size=len(cuts), max_size=len(cuts)))
    pieces = list(zip(kinds, cuts, cuts[1:]))
    used, blank = (
        Extents([(start, end - start) for kind, start, end in pieces if kind == wanted]) for wanted in ("used", "blank")
    )
    count = len(Index(size, used, blank, b"").grid())
    return Index(size, used, blank, draw(st.binary(min_size=32 * count, max_size=32 * count)))


@given(indexes())
def test_what_is_encoded_is_decoded(before: Index) -> None:
    after = index.decode(index.encode(before), DISK, "a:1")
    assert after == before
    assert after.grid().numbers == before.grid().numbers


@given(indexes())
def test_a_range_beyond_the_disk_is_refused(whole: Index) -> None:
    end = max(whole.used.end, whole.blank.end)
    index.decode(index.encode(whole), end, "a:1")
    if end:
        with pytest.raises(ImageDamaged, match="beyond the disk"):
            index.decode(index.encode(whole), end - 1, "a:1")


def frame(
    used: t.Sequence[int] = (0, 1),
    blank: t.Sequence[int] = (),
    digests: int = 1,
    size: int = CHUNK,
    magic: bytes = b"GFINDEX\x01",
    counts: tuple[int, int, int] | None = None,
    behind: bytes = b"",
) -> bytes:
    """An index from scratch: ranges as gaps and lengths, and whatever lies are wanted."""
    counts = counts or (len(used) // 2, len(blank) // 2, digests)
    ranges = struct.pack(f"<{len(used) + len(blank)}Q", *used, *blank)
    raw = struct.pack("<8sQQQQ", magic, size, *counts) + ranges + bytes(32 * digests) + behind
    return zstandard.ZstdCompressor().compress(raw)


def test_the_smallest_ones_are_fine() -> None:
    assert index.decode(frame(), DISK, "a:1").used == Extents([(0, 1)])
    assert len(index.decode(frame(used=(), digests=0), DISK, "a:1").digests) == 0


HOSTILE = {
    "another magic": frame(magic=b"GFINDEX\x02"),
    "chunks too small": frame(size=CHUNK // 2),
    "chunks too big": frame(size=128 << 20),
    "chunk size no power of two": frame(size=CHUNK + 512),
    "chunk size zero": frame(size=0),
    "empty range": frame(used=(5, 0)),
    "ranges that touch": frame(used=(0, 1, 0, 1)),
    "used and blank overlap": frame(used=(0, 10), blank=(5, 10)),
    "a range beyond the disk": frame(used=(0, DISK + 1)),
    "a sum beyond 64 bits": frame(used=(0, 1, 2**64 - 1, 1)),
    "a length of all ones": frame(used=(0, 2**64 - 1)),
    "too few digests": frame(used=(0, CHUNK + 1), digests=1),
    "too many digests": frame(digests=2),
    "no digest": frame(digests=0),
    "huge counts": frame(counts=(2**60, 2**60, 2**60)),
    "counts that overflow to the right length": frame(counts=(2**60 + 1, 0, 1)),
    "bytes behind the end": frame(behind=b"x"),
    "a whole disk of chunks and few digests": frame(used=(0, DISK), digests=1),
    "cut off in the head": zstandard.ZstdCompressor().compress(b"GFINDEX\x01"),
    "nothing": b"",
    "no zstd": b"GFINDEX\x01" * 10,
    "a cut off frame": frame()[:-1],
    "bytes behind the frame": frame() + b"x",
    "two frames": frame() + frame(),
    "no content size": zstandard.ZstdCompressor(write_content_size=False).compress(bytes(100)),
    "a frame that says 1 TiB": b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 40) + b"\x01\x00\x00",
    "a frame that says 64 bits of ones": b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8 + b"\x01\x00\x00",
    "a skippable frame": b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_lies_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDamaged, match="index of image a:1"):
        index.decode(data, DISK, "a:1")


@given(indexes(), st.data())
def test_no_change_of_a_byte_does_worse_than_damage(whole: Index, data: st.DataObject) -> None:
    """What passes in spite of it still keeps the rules that the engine relies on."""
    raw = bytearray(zstandard.ZstdDecompressor().decompress(index.encode(whole)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        found = index.decode(zstandard.ZstdCompressor().compress(bytes(raw)), DISK, "a:1")
    except ImageDamaged:
        return
    assert len(found.grid()) * 32 == len(found.digests)
    assert (found.used | found.blank).end <= DISK


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDamaged):
        index.decode(data, DISK, "a:1")
