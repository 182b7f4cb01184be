# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. HTTP as a store needs it: connections kept alive, patience, and answers that are complete."""

from __future__ import annotations

import contextlib
import ssl
import typing as t
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

from .._errors import StoreBroken, StoreError, StoreRefused, StoreUnreachable
from .._libraries import need
from ._retry import Passing, Patience

if t.TYPE_CHECKING:
    import requests

_CONNECTIONS = 16
_TIMEOUTS = (10.0, 60.0)  # seconds to connect, and without a byte from or to the server
_PIECE = 1024 * 1024
_MOST_REDIRECTS = 5
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_STRANGERS_TRIES = 4  # a server that has never answered is more likely misspelt than restarting


@dataclass(frozen=True)
class Reply:
    """A complete answer. The body is kept for the statuses that the caller wanted."""

    method: str
    url: str
    status: int
    headers: t.Mapping[str, str]
    body: bytes = b""


class HttpClient:
    """Talks to one server. Thread-safe.

    :param url: where the store is, for messages.
    :param ca: file of CA certificates, or None for those that this machine trusts.
    :param use_proxies: obey proxy settings of the environment.
    """

    def __init__(
        self,
        url: str,
        username: str | None,
        password: str | None,
        ca: str | None,
        use_proxies: bool,
        patience: Patience,
    ) -> None:
        self._requests = need("requests")
        self._url = url
        self._verify: str | bool = ca or True
        self._auth: t.Any = _anonymous
        if username is not None:
            self._auth = (username.encode(), (password or "").encode())  # bytes: requests would take Latin-1
        self._patience = patience
        self._answered = False
        self._session: requests.Session = self._requests.Session()
        self._session.trust_env = use_proxies
        self._session.headers["Accept-Encoding"] = "identity"
        # Cookies would be the one thing in a session that requests of several threads change.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = self._requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def close(self) -> None:
        self._session.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: t.Mapping[str, str] | None = None,
        data: t.Sequence[memoryview] | None = None,
        want: t.Container[int] = (),
        limit: int = 0,
        tries: int | None = None,
        final: t.Container[int] = (),
    ) -> Reply:
        """Send a request until it is answered.

        :param data: the body, in pieces.
        :param want: statuses whose body is read.
        :param limit: the longest body that can be right.
        :param tries: how often to try; else as often as this client usually does.
        :param final: statuses that are returned, although trying again may help.
        :raises StoreUnreachable: no connection, in spite of patience.
        :raises StoreBroken: a server error or an incomplete answer, in spite of patience.
        """

        def attempt() -> Reply:
            with self._told(method, url):
                response = self._send(method, url, headers, data)
                with response:
                    self._answered = True
                    reply = self._receive(method, url, response, want, limit)
            if reply.status in _PASSING and reply.status not in final:
                raise Passing(server_error(self._url, reply))
            return reply

        return self._patience.run(attempt, tries or (None if self._answered else _STRANGERS_TRIES))

    def _send(
        self, method: str, url: str, headers: t.Mapping[str, str] | None, data: t.Sequence[memoryview] | None
    ) -> requests.Response:
        auth = self._auth
        for _hop in range(_MOST_REDIRECTS + 1):
            response = self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                data=None if data is None else t.cast("t.Any", _Body(data)),
                auth=auth,
                verify=self._verify,
                timeout=_TIMEOUTS,
                stream=True,
                allow_redirects=False,
            )
            target = _redirection(response)
            # Only reading is redirected: a redirected PUT would become a GET, and look as if it had worked.
            if target is None or method not in {"GET", "HEAD"}:
                return response
            response.close()
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise StoreRefused(
                    f"The store {self._url} redirects to {_plain(target)}, which is not encrypted. "
                    "Correct the server, or name the right place as the store.",
                    store=self._url,
                )
            if _origin(target) != _origin(url):
                auth = _anonymous
            url = target
        raise StoreBroken(f"The store {self._url} redirects in circles. Correct the server.", store=self._url)

    def _receive(self, method: str, url: str, response: requests.Response, want: t.Container[int], limit: int) -> Reply:
        reply = Reply(method, url, response.status_code, response.headers)
        if method == "HEAD":
            return reply
        announced = response.headers.get("Content-Length", "")
        length = int(announced) if announced.isascii() and announced.isdigit() else None
        if reply.status not in want:
            if length is not None and length <= _PIECE:
                response.content  # noqa: B018  # read to the end, the connection can be used again
            return reply
        if length is not None and length > limit:
            raise self._too_long(url, length, limit)
        body = self._body(url, response, limit if length is None else length)
        if length is not None and len(body) != length:
            raise Passing(self._incomplete(method, url, f"it sent {len(body)} of {length} bytes"))
        return Reply(method, url, reply.status, reply.headers, body)

    def _body(self, url: str, response: requests.Response, most: int) -> bytes:
        pieces = []
        have = 0
        # In one piece where it comes in one: joining would copy it.
        for piece in response.iter_content(max(1, most)):
            pieces.append(piece)
            have += len(piece)
            if have > most:
                raise self._too_long(url, have, most)
        return b"".join(pieces)

    @contextlib.contextmanager
    def _told(self, method: str, url: str) -> t.Iterator[None]:
        try:
            yield
        except self._requests.RequestException as error:
            raise self._failure(method, url, error) from error

    def _failure(self, method: str, url: str, error: BaseException) -> Exception:
        causes = list(_causes(error))
        for cause in causes:
            # urllib3 1.26 compares host names itself, and has an exception of its own for it.
            if isinstance(cause, ssl.SSLCertVerificationError) or type(cause).__name__ == "CertificateError":
                why = getattr(cause, "verify_message", str(cause))
                return StoreUnreachable(
                    f"The certificate of the store {self._url} is not accepted: {why}. "
                    "Give the certificate of its CA as store_ca, and use the host name it was made for.",
                    store=self._url,
                )
        root = causes[-1]
        reason = getattr(root, "strerror", None) or str(root) or type(root).__name__
        if isinstance(error, self._requests.exceptions.ChunkedEncodingError):
            return Passing(self._incomplete(method, url, f"the connection broke ({reason})"))
        if isinstance(error, (self._requests.ConnectionError, self._requests.Timeout)):
            return Passing(
                StoreUnreachable(
                    f"The store {self._url} cannot be reached: {reason}. Check the URL, the network between, "
                    "and that the server runs.",
                    store=self._url,
                )
            )
        return StoreBroken(f"The store {self._url} answers what is no HTTP: {reason}.", store=self._url)

    def _incomplete(self, method: str, url: str, what: str) -> StoreBroken:
        return StoreBroken(
            f"The store {self._url} does not answer {method} {_plain(url)} completely: {what}, again and "
            "again. Check the server, its disk, and any proxy between.",
            store=self._url,
        )

    def _too_long(self, url: str, length: int, limit: int) -> StoreBroken:
        return StoreBroken(
            f"The store {self._url} answers with {length} or more bytes to a request for {_plain(url)} that "
            f"can have at most {limit}. Is this the URL of a store, and does it serve byte ranges?",
            store=self._url,
        )


