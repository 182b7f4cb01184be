# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores for the tests of the image room; and what tests need not wait for."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._image import lease, pack
from ansible_collections.golden.fleet.plugins.module_utils._power import waiting
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.disks import MIB
from ansible_collections.golden.fleet.tests.support.engine import Place
from ansible_collections.golden.fleet.tests.support.nginx import Nginx


@pytest.fixture(scope="session")
def image_server(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("image-server")) as nginx:
        yield nginx


@pytest.fixture
def directory_place(tmp_path: Path) -> Place:
    return Place(StoreLocation(str(tmp_path / "store")), tmp_path / "store")


@pytest.fixture
def https_place(image_server: Nginx, tmp_path_factory: pytest.TempPathFactory) -> Place:
    name = tmp_path_factory.mktemp("store").name
    writer = image_server.writer
    location = StoreLocation(f"{image_server.url}/{name}", writer.name, writer.password, str(image_server.ca))
    return Place(location, image_server.store_folder / name)


@pytest.fixture(params=["directory", "https"])
def place(request: pytest.FixtureRequest) -> Place:
    """The test runs with each kind of store."""
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
def store(place: Place) -> t.Iterator[Store]:
    with open_store(place.location) as opened:
        yield opened


@pytest.fixture
def directory(directory_place: Place) -> t.Iterator[Store]:
    """A store in a directory only: where the kind of store does not matter."""
    with open_store(directory_place.location) as opened:
        yield opened


@pytest.fixture
def small_packs(monkeypatch: pytest.MonkeyPatch) -> int:
    """Packs of 2 MiB, so that a small disk has several."""
    monkeypatch.setattr(pack, "TARGET_SIZE", 2 * MIB)
    return 2 * MIB


@pytest.fixture
def quick_takeover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody competes for a dead claim in these tests, so there is nothing to wait for."""
    monkeypatch.setattr(lease, "_SETTLE", 0.01)


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine shows is looked at more often than real ones would like."""
    monkeypatch.setattr(waiting, "_PAUSE", 0.1)
