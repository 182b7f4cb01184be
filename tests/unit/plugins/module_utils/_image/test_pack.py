# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged, NotInStore
from ansible_collections.golden.fleet.plugins.module_utils._image import _codec
from ansible_collections.golden.fleet.plugins.module_utils._image.names import pack_key
from ansible_collections.golden.fleet.plugins.module_utils._image.pack import (
    TARGET_SIZE,
    Entry,
    PackBuilder,
    pack_buffer,
    read_table,
)
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

MAGIC = b"GFPACK\x00\x01"
NAME = "a" * 64

chunks = st.dictionaries(st.binary(min_size=32, max_size=32), st.binary(max_size=300), max_size=20)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return DirectoryStore(str(tmp_path))


def built(frames: dict[bytes, bytes], buffer: memoryview | None = None) -> tuple[list[Entry], str, bytes]:
    builder = PackBuilder(buffer)
    entries = [builder.add(digest, frame) for digest, frame in frames.items()]
    name, data = builder.finish()
    return entries, name, bytes(data)


@given(chunks)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_table_says_where_the_frames_are(store: Store, frames: dict[bytes, bytes]) -> None:
    entries, name, data = built(frames)
    store.write(pack_key(name), data)
    assert name == _codec.digest(data).hex()
    assert read_table(store, name) == entries
    assert {entry.digest: data[entry.offset : entry.offset + entry.length] for entry in entries} == frames


def test_a_builder_says_when_it_is_full() -> None:
    builder = PackBuilder()
    builder.add(b"a" * 32, bytes(TARGET_SIZE - 8 - 36 - 36 - 1))
    assert not builder.full
    builder.add(b"b" * 32, b"x")
    assert builder.full


def test_a_buffer_serves_one_builder_after_the_other() -> None:
    buffer = pack_buffer()
    one, other = {b"a" * 32: b"long frame"}, {b"b" * 32: b"short"}
    assert built(one, buffer) == built(one)
    assert built(other, buffer) == built(other)


def pack(
    frames: bytes = b"frame",
    lengths: tuple[int, ...] = (5,),
    count: int | None = None,
    table_at: int | None = None,
    magic: bytes = MAGIC,
    digest: bytes | None = None,
) -> bytes:
    """A pack from scratch, with whatever lies are wanted."""
    table = b"".join(struct.pack("<32sI", bytes([row]) * 32, length) for row, length in enumerate(lengths))
    at = len(MAGIC) + len(frames) if table_at is None else table_at
    count = len(lengths) if count is None else count
    return MAGIC + frames + table + struct.pack("<QQ32s8s", count, at, digest or _codec.digest(table), magic)


HOSTILE = {
    "nothing": b"",
    "too short for a trailer": pack()[-63:],
    "another magic": pack(magic=b"GFPACK\x00\x02"),
    "frames shorter than the pack": pack(lengths=(4,)),
    "frames longer than the pack": pack(lengths=(6,)),
    "a frame of 4 GiB": pack(lengths=(2**32 - 1,)),
    "more entries than the table": pack(count=2),
    "fewer entries than the table": pack(count=0),
    "a huge count": pack(count=2**64 - 1),
    "a table in the trailer": pack(table_at=49),
    "a table beyond the end": pack(table_at=2**63),
    "another table": pack(digest=b"x" * 32),
    "cut off": pack()[:-1],
    "bytes behind the end": pack() + b"x",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_lies_are_refused(store: Store, data: bytes) -> None:
    store.write(pack_key(NAME), data)
    with pytest.raises(ImageDamaged, match=f"[Pp]ack {NAME}"):
        read_table(store, NAME)


def test_honest_ones_pass(store: Store) -> None:
    store.write(pack_key(NAME), pack())
    assert read_table(store, NAME) == [Entry(bytes(32), 8, 5)]


@given(chunks, st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_table_is_noticed(store: Store, frames: dict[bytes, bytes], data: st.DataObject) -> None:
    entries, _name, whole = built(frames)
    changed = bytearray(whole)
    at = data.draw(st.integers(8 + sum(entry.length for entry in entries), len(whole) - 1))
    changed[at] ^= data.draw(st.integers(1, 255))
    store.write(pack_key(NAME), bytes(changed))
    with pytest.raises(ImageDamaged):
        read_table(store, NAME)


def test_a_pack_that_is_gone_is_no_damage(store: Store) -> None:
    with pytest.raises(NotInStore):
        read_table(store, NAME)
