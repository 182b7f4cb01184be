# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Where a store is and how to get in; opening it."""

from __future__ import annotations

import ipaddress
import re
import ssl
import typing as t
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from .._errors import UsageError
from .base import Store
from .directory import DirectoryStore
from .https import HttpsStore

_URL_CHARACTERS = re.compile("[!-~]+")


@dataclass(frozen=True)
class StoreLocation:
    """What a user says about a store. Its repr holds no secret.

    :ivar store: an absolute path, ``file:///...`` or ``https://...``.
    :ivar ca: path of a file with the CA certificates to trust instead of the usual ones.
    """

    store: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None


def location_of(params: t.Mapping[str, t.Any]) -> StoreLocation:
    """The location from a module's parameters (those of STORE_SPEC); an empty one is as good as none."""
    return StoreLocation(
        params["store"],
        params.get("store_username") or None,
        params.get("store_password") or None,
        params.get("store_ca") or None,
    )


def open_store(location: StoreLocation) -> Store:
    """The store at that place. Nothing is read from it yet.

    :raises UsageError: what the user said makes no sense.
    """
    if location.store.startswith("/"):
        return DirectoryStore(location.store)
    parts = _split(location.store)
    if parts.scheme == "file":
        return _open_directory(parts)
    if parts.scheme in {"http", "https"}:
        return _open_https(location, parts)
    raise UsageError(
        f"{_shown(parts)!r} is no store. Write an absolute path (/srv/golden), file:///srv/golden, "
        "or https://server/path.",
    )


def is_loopback(host: str) -> bool:
    """Does this name or address mean this very machine?"""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for one that is no number
    except ValueError as error:
        raise UsageError("The URL of the store cannot be read: check its host, port and brackets.") from error
    return parts


def _shown(parts: SplitResult) -> str:
    """The URL without what may be a secret in it."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _open_directory(parts: SplitResult) -> Store:
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise UsageError(f"{_shown(parts)!r} does not name a directory of this machine. Write file:///srv/golden.")
    return DirectoryStore(unquote(parts.path))


def _open_https(location: StoreLocation, parts: SplitResult) -> Store:
    shown = _shown(parts)
    if not parts.hostname:
        raise UsageError(f"{shown!r} names no server. Write https://server/path.")
    if "@" in parts.netloc:
        raise UsageError(
            f"The URL of the store {shown} has credentials in it, and URLs end up in logs. "
            "Put them into store_username and store_password."
        )
    if parts.query or parts.fragment:
        raise UsageError(f"The URL of the store {shown} must end with its path: no '?' and no '#'.")
    if not _URL_CHARACTERS.fullmatch(shown):
        raise UsageError(f"The URL of the store {shown!r} has characters in it that must be written as %XX.")
    loopback = is_loopback(parts.hostname)
    if parts.scheme == "http" and not loopback:
        raise UsageError(
            f"The store {shown} would move images and credentials in clear text, and believe whoever "
            "answers. Use https://; http:// is for 127.0.0.1 and localhost only."
        )
    _check_credentials(location, shown)
    _check_ca(location.ca, shown)
    return HttpsStore(shown.rstrip("/"), location.username, location.password, ca=location.ca, use_proxies=not loopback)


def _check_credentials(location: StoreLocation, shown: str) -> None:
    if (location.username is None) != (location.password is None):
        missing = "store_username" if location.username is None else "store_password"
        raise UsageError(f"{missing} is missing for the store {shown}: give both, or neither.")
    if location.username is not None and ":" in location.username:
        raise UsageError(f"store_username for the store {shown} has a colon in it, which HTTP forbids.")


def _check_ca(path: str | None, shown: str) -> None:
    if path is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError as error:
        raise UsageError(f"store_ca {path} for the store {shown} is no file of PEM certificates.") from error
    except OSError as error:
        raise UsageError(f"store_ca {path} for the store {shown} cannot be read: {error.strerror}.") from error
