# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maps of used bytes as partclone writes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.usage import parse_map, parse_ntfs_minimum
from hypothesis import given
from hypothesis import strategies as st

TRANSCRIPTS = Path(__file__).parent / "transcripts"
HEAD = ["# Domain logfile created by partclone", "# current_pos  current_status"]


def lines_of(runs: list[tuple[int, bool]]) -> list[str]:
    """A map in which used and unused runs follow each other."""
    at, rows = 0, []
    for length, used in runs:
        rows.append(f"0x{at:08X}  0x{length:08X}  {'+' if used else '?'}\n")
        at += length
    return [*HEAD, f"0x{at:08X}     ?\n", "#      pos        size  status\n", *rows]


def test_recorded_maps() -> None:
    used, end = parse_map((TRANSCRIPTS / "partclone-0.3.23-ext4.map").read_text().splitlines())
    assert end == 200 << 20
    assert list(used)[:2] == [(0, 0x7CC800), (0x800400, 0xC0C00)]
    assert used.total == 18515 * 1024  # what partclone's log calls "space in use"
    used, end = parse_map((TRANSCRIPTS / "partclone-0.3.23-btrfs.map").read_text().splitlines())
    assert end == 300 << 20
    assert next(iter(used)) == (0, 0x14000)


@given(st.lists(st.tuples(st.integers(1, 1 << 40), st.booleans()), max_size=50))
def test_every_map_is_read_completely(runs: list[tuple[int, bool]]) -> None:
    used, end = parse_map(lines_of(runs))
    assert end == sum(length for length, _used in runs)
    assert used.total == sum(length for length, is_used in runs if is_used)
    assert used.end <= end


@given(st.lists(st.tuples(st.integers(1, 1 << 40), st.booleans()), min_size=1, max_size=20), st.data())
def test_a_map_that_lost_a_line_is_refused(runs: list[tuple[int, bool]], data: st.DataObject) -> None:
    lines = lines_of(runs)
    del lines[data.draw(st.integers(4, len(lines) - 1))]
    with pytest.raises(ValueError):
        parse_map(lines)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        HEAD,
        ["0x10 ?", "0x0 0x10 -"],
        ["0x10 ?", "0x0 0x20 +"],
        ["0x10 ?", "0x0 0x08 +", "0x0 0x10 +"],
        ["0x10 ?", "0x0 0x10"],
        ["0x10 ?", "0x0 zz +"],
    ],
)
def test_what_is_no_map(lines: list[str]) -> None:
    with pytest.raises(ValueError):
        parse_map(lines)


def test_smallest_size_of_an_ntfs() -> None:
    assert parse_ntfs_minimum((TRANSCRIPTS / "ntfsresize-2022.10.3-info").read_text()) == 3624960
    assert parse_ntfs_minimum("ERROR: NTFS is inconsistent. Run chkdsk /f on Windows") is None
