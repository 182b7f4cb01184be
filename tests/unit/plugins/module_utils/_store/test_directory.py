# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    NotInStore,
    StoreBroken,
    StoreError,
    StoreFull,
)
from ansible_collections.golden.fleet.plugins.module_utils._store import base
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import (
    DirectoryStore,
    rename_if_free,
)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryStore:
    return DirectoryStore(str(tmp_path / "store"))


def test_a_directory_that_is_not_there_is_named(store: DirectoryStore) -> None:
    with pytest.raises(NotInStore, match="is it mounted"):
        store.read("a")


def test_the_first_write_makes_it_and_keeps_others_out(store: DirectoryStore) -> None:
    store.write("a/b", b"x")
    assert os.stat(store.url).st_mode & 0o007 == 0


def test_a_file_in_place_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("x")
    store = DirectoryStore(str(tmp_path / "store"))
    with pytest.raises(StoreBroken, match="Something else has that name"):
        store.write("a", b"x")
    with pytest.raises(StoreBroken, match="Something else has that name"):
        store.create("a", b"x")


def test_an_object_is_no_folder(store: DirectoryStore) -> None:
    store.write("a", b"x")
    with pytest.raises(StoreBroken, match="Something else has that name"):
        store.write("a/b", b"x")


def test_many_small_pieces_arrive_in_order(store: DirectoryStore) -> None:
    pieces = [bytes([number % 256]) * (number % 7) for number in range(5000)]
    store.write("a", pieces)
    assert store.read("a") == b"".join(pieces)


def test_links_lead_nowhere(store: DirectoryStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.write("a/b", b"x")
    root = Path(store.url)
    (root / "folder").symlink_to(outside)
    (root / "object").symlink_to(outside / "secret")

    for key in ("folder/secret", "object"):
        with pytest.raises(StoreBroken, match="symbolic link"):
            store.read(key)
    with pytest.raises(StoreBroken, match="symbolic link"):
        store.write("folder/new", b"x")
    with pytest.raises(StoreBroken, match="symbolic link"):
        store.delete("folder/secret")
    store.write("object", b"replaced")
    store.delete("object")
    assert (outside / "secret").read_bytes() == b"secret"
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert [entry.name for entry in store.list()] == ["a"]


def test_neither_a_fifo_nor_a_device_is_an_object(store: DirectoryStore) -> None:
    store.write("a", b"x")
    os.mkfifo(os.path.join(store.url, "fifo"))
    with pytest.raises(NotInStore):
        store.read("fifo")
    assert [entry.name for entry in store.list()] == ["a"]


def test_a_failed_write_leaves_nothing(store: DirectoryStore) -> None:
    store.write("a/b", b"x")
    os.mkdir(os.path.join(store.url, "a", "c"))
    with pytest.raises(StoreBroken):
        store.write("a/c", b"x" * 100_000)
    assert sorted(os.listdir(os.path.join(store.url, "a"))) == ["b", "c"]


def test_an_empty_folder_can_be_deleted_a_full_one_stays(store: DirectoryStore) -> None:
    store.write("a/b/c", b"x")
    store.delete("a/b")
    assert store.read("a/b/c") == b"x"
    store.delete("a/b/c")
    store.delete("a/b")
    assert store.list("a") == []


def test_sweep_takes_only_what_is_old_and_temporary(store: DirectoryStore) -> None:
    store.write("a/object", b"x")
    folder = Path(store.url) / "a"
    old, young, claim = (folder / f"{base.TEMPORARY}{name}" for name in ("old", "young", "claim"))
    old.write_bytes(b"x")
    young.write_bytes(b"x")
    claim.mkdir()
    for path in (old, claim, folder / "object"):
        os.utime(path, (time.time() - 90_000,) * 2)

    assert [entry.name for entry in store.list("a")] == ["object"]
    assert store.sweep() == 2
    assert sorted(path.name for path in folder.iterdir()) == ["object", young.name]


def test_more_than_can_be_right_is_not_read(store: DirectoryStore) -> None:
    store.write("a", b"x")
    os.truncate(os.path.join(store.url, "a"), base.MOST_AT_ONCE + 1)
    with pytest.raises(StoreBroken, match="at most"):
        store.read("a")
    with pytest.raises(StoreBroken, match="at most"):
        store.read("a", 1, base.MOST_AT_ONCE + 1)
    assert store.read("a", base.MOST_AT_ONCE) == b"\0"


def test_errors_name_store_and_key(store: DirectoryStore) -> None:
    with pytest.raises(StoreError) as caught:
        store.read("a/b")
    assert caught.value.facts == {"store": store.url, "key": "a/b"}
    assert store.url in caught.value.message
    assert "a/b" in caught.value.message


def test_rename_if_free(tmp_path: Path) -> None:
    """What create() does on filesystems without hard links."""
    (tmp_path / "old").write_bytes(b"new content")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        rename_if_free(folder, "old", "new")
        assert (tmp_path / "new").read_bytes() == b"new content"
        (tmp_path / "old").write_bytes(b"too late")
        with pytest.raises(FileExistsError):
            rename_if_free(folder, "old", "new")
    finally:
        os.close(folder)
    assert (tmp_path / "new").read_bytes() == b"new content"


class _Transfers:
    """The system's transfers as some filesystems do them: refused, or cut short."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refusal: int | None = None, most: int = 1 << 40) -> None:
        self.direct = 0  # bytes
        self._refusal = refusal
        self._most = most
        write, preadv = os.write, os.preadv
        monkeypatch.setattr(os, "write", lambda fd, data: self._do(fd, lambda: write(fd, data[: self._most])))
        monkeypatch.setattr(
            os, "preadv", lambda fd, to, at: self._do(fd, lambda: preadv(fd, [to[0][: self._most]], at))
        )

    def _do(self, fd: int, transfer: t.Callable[[], int]) -> int:
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT
        if self._refusal:
            raise OSError(self._refusal, os.strerror(self._refusal))
        done = transfer()
        self.direct += done
        return done


def _memory(size: int) -> memoryview:
    memory = memoryview(mmap.mmap(-1, size + mmap.PAGESIZE))[:size]
    memory[:] = os.urandom(size)
    return memory


@pytest.mark.parametrize("most", [1 << 40, 1 << 20, 4096])
def test_packs_go_past_the_page_cache(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    data = _memory((3 << 20) + 777)
    transfers = _Transfers(monkeypatch, most=most)
    store.write("pack", data)
    assert transfers.direct == min(most, 3 << 20)
    assert store.read("pack", 5, 3 << 20) == data[5 : 5 + (3 << 20)]
    assert store.read("pack") == data


@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.EOPNOTSUPP])
def test_without_direct_io(store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, refusal: int) -> None:
    data = _memory((3 << 20) + 777)
    transfers = _Transfers(monkeypatch, refusal)
    store.write("pack", data)
    assert store.read("pack", 4096, 2 << 20) == data[4096 : 4096 + (2 << 20)]
    assert store.read("pack") == data
    assert transfers.direct == 0


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, StoreFull), (errno.EIO, StoreBroken)])
def test_direct_io_that_fails(
    store: DirectoryStore, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[StoreError]
) -> None:
    _Transfers(monkeypatch, code)
    with pytest.raises(kind):
        store.write("packs/pack", _memory(2 << 20))
    assert store.list("packs") == []
