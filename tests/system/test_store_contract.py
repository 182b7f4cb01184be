# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every store must do, whatever is behind it."""

from __future__ import annotations

import mmap
import random
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    AlreadyInStore,
    NotInStore,
    StoreBroken,
)
from ansible_collections.golden.fleet.plugins.module_utils._store import base
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.nginx import Nginx

_MIB = 1 << 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("nginx")) as nginx:
        yield nginx


@pytest.fixture(params=["directory", "https"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> StoreLocation:
    if request.param == "directory":
        return StoreLocation(str(tmp_path / "store"))
    nginx = request.getfixturevalue("server")
    return StoreLocation(f"{nginx.url}/{tmp_path.name}", nginx.writer.name, nginx.writer.password, str(nginx.ca))


@pytest.fixture
def store(location: StoreLocation) -> t.Iterator[Store]:
    with open_store(location) as opened:
        yield opened


def _random(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.list() == []
    assert store.list("images") == []
    assert store.sweep() == 0
    store.delete("images/a")
    for ask in (store.read, store.size, store.age):
        with pytest.raises(NotInStore, match="images/a"):
            ask("images/a")


@pytest.mark.parametrize("size", [0, 1, 65_537, 3 * _MIB + 1])
def test_what_is_written_is_read(store: Store, size: int) -> None:
    data = _random(size)
    store.write("packs/ab/x+y_z-1.pack", data)
    assert store.read("packs/ab/x+y_z-1.pack") == data
    assert store.size("packs/ab/x+y_z-1.pack") == size


def test_a_large_object_in_pieces(store: Store) -> None:
    pieces = [_random(size) for size in (1, 5 * _MIB, 0, 70_000, 30 * _MIB)]
    store.write("packs/large", [pieces[0], bytearray(pieces[1]), memoryview(pieces[2]), *pieces[3:]])
    whole = b"".join(pieces)
    assert store.size("packs/large") == len(whole)
    assert store.read("packs/large") == whole
    assert store.read("packs/large", 5 * _MIB, _MIB) == whole[5 * _MIB : 6 * _MIB]


def test_a_pack_from_aligned_memory_and_ranges_of_it(store: Store) -> None:
    """This is what goes past the page cache where the store allows it; the odd end cannot."""
    memory = memoryview(mmap.mmap(-1, 12 * _MIB))[: 11 * _MIB + 777]
    memory[:] = _random(len(memory))
    store.write("packs/aligned", memory)
    assert store.read("packs/aligned") == memory
    for start, length in ((0, _MIB), (4095, 8 * _MIB), (10 * _MIB, _MIB + 777), (1, 11 * _MIB + 776)):
        assert store.read("packs/aligned", start, length) == memory[start : start + length]
    with pytest.raises(StoreBroken, match=f"ends after {len(memory)} bytes"):
        store.read("packs/aligned", 10 * _MIB, 2 * _MIB)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (0, 1000), (1, 998), (999, 1), (500, None), (1000, None), (0, 0), (1000, 0)]
)
def test_pieces(store: Store, start: int, length: int | None) -> None:
    data = _random(1000)
    store.write("object", data)
    assert store.read("object", start, length) == (data[start:] if length is None else data[start : start + length])


@pytest.mark.parametrize(("start", "length"), [(0, 1001), (999, 2), (1000, 1), (5000, 10), (1001, None)])
def test_an_object_that_ends_too_early_is_broken(store: Store, start: int, length: int | None) -> None:
    store.write("object", _random(1000))
    with pytest.raises(StoreBroken, match=r"ends after \d+ bytes") as caught:
        store.read("object", start, length)
    assert caught.value.facts["store"] == store.url


def test_a_piece_of_an_empty_object(store: Store) -> None:
    store.write("object", b"")
    with pytest.raises(StoreBroken, match="ends after 0 bytes"):
        store.read("object", 0, 1)


def test_a_piece_of_nothing(store: Store) -> None:
    with pytest.raises(NotInStore):
        store.read("object", 0, 10)


def test_writing_replaces(store: Store) -> None:
    store.write("object", _random(5000))
    store.write("object", b"short")
    assert store.read("object") == b"short"
    assert [entry.size for entry in store.list()] == [5]


def test_creating_does_not_replace(store: Store) -> None:
    store.create("images/a/manifest.json", [b"fi", b"rst"])
    with pytest.raises(AlreadyInStore, match=r"images/a/manifest\.json"):
        store.create("images/a/manifest.json", b"second")
    assert store.read("images/a/manifest.json") == b"first"
    store.delete("images/a/manifest.json")
    store.create("images/a/manifest.json", b"third")
    assert store.read("images/a/manifest.json") == b"third"


def test_neither_writing_nor_creating_leaves_anything_else(store: Store) -> None:
    store.create("images/object", b"x")
    store.write("images/object", b"y")
    with pytest.raises(AlreadyInStore):
        store.create("images/object", b"z")
    assert [entry.name for entry in store._children("images")] == ["object"]


def test_lists(store: Store) -> None:
    for key in ("b/two", "b/one", "a/deep/er", "c+", "B"):
        store.write(key, key.encode())
    assert [(entry.name, entry.folder, entry.size) for entry in store.list()] == [
        ("B", False, 1),
        ("a", True, 0),
        ("b", True, 0),
        ("c+", False, 2),
    ]
    assert [(entry.name, entry.folder, entry.size) for entry in store.list("b")] == [
        ("one", False, 5),
        ("two", False, 5),
    ]
    assert [entry.name for entry in store.list("a")] == ["deep"]


def test_a_folder_is_no_object(store: Store) -> None:
    store.write("images/a/b", b"x")
    for ask in (store.read, store.size, store.age):
        with pytest.raises(NotInStore):
            ask("images/a")
    with pytest.raises(NotInStore):
        store.read("images/a/b/c")
    store.delete("images/a")
    assert store.read("images/a/b") == b"x"


def test_a_folder_is_not_replaced(store: Store) -> None:
    store.write("images/a/b", b"x")
    with pytest.raises(StoreBroken, match="Something else has that name"):
        store.write("images/a", b"y")
    assert store.read("images/a/b") == b"x"


def test_deleting(store: Store) -> None:
    store.write("images/a", b"x")
    store.write("images/b", b"y")
    store.delete("images/a")
    store.delete("images/a")
    with pytest.raises(NotInStore):
        store.read("images/a")
    assert [entry.name for entry in store.list("images")] == ["b"]


def test_age(store: Store) -> None:
    store.write("lease", b"x")
    assert 0 <= store.age("lease") < 30
    assert all(0 <= entry.age < 30 for entry in store.list())


def test_what_is_no_key_goes_nowhere(store: Store) -> None:
    calls: list[t.Callable[[str], t.Any]] = [
        store.read,
        store.size,
        store.age,
        store.delete,
        store.list,
        lambda key: store.write(key, b"x"),
        lambda key: store.create(key, b"x"),
    ]
    for call in calls:
        for key in ("../x", "/x", f"{base.TEMPORARY}x", "a//b"):
            with pytest.raises(ValueError, match="no key"):
                call(key)


def test_amounts_that_make_no_sense(store: Store) -> None:
    store.write("object", b"x")
    for start, length in ((-1, 1), (0, -1)):
        with pytest.raises(ValueError, match="cannot read"):
            store.read("object", start, length)
    with pytest.raises(StoreBroken, match="at most"):
        store.read("object", 0, base.MOST_AT_ONCE + 1)


def test_of_two_who_create_at_the_same_time_one_wins(location: StoreLocation) -> None:
    """Fifty times, each from a store object of its own: they share nothing but the store."""
    with open_store(location) as one, open_store(location) as two:
        stores = {"one": one, "two": two}
        barrier = threading.Barrier(len(stores))
        won: list[list[str]] = [[] for _round in range(50)]

        def compete(name: str) -> None:
            for number, winners in enumerate(won):
                barrier.wait(120)
                try:
                    stores[name].create(f"images/{number}/manifest.json", name.encode() * 1000)
                except AlreadyInStore:
                    continue
                winners.append(name)

        threads = [threading.Thread(target=compete, args=(name,)) for name in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [len(winners) for winners in won] == [1] * 50
        for number, [winner] in enumerate(won):
            assert one.read(f"images/{number}/manifest.json") == winner.encode() * 1000
            assert [entry.name for entry in one._children(f"images/{number}")] == ["manifest.json"]


def test_one_store_serves_many_threads(store: Store) -> None:
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            data = _random(200_000 + number)
            for turn in range(5):
                store.write(f"packs/{number}-{turn}", data)
                assert store.read(f"packs/{number}-{turn}", 1000, 100_000) == data[1000:101_000]
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(store.list("packs")) == 40


def test_a_reader_never_sees_half_an_object(store: Store) -> None:
    versions = [bytes([value]) * (2 * _MIB + value) for value in (1, 2)]
    store.write("object", versions[0])
    done = threading.Event()

    def rewrite() -> None:
        for turn in range(20):
            store.write("object", versions[turn % 2])
        done.set()

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        while not done.is_set():
            assert store.read("object") in versions
    finally:
        writer.join()
