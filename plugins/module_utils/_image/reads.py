# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Turns missing chunks into long reads of packs. Pure."""

from __future__ import annotations

import typing as t
from itertools import islice

from .._errors import ImageDamaged
from .index import Index
from .locations import Locations, Place

LONGEST = 8 << 20  # bytes of one read
_SLACK = 64 << 10  # bytes between two chunks that are read along rather than asked for apart


class Windows(t.NamedTuple):
    """How many chunks are planned at a time: more make longer reads, fewer let fetching begin earlier.

    :ivar first: of the first window; each one after has twice as many as the one before.
    :ivar most: of any.
    """

    first: int
    most: int


LONG = Windows(4096, 4096)


class Wanted(t.NamedTuple):
    """A chunk, where it lies, and the rows of the grid that it fills."""

    digest: bytes
    place: Place
    rows: tuple[int, ...]


class Read(t.NamedTuple):
    """One range of one pack, or (without a pack) rows to fill with zeros."""

    pack: str | None
    start: int
    end: int
    wanted: tuple[Wanted, ...] = ()
    zero_rows: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        return sum(len(item.rows) for item in self.wanted) + len(self.zero_rows)


def reads(
    index: Index, places: Locations, missing: t.Iterable[int], zero: bytes, image: str, windows: Windows = LONG
) -> t.Iterator[Read]:
    """Ranges that bring the missing rows, in about the order of the disk.

    :param missing: rows of the grid, ascending.
    :param zero: the digest of a chunk of zeros, which no pack holds.
    :raises ImageDamaged: nobody knows where a chunk lies.
    """
    rows, size = iter(missing), windows.first
    while window := list(islice(rows, size)):
        size = min(2 * size, windows.most)
        by_digest: dict[bytes, list[int]] = {}
        for row in window:
            by_digest.setdefault(index.digest(row), []).append(row)
        zeros = by_digest.pop(zero, [])
        for at in range(0, len(zeros), 8):
            yield Read(None, 0, 0, zero_rows=tuple(zeros[at : at + 8]))
        yield from _coalesce(_located(by_digest, places, image))


def _located(by_digest: dict[bytes, list[int]], places: Locations, image: str) -> list[Wanted]:
    wanted = []
    order: dict[str, int] = {}
    for digest, rows in by_digest.items():
        place = places.get(digest)
        if place is None:
            raise ImageDamaged(
                f"Image {image} does not say where chunk {digest.hex()} lies. "
                "Run golden.fleet.image_verify with repair: true.",
                image=image,
            )
        order.setdefault(place.pack, len(order))
        wanted.append(Wanted(digest, place, tuple(rows)))
    return sorted(wanted, key=lambda item: (order[item.place.pack], item.place.offset))


def _coalesce(wanted: list[Wanted]) -> t.Iterator[Read]:
    group: list[Wanted] = []
    for item in wanted:
        if group and not _joins(group, item.place):
            yield _read(group)
            group = []
        group.append(item)
    if group:
        yield _read(group)


def _joins(group: list[Wanted], place: Place) -> bool:
    last = group[-1].place
    return (
        last.pack == place.pack
        and place.offset - (last.offset + last.length) <= _SLACK
        and place.offset + place.length - group[0].place.offset <= LONGEST
    )


def _read(group: list[Wanted]) -> Read:
    first = group[0].place
    return Read(first.pack, first.offset, max(w.place.offset + w.place.length for w in group), tuple(group))
