# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A store on an HTTPS server, made for nginx: ranges to read, WebDAV to write, JSON listings."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import typing as t
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from .._errors import AlreadyInStore, NotInStore, StoreBroken, StoreError, StoreFull, StoreRefused
from .._units import show_size
from ._http import HttpClient, Reply, server_error
from ._retry import Patience
from .base import MOST_AT_ONCE, TEMPORARY, Entries, Entry, Store, temporary_key

_LONGEST_LISTING = 64 * 1024 * 1024
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_CLAIM_LASTS = 60.0  # seconds; creating takes a few requests, so an older claim is that of a dead process
_CLAIM_TRIES = 200
_CLAIM_PAUSE = 0.5
_CLAIMS_UNSEEN = 5


class HttpsStore(Store):
    """Keys are paths beneath a URL."""

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        ca: str | None = None,
        use_proxies: bool = True,
        patience: Patience | None = None,
    ) -> None:
        super().__init__(url)
        self._patience = patience or Patience()
        self._http = HttpClient(url, username, password, ca, use_proxies, self._patience)

    def close(self) -> None:
        self._http.close()

    def _read_all(self, key: str) -> bytes:
        reply = self._http.request("GET", self._at(key), want={200}, limit=MOST_AT_ONCE)
        return self._good(reply, {200}, key).body

    def _read_range(self, key: str, start: int, length: int) -> bytes:
        last = start + length - 1
        headers = {"Range": f"bytes={start}-{last}"}
        reply = self._http.request("GET", self._at(key), headers=headers, want={206}, limit=length)
        # nginx answers 200 instead of 416 where the object is empty.
        if reply.status == 416 or (reply.status == 200 and reply.headers.get("Content-Length") == "0"):
            raise self.too_short(key, start + length, self._size(key))
        self._good(reply, {200, 206}, key)
        if reply.status == 200:
            raise StoreBroken(
                f"The store {self.url} sends the whole of {key} where a piece was asked for: it does not "
                "serve byte ranges. In nginx, remove 'max_ranges 0' and filters that change content there.",
                store=self.url,
                key=key,
            )
        found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", ""))
        if not found or int(found[1]) != start or int(found[2]) > last:
            raise self._strange(key, f"a range other than the bytes {start}-{last} that were asked for")
        if int(found[2]) < last or len(reply.body) != length:
            raise self.too_short(key, start + length, start + len(reply.body))
        return reply.body

    def _size(self, key: str) -> int:
        length = self._head(key).headers.get("Content-Length", "")
        if not length.isdigit():
            raise self._strange(key, "no Content-Length")
        return int(length)

    def _age(self, key: str) -> float:
        headers = self._head(key).headers
        return self._seconds(headers.get("Last-Modified"), headers.get("Date"), key)

    def _write(self, key: str, data: t.Sequence[memoryview]) -> None:
        reply = self._http.request("PUT", self._at(key), data=data, final={500})
        if reply.status == 500:
            # nginx says the same to a full disk and to a hiccup. The first must not cost minutes of patience.
            small_ones_work = self._takes_a_byte(key)
            reply = self._http.request("PUT", self._at(key), data=data, final={500} if small_ones_work else ())
            if reply.status == 500:
                size = show_size(sum(map(len, data)))
                raise self._full(key, f"takes a single byte, but again and again not {size}")
        self._good(reply, {201, 204}, key)

    def _takes_a_byte(self, key: str) -> bool:
        """Does the smallest of uploads work, after one that failed?

        :raises StoreFull: it does not, and not even a folder can be made.
        :raises StoreRefused: the same, for lack of rights. Only where folders are made nginx says why.
        """
        small = temporary_key(key)
        reply = self._http.request("PUT", self._at(small), data=[memoryview(b".")], final={500})
        if reply.status != 500:
            self._drop(small)
            return reply.status in {201, 204}
        folder = temporary_key("") + "/"
        reply = self._http.request("MKCOL", self._at(folder), final={500})
        if reply.status in {403, 507}:
            raise self._refusal(reply, key)
        self._drop(folder)
        return False

    def _create(self, key: str, data: t.Sequence[memoryview]) -> None:
        """Upload under another name, then rename.

        nginx renames "only if there is none" in two steps, so that two could win at the same instant.
        Making a folder is one step: whoever makes the claim's folder may rename.
        """
        self._check_free(key)
        temporary = temporary_key(key)
        self._write(temporary, data)
        try:
            with self._claim(key):
                self._move_if_free(temporary, key)
        except BaseException:
            self._drop(temporary)
            raise

    @contextlib.contextmanager
    def _claim(self, key: str) -> t.Iterator[None]:
        folder, _slash, name = key.rpartition("/")
        claim = TEMPORARY + hashlib.sha256(name.encode()).hexdigest()[:32]
        path = f"{folder}/{claim}/".lstrip("/")
        for attempt in range(_CLAIM_TRIES):
            reply = self._http.request("MKCOL", self._at(path))
            if reply.status != 405:
                self._good(reply, {201}, key)
                break
            self._check_free(key)
            age = self._age_of_folder(folder, claim)
            if age is None and attempt > _CLAIMS_UNSEEN:
                raise self._refusal(reply, key)  # there is no such folder: it is MKCOL that is not allowed
            if age is not None and age > _CLAIM_LASTS:
                self._drop(path)
            self._patience.sleep(min(0.05 * 2**attempt, _CLAIM_PAUSE))
        else:
            raise StoreRefused(
                f"{key} in the store {self.url} is being created by somebody else, who does not come to an "
                f"end. If nobody is, remove the folder {path} on the server.",
                store=self.url,
                key=key,
            )
        try:
            yield
        finally:
            self._drop(path)

    def _age_of_folder(self, folder: str, name: str) -> float | None:
        return next((entry.age for entry in self._children(folder) if entry.name == name), None)

    def _check_free(self, key: str) -> None:
        with contextlib.suppress(NotInStore):
            self._head(key)
            raise self._exists(key)

    def _move_if_free(self, temporary: str, key: str) -> None:
        # Only a path, no URL: behind a proxy that ends TLS, the server has another name for itself.
        headers = {"Destination": urlsplit(self._at(key)).path, "Overwrite": "F"}
        reply = self._http.request("MOVE", self._at(temporary), headers=headers)
        if reply.status in {404, 412} and self._is_gone(temporary):
            return  # an earlier try did it, and only its answer got lost
        if reply.status == 412:
            raise self._exists(key)
        self._good(reply, {201, 204}, key)

    def _is_gone(self, key: str) -> bool:
        try:
            self._head(key)
        except NotInStore:
            return True
        return False

    def _delete(self, key: str) -> None:
        reply = self._http.request("DELETE", self._at(key))
        if reply.status not in {404, 409}:  # 409: a folder. nginx would take it away with all that is in it
            self._good(reply, {204}, key)

    def _drop(self, path: str) -> None:
        """Take away something temporary. If that fails, sweep() will."""
        with contextlib.suppress(StoreError):
            self._http.request("DELETE", self._at(path), tries=2)

    def _remove_temporary(self, path: str) -> None:
        reply = self._http.request("DELETE", self._at(path))
        if reply.status != 404:
            self._good(reply, {204}, path)

    def _children(self, folder: str) -> Entries:
        url = self._at(folder + "/") if folder else self._at("")
        reply = self._http.request("GET", url, want={200}, limit=_LONGEST_LISTING)
        if reply.status == 404:
            return []
        self._good(reply, {200}, folder)
        date = reply.headers.get("Date")
        try:
            return [self._entry(item, date, folder) for item in json.loads(reply.body)]
        except (ValueError, TypeError, KeyError) as error:
            hint = "no JSON listing (in nginx: 'autoindex on; autoindex_format json;', and no index page)"
            raise self._strange(folder, hint) from error

    def _entry(self, item: t.Mapping[str, t.Any], date: str | None, folder: str) -> Entry:
        is_folder = item["type"] == "directory"
        size = 0 if is_folder else int(item["size"])
        return Entry(str(item["name"]), is_folder, size, self._seconds(item["mtime"], date, folder))

    def _head(self, key: str) -> Reply:
        return self._good(self._http.request("HEAD", self._at(key)), {200}, key)

    def _seconds(self, then: str | None, now: str | None, key: str) -> float:
        """How long before its answer something happened, both by the server's clock."""
        try:
            passed = parsedate_to_datetime(now or "") - parsedate_to_datetime(then or "")
        except (TypeError, ValueError) as error:
            raise self._strange(key, "no usable times (Date, Last-Modified, mtime)") from error
        return max(0.0, passed.total_seconds())

    def _at(self, path: str) -> str:
        return f"{self.url}/{path}"

    def _good(self, reply: Reply, expected: t.Container[int], key: str) -> Reply:
        if reply.status in expected:
            return reply
        raise self._refusal(reply, key)

    def _refusal(self, reply: Reply, key: str) -> StoreError:
        facts = {"store": self.url, "key": key, "status": reply.status}
        said = f"The store {self.url} answers {reply.status} to {reply.method} {key or 'its root'}"
        redirected = 300 <= reply.status < 400
        is_folder = redirected and reply.headers.get("Location", "").endswith(f"/{key}/")
        if reply.status == 404 or is_folder:
            return NotInStore(f"There is no {key} in the store {self.url}.", **facts)
        if reply.status == 507:
            return self._full(key, "answers 507")
        if reply.status >= 500 and reply.status != 501:
            return server_error(self.url, reply)
        kind, hint = _REFUSALS.get(reply.status, (StoreBroken, "Is this the URL of a store?"))
        if reply.status == 403 and reply.method in {"GET", "HEAD"} and reply.url.endswith("/"):
            hint = "Listing is off (autoindex), or the server's worker may not read there."
        if redirected:
            hint = "It redirects: name the place that it redirects to as the store."
        return kind(f"{said}. {hint}", **facts)

    def _exists(self, key: str) -> AlreadyInStore:
        return AlreadyInStore(f"There is a {key} in the store {self.url} already.", store=self.url, key=key)

    def _full(self, key: str, why: str) -> StoreFull:
        return StoreFull(
            f"The store {self.url} has no room for {key}: it {why}. Make room with golden.fleet.image_prune, "
            "or grow the filesystem of the store or of nginx's client_body_temp_path.",
            store=self.url,
            key=key,
        )

    def _strange(self, key: str, what: str) -> StoreBroken:
        return StoreBroken(
            f"The store {self.url} answers for {key or 'its root'} with {what}. Is this the URL of a store?",
            store=self.url,
            key=key,
        )


_REFUSALS: dict[int, tuple[type[StoreError], str]] = {
    401: (
        StoreRefused,
        (
            "User name or password are missing or wrong, or this user may only read: "
            "set store_username and store_password."
        ),
    ),
    403: (StoreRefused, "This user may not do that, or the server's worker has no right to that path."),
    405: (StoreRefused, "It does not take uploads there. In nginx: 'dav_methods PUT DELETE MKCOL MOVE;'."),
    501: (StoreRefused, "It does not take uploads there. In nginx: 'dav_methods PUT DELETE MKCOL MOVE;'."),
    409: (StoreBroken, "Something else has that name, or its folder is missing: look there."),
    413: (StoreRefused, "The object is bigger than the server takes. In nginx: 'client_max_body_size 0;'."),
}