class _Body:
    """The body of a request. It can be sent again, and tells its length, so that it is not sent in chunks."""

    def __init__(self, pieces: t.Sequence[memoryview]) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return sum(map(len, self._pieces))

    def __iter__(self) -> t.Iterator[memoryview]:
        # A timeout counts for each send: with small ones it means a stalled connection, not a slow one.
        for piece in self._pieces:
            for start in range(0, len(piece), _PIECE):
                yield piece[start : start + _PIECE]


def server_error(store: str, reply: Reply) -> StoreError:
    """The error for an answer of 500 and above, where nothing better is known."""
    return StoreBroken(
        f"The store {store} answers {reply.status} to {reply.method} {_plain(reply.url)}. The error log of "
        "the server says why. Often its disk is full or read-only, or its worker may not write to the store "
        "or to client_body_temp_path, or create_full_put_path is off.",
        store=store,
        status=reply.status,
    )


def _anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, not even those that requests would find in a .netrc."""
    return request


def _redirection(response: requests.Response) -> str | None:
    """Where an answer redirects to; None for one that does not.

    To the same place with a slash behind is no redirection for us: it says "this is a folder, not an object".
    """
    if not response.is_redirect:
        return None
    target = urljoin(response.url, response.headers["Location"])
    if urlsplit(target).path == urlsplit(response.url).path + "/":
        return None
    return target


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _plain(url: str) -> str:
    """A URL for a message: a redirection may carry a token in its query."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """An exception, what caused it, and so on."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
