# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Checks one pack: is it there, is it whole, which of its chunks are damaged?"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import ImageDamaged, NotInStore
from .._store.base import Store
from ._codec import decompressor, digest, hasher, inflate
from .chunks import LARGEST
from .names import pack_key
from .pack import Entry, read_table
from .reads import LONGEST


@dataclass(frozen=True)
class PackState:
    """What was found out about a pack."""

    name: str
    problem: str | None = None
    gone: bool = False
    bad: frozenset[bytes] = frozenset()  # digests of damaged chunks
    unsure: bool = False  # it is damaged, and nobody looked which chunks are
    size: int = 0


def check_presence(store: Store, name: str) -> PackState:
    try:
        read_table(store, name)
    except NotInStore:
        return PackState(name, "is gone", gone=True)
    except ImageDamaged as error:
        return PackState(name, error.message, unsure=True)
    return PackState(name)


def check_content(store: Store, name: str, wanted: t.Callable[[str], set[Entry]]) -> PackState:
    """Read a whole pack once: each chunk against its digest, all of it against its name.

    :param wanted: which chunks images expect in a pack; asked where the pack's own table is damaged.
    """
    try:
        entries = read_table(store, name)
        size = store.size(pack_key(name))
    except NotInStore:
        return PackState(name, "is gone", gone=True)
    except ImageDamaged:
        return _check_without_table(store, name, wanted(name))
    whole = hasher()
    bad = set()
    for start, end, group in _pieces(entries, size):
        data = memoryview(store.read(pack_key(name), start, end - start))
        whole.update(data)
        bad |= _bad_chunks(data, start, group, name)
    if not bad and whole.digest().hex() == name:
        return PackState(name, size=size)
    problem = f"{len(bad)} of {len(entries)} chunks are damaged" if bad else "does not have the digest of its name"
    return PackState(name, problem, bad=frozenset(bad), size=size)


def _check_without_table(store: Store, name: str, wanted: set[Entry]) -> PackState:
    """The table of a pack is damaged; images do not need it, they know what must be where."""
    size = store.size(pack_key(name))
    bad = set()
    for entry in wanted:
        if entry.offset + entry.length > size:
            bad.add(entry.digest)
            continue
        data = memoryview(store.read(pack_key(name), entry.offset, entry.length))
        bad |= _bad_chunks(data, entry.offset, [entry], name)
    problem = f"its table is damaged, and so are {len(bad)} of the {len(wanted)} chunks that images use"
    return PackState(name, problem, bad=frozenset(bad), size=size)


def _pieces(entries: list[Entry], size: int) -> t.Iterator[tuple[int, int, list[Entry]]]:
    """Ranges that cover a pack without gaps, none much longer than LONGEST, with the chunks in each."""
    start = 0
    group: list[Entry] = []
    for entry in entries:
        if group and entry.offset + entry.length - start > LONGEST:
            yield start, entry.offset, group
            start, group = entry.offset, []
        group.append(entry)
    yield start, size, group


def _bad_chunks(data: memoryview, start: int, group: list[Entry], pack: str) -> set[bytes]:
    engine = decompressor()
    bad = set()
    for entry in group:
        frame = data[entry.offset - start : entry.offset - start + entry.length]
        try:
            content = inflate(engine, frame, LARGEST, f"A chunk of pack {pack}")
        except ImageDamaged:
            bad.add(entry.digest)
            continue
        if digest(content) != entry.digest:
            bad.add(entry.digest)
    return bad
