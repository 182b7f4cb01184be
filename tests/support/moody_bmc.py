# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A relay in front of a Redfish service that makes of it what some real ones are like."""

from __future__ import annotations

import http.client
import http.server
import threading
import types
import typing as t

_Answer = tuple[int, str, bytes]


class MoodyBmc:
    """There from ``with`` to its end, on loopback.

    :ivar complains: answers every request that changes something with 400, after it was obeyed.
    :ivar stale: after each change, so many reads are answered with what was true before it.
    :ivar hides: a word, such as a way to switch, that it does not know.
    :ivar says: what it says instead of each answer whose path ends so.
    :ivar asked: method and path of each request.
    """

    def __init__(self, server: int, complains: bool = False, stale: int = 0, hides: str = "") -> None:
        """:param server: port of the real one, on loopback."""
        self.complains = complains
        self.stale = stale
        self.hides = hides
        self.says: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        self._server = server
        self._stale_left = 0
        self._known: dict[str, _Answer] = {}
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> MoodyBmc:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes) -> _Answer:
        self.asked.append((method, path))
        if method == "GET":
            return self._read(path, headers)
        said = self._ask(method, path, headers, body)
        self._stale_left = self.stale
        complaint = b'{"error": {"code": "Base.1.0.GeneralError", "message": "not in this state"}}'
        return (400, "application/json", complaint) if self.complains and said[0] < 300 else said

    def _read(self, path: str, headers: t.Mapping[str, str]) -> _Answer:
        if self._stale_left > 0 and path in self._known:
            self._stale_left -= 1
            return self._known[path]
        self._known[path] = self._ask("GET", path, headers, b"")
        return self._known[path]

    def _ask(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes) -> _Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._server, timeout=30)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            text = answer.read()
            for end, said in self.says.items():
                if path.rstrip("/").endswith(end):
                    return 200, "application/json", said
            if self.hides:
                text = text.replace(f'"{self.hides}"'.encode(), b'"Unheard-of"')
            return answer.status, answer.headers.get("Content-Type", "text/plain"), text
        finally:
            connection.close()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _relay(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                status, kind, text = relay.answer(self.command, self.path, dict(self.headers), body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = _relay

            def log_message(self, *_arguments: t.Any) -> None:
                """Not to the terminal."""

        return Handler
