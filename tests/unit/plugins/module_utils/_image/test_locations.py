# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct
import typing as t

import pytest
import zstandard
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged
from ansible_collections.golden.fleet.plugins.module_utils._image import locations
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import Locations, Place
from hypothesis import given
from hypothesis import strategies as st

digests = st.binary(min_size=32, max_size=32)
packs = st.sampled_from([letter * 64 for letter in "0123456789abcdef"])
places = st.builds(Place, packs, st.integers(8, (1 << 48) - 1), st.integers(0, 20 << 20))


def filled(content: dict[bytes, Place]) -> Locations:
    found = Locations()
    for digest, place in content.items():
        found.add(digest, place)
    return found


@given(st.dictionaries(digests, places, max_size=200))
def test_it_is_a_map(content: dict[bytes, Place]) -> None:
    found = filled(content)
    assert dict(found) == content
    assert len(found) == len(content)
    assert all(found.get(digest) == place and digest in found for digest, place in content.items())


@given(st.dictionaries(digests, places, max_size=50), digests)
def test_what_is_not_there_is_not_found(content: dict[bytes, Place], other: bytes) -> None:
    content.pop(other, None)
    assert other not in filled(content)
    assert filled(content).get(other) is None


def test_the_first_place_stays() -> None:
    found = Locations()
    found.add(b"d" * 32, Place("a" * 64, 8, 1))
    found.add(b"d" * 32, Place("b" * 64, 9, 2))
    assert list(found) == [(b"d" * 32, Place("a" * 64, 8, 1))]


def test_digests_that_begin_alike_are_told_apart() -> None:
    content = {bytes(30) + number.to_bytes(2, "big"): Place("a" * 64, 8 + number, number) for number in range(3000)}
    assert dict(filled(content)) == content


@given(st.dictionaries(digests, places, max_size=200))
def test_what_is_encoded_is_decoded(content: dict[bytes, Place]) -> None:
    assert list(locations.decode(locations.encode(filled(content)), "a:1")) == list(content.items())


def frame(
    rows: t.Sequence[tuple[bytes, int, int, int]] = ((b"d" * 32, 0, 8, 100),),
    names: int = 1,
    magic: bytes = b"GFPLACE\x01",
    counts: tuple[int, int] | None = None,
    behind: bytes = b"",
) -> bytes:
    """Locations from scratch, with whatever lies are wanted."""
    columns = list(zip(*rows)) or [(), (), (), ()]
    raw = struct.pack("<8sQQ", magic, *(counts or (names, len(rows)))) + bytes(32 * names) + b"".join(columns[0])
    for column, kind in zip(columns[1:], "IQI"):
        raw += struct.pack(f"<{len(rows)}{kind}", *column)
    return zstandard.ZstdCompressor().compress(raw + behind)


def test_honest_ones_pass() -> None:
    assert list(locations.decode(frame(), "a:1")) == [(b"d" * 32, Place("0" * 64, 8, 100))]
    assert len(locations.decode(frame(rows=(), names=0), "a:1")) == 0


HOSTILE = {
    "another magic": frame(magic=b"GFPLACE\x02"),
    "a pack that is not named": frame(rows=((b"d" * 32, 1, 8, 100),)),
    "no pack at all": frame(names=0),
    "a frame in the magic": frame(rows=((b"d" * 32, 0, 7, 100),)),
    "a frame beyond all packs": frame(rows=((b"d" * 32, 0, 1 << 48, 100),)),
    "a frame of 4 GiB": frame(rows=((b"d" * 32, 0, 8, 2**32 - 1),)),
    "huge counts": frame(counts=(2**60, 2**60)),
    "counts that overflow to the right length": frame(counts=(2**59 + 1, 1)),
    "fewer chunks than bytes": frame(counts=(1, 0)),
    "bytes behind the end": frame(behind=b"x"),
    "cut off in the head": zstandard.ZstdCompressor().compress(b"GFPLACE\x01"),
    "nothing": b"",
    "a cut off frame": frame()[:-1],
    "bytes behind the frame": frame() + b"x",
    "no content size": zstandard.ZstdCompressor(write_content_size=False).compress(bytes(100)),
    "a frame that says 1 TiB": b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 1 << 40) + b"\x01\x00\x00",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_lies_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDamaged, match="locations of image a:1"):
        locations.decode(data, "a:1")


@given(st.dictionaries(digests, places, min_size=1, max_size=20), st.data())
def test_no_change_of_a_byte_does_worse_than_damage(content: dict[bytes, Place], data: st.DataObject) -> None:
    raw = bytearray(zstandard.ZstdDecompressor().decompress(locations.encode(filled(content))))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        found = locations.decode(zstandard.ZstdCompressor().compress(bytes(raw)), "a:1")
    except ImageDamaged:
        return
    assert all(len(place.pack) == 64 and 8 <= place.offset < 1 << 48 for _digest, place in found)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDamaged):
        locations.decode(data, "a:1")
