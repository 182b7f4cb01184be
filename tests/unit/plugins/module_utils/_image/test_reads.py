# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from ansible_collections.golden.fleet.plugins.module_utils._image.index import Index
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import Locations, Place
from ansible_collections.golden.fleet.plugins.module_utils._image.reads import LONGEST, Read, reads
from hypothesis import given
from hypothesis import strategies as st

CHUNK = 65536
ZERO = bytes(32)


def name(number: int) -> bytes:
    return number.to_bytes(32, "big")


def plan(digests: list[int], places: dict[int, Place], missing: list[int] | None = None) -> list[Read]:
    index = Index(CHUNK, Extents([(0, CHUNK * len(digests))]), Extents(), b"".join(map(name, digests)))
    known = Locations()
    for number, place in places.items():
        known.add(name(number), place)
    return list(reads(index, known, range(len(digests)) if missing is None else missing, ZERO, "a:1"))


@given(
    st.lists(st.integers(0, 30), max_size=60), st.lists(st.integers(1, 9 << 20), min_size=30, max_size=30), st.data()
)
def test_every_missing_row_is_brought_once(numbers: list[int], lengths: list[int], data: st.DataObject) -> None:
    places, ends = {}, {"a" * 64: 8, "b" * 64: 8}
    for number, length in enumerate(lengths, 1):
        pack = data.draw(st.sampled_from(sorted(ends)))
        places[number] = Place(pack, ends[pack], length)
        ends[pack] += length + data.draw(st.sampled_from([0, 0, 5, 1 << 20]))
    missing = sorted(data.draw(st.sets(st.sampled_from(range(len(numbers)))))) if numbers else []
    found = plan(numbers, places, missing)
    brought = [row for read in found for row in read.zero_rows]
    for read in found:
        assert read.end - read.start <= LONGEST or len(read.wanted) == 1
        for wanted in read.wanted:
            assert (wanted.place.pack, name(numbers[wanted.rows[0]])) == (read.pack, wanted.digest)
            assert read.start <= wanted.place.offset <= wanted.place.offset + wanted.place.length <= read.end
            brought += wanted.rows
    assert sorted(brought) == missing
    assert all(numbers[row] == 0 for read in found for row in read.zero_rows)


def test_neighbours_are_one_read() -> None:
    places = {number: Place("a" * 64, 8 + 100 * number, 100) for number in (1, 2, 3)}
    (read,) = plan([1, 2, 3], places)
    assert (read.start, read.end, read.rows) == (108, 408, 3)


def test_what_lies_far_apart_is_two_reads() -> None:
    places = {1: Place("a" * 64, 8, 100), 2: Place("a" * 64, 10 << 20, 100)}
    assert [(read.start, read.end) for read in plan([1, 2], places)] == [(8, 108), (10 << 20, (10 << 20) + 100)]


def test_a_chunk_that_fills_two_rows_is_fetched_once() -> None:
    (read,) = plan([1, 1], {1: Place("a" * 64, 8, 100)})
    assert read.wanted[0].rows == (0, 1)


def test_zeros_are_not_fetched() -> None:
    assert all(read.pack is None for read in plan([0] * 20, {}))


def test_a_chunk_that_nobody_knows_is_damage() -> None:
    with pytest.raises(ImageDamaged, match="does not say where chunk 0+1 lies"):
        plan([1], {})
