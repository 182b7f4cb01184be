# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Sets of bytes as sorted, disjoint ranges."""

from __future__ import annotations

import heapq
import typing as t
from array import array
from bisect import bisect_left, bisect_right


class Extents:
    """An immutable set of byte positions, kept as sorted ranges that neither overlap nor touch.

    Two flat arrays instead of objects, because an old, fragmented disk has millions of ranges.
    """

    __slots__ = ("ends", "starts")

    def __init__(self, ranges: t.Iterable[tuple[int, int]] = ()) -> None:
        """:param ranges: (start, length) in bytes, ordered by start; they may overlap, empty ones are dropped.

        :raises ValueError: they are not in order, or negative.
        """
        self.starts = array("Q")
        self.ends = array("Q")
        for start, length in ranges:
            self._append(start, start + length)

    @classmethod
    def collect(cls, ranges: t.Iterable[tuple[int, int]]) -> Extents:
        """The same from ranges in any order."""
        return cls(sorted(ranges))

    def _append(self, start: int, end: int) -> None:
        if start < 0 or end < start or (self.starts and start < self.starts[-1]):
            raise ValueError(f"range {start}-{end} is negative or out of order")
        if self.ends and start <= self.ends[-1]:
            self.ends[-1] = max(self.ends[-1], end)
        elif end > start:
            self.starts.append(start)
            self.ends.append(end)

    def __iter__(self) -> t.Iterator[tuple[int, int]]:
        """(start, length) in order."""
        return ((start, end - start) for start, end in zip(self.starts, self.ends))

    def __len__(self) -> int:
        """Number of ranges."""
        return len(self.starts)

    def __bool__(self) -> bool:
        return bool(self.starts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extents) and self.starts == other.starts and self.ends == other.ends

    __hash__ = None  # type: ignore[assignment]  # mutable arrays inside

    def __or__(self, other: Extents) -> Extents:
        return Extents(heapq.merge(self, other))

    def __sub__(self, other: Extents) -> Extents:
        return Extents(self._without(other))

    def __repr__(self) -> str:
        return f"Extents({list(self)[:4]}{'...' if len(self) > 4 else ''})"

    @property
    def total(self) -> int:
        """How many bytes."""
        return sum(self.ends) - sum(self.starts)

    @property
    def end(self) -> int:
        """One past the last byte; 0 when empty."""
        return self.ends[-1] if self.ends else 0

    def within(self, start: int, end: int) -> t.Iterator[tuple[int, int]]:
        """The pieces inside [start, end), as (start, end)."""
        at = bisect_right(self.ends, start)
        stop = bisect_left(self.starts, end) if start < end else at
        for index in range(at, stop):
            yield max(self.starts[index], start), min(self.ends[index], end)

    def shifted(self, offset: int) -> Extents:
        """The same ranges, further along by so many bytes."""
        return Extents((start + offset, length) for start, length in self)

    def _without(self, other: Extents) -> t.Iterator[tuple[int, int]]:
        for start, length in self:
            at, end = start, start + length
            for hole_start, hole_end in other.within(start, end):
                yield at, hole_start - at
                at = hole_end
            yield at, end - at
