# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong with a store in a directory, on real filesystems. Needs root, for mount and chattr."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import StoreFull, StoreRefused
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore
from ansible_collections.golden.fleet.tests.support.filesystem import mounted_ext4, read_only

_MIB = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> t.Iterator[DirectoryStore]:
    """A store on a filesystem of its own."""
    with mounted_ext4(tmp_path, 24 * _MIB) as mountpoint:
        yield DirectoryStore(str(mountpoint / "golden"))


def test_full(store: DirectoryStore) -> None:
    store.write("packs/fits", b"x" * _MIB)
    with pytest.raises(StoreFull, match=r"No space left.*image_prune") as caught:
        store.write("packs/object", b"x" * (40 * _MIB))
    assert store.url in caught.value.message
    assert "are free there" in caught.value.message
    assert [entry.name for entry in store._children("packs")] == ["fits"]
    store.write("packs/object", b"x" * _MIB)


def test_read_only(store: DirectoryStore) -> None:
    store.write("images/a", b"x")
    with read_only(Path(store.url).parent):
        for change in (store.write, store.create):
            with pytest.raises(StoreRefused, match=r"Read-only file system.*[Mm]ount it writable"):
                change("images/b", b"y")
        with pytest.raises(StoreRefused, match="Cannot delete images/a"):
            store.delete("images/a")
        assert store.read("images/a") == b"x"
        assert store.age("images/a") < 30
        assert [entry.name for entry in store.list("images")] == ["a"]


def test_not_allowed(store: DirectoryStore) -> None:
    """An immutable folder refuses even root, as a folder of somebody else refuses others."""
    store.write("images/a", b"x")
    folder = os.path.join(store.url, "images")
    subprocess.run(["chattr", "+i", folder], check=True)
    try:
        with pytest.raises(StoreRefused, match="Check owner and mode"):
            store.write("images/b", b"y")
    finally:
        subprocess.run(["chattr", "-i", folder], check=True)
