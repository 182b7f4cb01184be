# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TCP relay that misbehaves: it cuts connections in the middle of an answer."""

from __future__ import annotations

import contextlib
import socket
import threading
import types
import typing as t


class Relay:
    """Stands between a client and a server on loopback, knowing nothing of what they say (it may be TLS).

    :param server: the port to relay to.
    :param cut_after: bytes from the server after which a connection is cut.
    :param cuts: how many connections are cut; the ones after that are relayed to their end.
    """

    def __init__(self, server: int, cut_after: int, cuts: int) -> None:
        self.cuts_left = cuts
        self._server = server
        self._cut_after = cut_after
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Relay:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            _shut(each)
        for thread in self._threads:
            thread.join(10)
        for each in (self._listener, *self._sockets):
            each.close()

    def _spawn(self, target: t.Callable[..., None], *arguments: t.Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets += [client, server]
                self._spawn(self._copy, client, server, None)
                self._spawn(self._copy, server, client, self._cut_after)

    def _copy(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        copied = 0
        with contextlib.suppress(OSError):
            while data := source.recv(16384):
                target.sendall(data)
                copied += len(data)
                if limit is not None and copied > limit and self._may_cut():
                    break
        _shut(source)
        _shut(target)

    def _may_cut(self) -> bool:
        with self._lock:
            self.cuts_left -= 1
            return self.cuts_left >= 0


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
