# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What the imaging server's own systemd units run: one check-in, and the expiry of entries.

A check-in arrives over nginx, which does TLS and limits, on a socket whose connections systemd hands over as standard
input. What is said on standard error goes to the journal; it holds no tokens.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
import typing as t
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from .._errors import GoldenError, NetbootRefused
from .config import DEFAULT_PATH, NetbootConfig, read_config
from .folder import NetbootFolder
from .report import LONGEST, decode

_PATIENCE = 20  # seconds for a request


class CheckinHandler(BaseHTTPRequestHandler):
    """One request of a boot environment: 204, or it is not told more than that it was refused."""

    timeout = _PATIENCE
    server_version = "golden.fleet"
    sys_version = ""
    config: t.ClassVar[NetbootConfig]

    def do_POST(self) -> None:
        try:
            size = int(self.headers.get("Content-Length", ""))
            if not 0 < size <= LONGEST:
                raise ValueError(f"it has {size} bytes where {LONGEST} are allowed")
            report = decode(self.rfile.read(size))
        except ValueError as error:
            self._answer(HTTPStatus.BAD_REQUEST, f"not understood: {error}")
            return
        kind, _space, token = self.headers.get("Authorization", "").partition(" ")
        try:
            if kind != "Bearer":
                raise NetbootRefused("it shows no token")
            folder = NetbootFolder(self.config.state)
            entry = folder.consume(token.strip(), report, self._address(), int(time.time()))
        except NetbootRefused as refusal:
            self._answer(HTTPStatus.FORBIDDEN, f"refused: {refusal.message}")
        except GoldenError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, error.message)
        else:
            self._answer(HTTPStatus.NO_CONTENT, f"accepted: {entry.host} ({entry.mac})")

    def log_message(self, *_args: t.Any) -> None:
        """Nothing: nginx logs requests, and _answer() says what became of this one."""

    def _answer(self, status: HTTPStatus, why: str) -> None:
        sys.stderr.write(f"check-in from {self._address()}: {''.join(filter(str.isprintable, why))}\n")
        self.close_connection = True
        self.send_response(status)
        self.send_header("Connection", "close")
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def _address(self) -> str:
        """Only nginx can reach the socket, so this header is its own."""
        return self.headers.get("X-Real-IP") or "unknown"


def serve_one(config: NetbootConfig) -> None:
    """Answer the request that comes in on standard input, a socket."""
    handler = type("Handler", (CheckinHandler,), {"config": config})
    with socket.socket(fileno=sys.stdin.fileno()) as connection:
        connection.settimeout(_PATIENCE)
        handler(connection, ("nginx", 0), None)


def expire(config: NetbootConfig) -> None:
    for entry in NetbootFolder(config.state).expire(int(time.time())):
        sys.stderr.write(f"the entry of {entry.host} ({entry.mac}) has expired: it did not check in\n")


def main(args: t.Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operation", choices=["checkin", "expire"])
    parser.add_argument("--config", default=DEFAULT_PATH)
    chosen = parser.parse_args(args)
    try:
        config = read_config(chosen.config)
        serve_one(config) if chosen.operation == "checkin" else expire(config)
    except GoldenError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
