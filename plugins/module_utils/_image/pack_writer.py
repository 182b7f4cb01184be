# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Sends chunks to a store in packs, while the next pack is being filled."""

from __future__ import annotations

import types
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

from .._store.base import Store
from .locations import Locations, Place
from .names import damaged_key, pack_key
from .pack import PackBuilder, pack_buffer


class PackWriter:
    """Use as a context manager. One pack is on its way while the next is filled, so memory holds two at most.

    :param places: learns where each chunk lies, once its pack is safely in the store.
    :param durable: called with the names of all packs so far, each time one is safely in the store.
    """

    def __init__(self, store: Store, places: Locations, durable: t.Callable[[list[str]], None]) -> None:
        self.packs: list[str] = []
        self.stored = 0  # bytes
        self._store = store
        self._places = places
        self._durable = durable
        self._buffers = [pack_buffer(), pack_buffer()]
        self._builder = PackBuilder(self._buffers[0])
        self._filling: set[bytes] = set()
        self._uploads = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._upload: Future[str] | None = None
        self._sent = self._builder

    def __enter__(self) -> PackWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._send()
                self._settle()
        finally:
            self._uploads.shutdown()

    def __contains__(self, digest: bytes) -> bool:
        """Is a chunk in the store, or on its way?"""
        return digest in self._filling or digest in self._places

    def add(self, digest: bytes, frame: bytes) -> bool:
        """Add a chunk unless it is there already; True if it was new."""
        if digest in self:
            return False
        self._filling.add(digest)
        self._builder.add(digest, frame)
        if self._builder.full:
            self._send()
        return True

    def _send(self) -> None:
        self._settle()
        if self._builder.entries:
            self._buffers.reverse()
            self._sent, self._builder = self._builder, PackBuilder(self._buffers[0])
            self._upload = self._uploads.submit(self._write, self._sent)

    def _settle(self) -> None:
        """Wait for the upload under way, meet its error if it had one, and learn its places."""
        if not self._upload:
            return
        name = self._upload.result()
        self._upload = None
        self.stored += self._sent.size
        for entry in self._sent.entries:
            self._places.add(entry.digest, Place(name, entry.offset, entry.length))
            self._filling.discard(entry.digest)

    def _write(self, builder: PackBuilder) -> str:
        name, content = builder.finish()
        self._store.write(pack_key(name), content)
        self._store.delete(damaged_key(name))  # a damaged pack of this name, if there was one, is replaced
        self.packs.append(name)
        self._durable(self.packs)
        return name
