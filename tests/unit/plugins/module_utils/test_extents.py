# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extents behave as the sets of byte positions that they stand for."""

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from hypothesis import given
from hypothesis import strategies as st

ranges = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)), max_size=25)


def positions(extents: Extents) -> set[int]:
    return {at for start, length in extents for at in range(start, start + length)}


def expected(pairs: list[tuple[int, int]]) -> set[int]:
    return {at for start, length in pairs for at in range(start, start + length)}


@given(ranges)
def test_holds_exactly_the_positions_of_its_ranges(pairs: list[tuple[int, int]]) -> None:
    extents = Extents.collect(pairs)
    assert positions(extents) == expected(pairs)
    assert extents.total == len(expected(pairs))
    assert extents.end == max(expected(pairs), default=-1) + 1
    assert bool(extents) == bool(expected(pairs))


@given(ranges)
def test_ranges_neither_overlap_nor_touch(pairs: list[tuple[int, int]]) -> None:
    listed = list(Extents.collect(pairs))
    assert all(start + length < following for (start, length), (following, dummy) in zip(listed, listed[1:]))
    assert all(length > 0 for _start, length in listed)


@given(ranges, ranges)
def test_union_and_difference(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    left, right = Extents.collect(one), Extents.collect(other)
    assert positions(left | right) == expected(one) | expected(other)
    assert positions(left - right) == expected(one) - expected(other)
    assert (left | right) == (right | left)
    assert (left - right) | (right - left) | left == left | right


@given(ranges, st.integers(0, 240), st.integers(0, 240))
def test_within(pairs: list[tuple[int, int]], start: int, end: int) -> None:
    pieces = list(Extents.collect(pairs).within(start, end))
    assert {at for begin, stop in pieces for at in range(begin, stop)} == {
        at for at in expected(pairs) if start <= at < end
    }
    assert all(begin < stop for begin, stop in pieces)


@given(ranges, st.integers(0, 1 << 50))
def test_shifted(pairs: list[tuple[int, int]], offset: int) -> None:
    extents = Extents.collect(pairs)
    assert list(extents.shifted(offset)) == [(start + offset, length) for start, length in extents]


@pytest.mark.parametrize("pairs", [[(5, 1), (4, 1)], [(-1, 2)], [(0, -1)], [(3, -5)]])
def test_disorder_is_refused(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError):
        Extents(pairs)
