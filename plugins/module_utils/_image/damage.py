# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which chunks of which packs a verify has found damaged, written down in the store."""

from __future__ import annotations

import json

from .. import _fields
from .._errors import NotInStore
from .._fields import DIGEST
from .._store.base import Store
from .names import DAMAGED_KEY, damaged_key

_MOST = 65536  # chunks of one pack; if there are more, all of it is taken for damaged
_LONGEST = 8 << 20  # bytes of one object


class Damage:
    """What a store says about damaged packs. A pack's chunks are looked up when somebody asks for one of them.

    :ivar packs: names of the damaged packs, some of which may be gone.
    """

    def __init__(self, store: Store) -> None:
        files = (entry.name for entry in store.list(DAMAGED_KEY) if not entry.folder)
        names = (file[: -len(".json")] for file in files if file.endswith(".json"))
        self.packs = set(filter(DIGEST.fullmatch, names))
        self._store = store
        self._chunks: dict[str, frozenset[bytes] | None] = {}

    def spoils(self, digest: bytes, pack: str) -> bool:
        """Is a chunk damaged, as it lies in a pack?"""
        bad = self._of(pack)
        return bad is None or digest in bad

    def add(self, pack: str, chunks: frozenset[bytes]) -> bool:
        """Write down that a pack is damaged, and these chunks in it; False if that was known."""
        known = self._of(pack)
        now = None if known is None or len(known | chunks) > _MOST else known | chunks
        if pack in self.packs and now == known:
            return False
        names = None if now is None else sorted(chunk.hex() for chunk in now)
        self._store.write(damaged_key(pack), json.dumps({"chunks": names}).encode())
        self.packs.add(pack)
        self._chunks[pack] = now
        return True

    def remove(self, pack: str) -> bool:
        """Say no more that a pack is damaged; False if nobody said so."""
        if pack not in self.packs:
            return False
        self._store.delete(damaged_key(pack))
        self.packs.remove(pack)
        return True

    def _of(self, pack: str) -> frozenset[bytes] | None:
        """The damaged chunks of a pack; None if all of them have to be taken for damaged."""
        if pack not in self.packs:
            return frozenset()
        if pack not in self._chunks:
            self._chunks[pack] = _read(self._store, damaged_key(pack))
        return self._chunks[pack]


def _read(store: Store, key: str) -> frozenset[bytes] | None:
    try:
        if store.size(key) > _LONGEST:
            return None
        document = {"damage": json.loads(store.read(key), object_pairs_hook=_fields.unique)}
        names = _fields.digests(_fields.mapping(document, "damage"), "chunks", _MOST)
    except NotInStore:
        return frozenset()  # meanwhile the pack was found to be sound
    except (ValueError, RecursionError):
        return None
    return frozenset(map(bytes.fromhex, names))
