# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore
from ansible_collections.golden.fleet.plugins.module_utils._store.https import HttpsStore
from ansible_collections.golden.fleet.plugins.module_utils._store.location import (
    StoreLocation,
    is_loopback,
    location_of,
    open_store,
)


@pytest.mark.parametrize(
    ("store", "kind", "url"),
    [
        ("/srv/golden", DirectoryStore, "/srv/golden"),
        ("/srv/what?#%20", DirectoryStore, "/srv/what?#%20"),
        ("file:///srv/my%20images", DirectoryStore, "/srv/my images"),
        ("file://localhost/srv/golden", DirectoryStore, "/srv/golden"),
        ("https://imaging.example/golden/", HttpsStore, "https://imaging.example/golden"),
        ("HTTPS://imaging.example:8443/golden", HttpsStore, "https://imaging.example:8443/golden"),
        ("http://localhost:8080/golden", HttpsStore, "http://localhost:8080/golden"),
        ("http://127.1.2.3/golden", HttpsStore, "http://127.1.2.3/golden"),
        ("http://[::1]:80/golden", HttpsStore, "http://[::1]:80/golden"),
    ],
)
def test_places(store: str, kind: type, url: str) -> None:
    with open_store(StoreLocation(store)) as opened:
        assert isinstance(opened, kind)
        assert opened.url == url


@pytest.mark.parametrize(
    ("store", "hint"),
    [
        ("", "absolute path"),
        ("golden", "absolute path"),
        ("~/golden", "absolute path"),
        ("../golden", "absolute path"),
        ("s3://bucket/golden", "absolute path"),
        ("file://server/golden", "file:///srv"),
        ("file:golden", "file:///srv"),
        ("https:///golden", "names no server"),
        ("https://imaging.example/golden?x=1", "end with its path"),
        ("https://imaging.example/golden#x", "end with its path"),
        ("https://imaging.example/my images", "%XX"),
        ("https://imaging.example/\u00e4", "%XX"),
        ("https://imaging.example:abc/golden", "host, port and brackets"),
        ("https://[::1/golden", "host, port and brackets"),
        ("http://imaging.example/golden", "clear text"),
        ("http://localhost.example/golden", "clear text"),
        ("http://10.0.0.1/golden", "clear text"),
    ],
)
def test_places_that_make_no_sense(store: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        open_store(StoreLocation(store))


@pytest.mark.parametrize(
    "store",
    [
        "https://user:CANARY@imaging.example/golden",
        "https://CANARY@imaging.example/golden",
        "http://user:CANARY@imaging.example/golden",
        "https://user:CANARY@imaging.example:port/golden",
        "ftp://user:CANARY@imaging.example/golden?token=CANARY",
        "https://imaging.example/golden?token=CANARY",
    ],
)
def test_secrets_in_a_url_are_refused_and_not_repeated(store: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(StoreLocation(store))
    assert "CANARY" not in str(caught.value) + repr(caught.value) + repr(caught.value.facts)


def test_a_password_is_in_no_repr() -> None:
    location = StoreLocation("https://imaging.example/golden", "user", "CANARY")
    with open_store(location) as store:
        assert "CANARY" not in repr(location) + repr(store)


@pytest.mark.parametrize(
    ("username", "password", "hint"),
    [
        ("user", None, "store_password is missing"),
        (None, "secret", "store_username is missing"),
        ("us:er", "secret", "colon"),
    ],
)
def test_half_credentials(username: str | None, password: str | None, hint: str) -> None:
    with pytest.raises(UsageError, match=hint) as caught:
        open_store(StoreLocation("https://imaging.example/golden", username, password))
    assert "secret" not in str(caught.value)


def test_a_ca_file_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        open_store(StoreLocation("https://imaging.example/golden", ca=str(tmp_path / "none.pem")))
    (tmp_path / "garbage.pem").write_text("not a certificate")
    with pytest.raises(UsageError, match="no file of PEM certificates"):
        open_store(StoreLocation("https://imaging.example/golden", ca=str(tmp_path / "garbage.pem")))


def test_credentials_do_not_matter_to_a_directory() -> None:
    """They come from the environment, too, and that is the same for all tasks."""
    assert open_store(StoreLocation("/srv/golden", "user", None, "/none.pem")).url == "/srv/golden"


def test_location_of_a_modules_parameters() -> None:
    params: dict[str, t.Any] = {"store": "/srv/golden", "store_username": "", "store_password": None}
    assert location_of(params) == StoreLocation("/srv/golden")
    params = {"store": "https://h/p", "store_username": "u", "store_password": "p", "store_ca": "/ca.pem"}
    assert location_of(params) == StoreLocation("https://h/p", "u", "p", "/ca.pem")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("127.255.0.9", True), ("::1", True), ("128.0.0.1", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
