# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from ansible_collections.golden.fleet.plugins.module_utils._image._codec import digest
from ansible_collections.golden.fleet.plugins.module_utils._image.chunks import (
    LARGEST,
    MIB,
    SMALLEST,
    USUAL,
    Grid,
    comfortable_chunk_size,
    valid_chunk_size,
    zero,
    zero_digest,
)
from hypothesis import given
from hypothesis import strategies as st

CHUNK = 16  # the grid does not mind, and a bug shows sooner

marks = st.lists(st.sampled_from(["used", "blank", "neither"]), min_size=1, max_size=10 * CHUNK)


def grid_of(kinds: list[str]) -> Grid:
    """A grid over a disk of which each byte is of one kind."""
    used, blank = (
        Extents([(at, 1) for at, kind in enumerate(kinds) if kind == wanted]) for wanted in ("used", "blank")
    )
    return Grid(CHUNK, used, blank)


@given(marks)
def test_a_chunk_exists_if_a_byte_of_it_is_kept(kinds: list[str]) -> None:
    rows = [at // CHUNK for at, kind in enumerate(kinds) if kind != "neither"]
    grid = grid_of(kinds)
    assert list(grid.numbers) == sorted(set(rows))
    assert [grid.start(row) for row in range(len(grid))] == [number * CHUNK for number in sorted(set(rows))]
    pieces = [grid.kept.within(grid.start(row), grid.start(row) + grid.chunk_size) for row in range(len(grid))]
    kept = [sum(end - start for start, end in piece) for piece in pieces]
    assert kept == [rows.count(number) for number in sorted(set(rows))]


@given(marks)
def test_masks_keep_their_bytes_and_zero_the_others(kinds: list[str]) -> None:
    grid = grid_of(kinds)
    padded = kinds + ["neither"] * CHUNK
    for row in range(len(grid)):
        here = padded[grid.start(row) : grid.start(row) + CHUNK]
        for mask, wanted in ((grid.keep_used, {"used"}), (grid.keep_kept, {"used", "blank"})):
            data = bytearray(b"\xee" * CHUNK)
            mask(row, memoryview(data))
            assert data == bytes(0xEE if kind in wanted else 0 for kind in here)


def test_no_ranges_no_chunks() -> None:
    assert len(Grid(CHUNK, Extents(), Extents())) == 0


@pytest.mark.parametrize("length", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 5])
def test_zeroing_reaches_exactly_the_end(length: int) -> None:
    data = bytearray(b"x" * (length + 1))
    zero(memoryview(data)[:length])
    assert data == bytes(length) + b"x"


def test_the_digest_of_zeros() -> None:
    assert zero_digest(SMALLEST) == digest(bytes(SMALLEST))


@pytest.mark.parametrize("size", [SMALLEST, MIB, 2 * MIB, LARGEST])
def test_sizes_that_are_allowed(size: int) -> None:
    assert valid_chunk_size(size)


@pytest.mark.parametrize("size", [-MIB, 0, 1, SMALLEST // 2, SMALLEST + 4096, 3 * MIB, 2 * LARGEST])
def test_sizes_that_are_not(size: int) -> None:
    assert not valid_chunk_size(size)


@given(st.integers(0, 1 << 56))
def test_a_comfortable_size_is_allowed_and_bounds_the_count(used: int) -> None:
    size = comfortable_chunk_size(used)
    assert valid_chunk_size(size)
    assert size == USUAL or used > (size // 2) << 20
    assert size == LARGEST or used <= size << 20
