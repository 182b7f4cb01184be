# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Publishes an image of a disk that nobody has here: 2 TB, fragmented, 100 GB used.

    simulate.py STORE NAME:VERSION

The map of used bytes and the digests are made up; everything else is the engine's own code.
"""

from __future__ import annotations

import json
import random
import sys
import time

from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Volume
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from ansible_collections.golden.fleet.plugins.module_utils._image import index as index_codec
from ansible_collections.golden.fleet.plugins.module_utils._image._codec import DIGEST_SIZE, digest
from ansible_collections.golden.fleet.plugins.module_utils._image.chunks import Grid, comfortable_chunk_size
from ansible_collections.golden.fleet.plugins.module_utils._image.index import Index
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import Locations, Place
from ansible_collections.golden.fleet.plugins.module_utils._image.manifest import IndexRef, Manifest
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef, parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store

DISK_SIZE = 2_000_000_000_000 // 4096 * 4096
USED = 100_000_000_000
RANGES = 200_000  # a disk that has been in use for years
_BLOCK = 4096
_FRAME = 400_000  # bytes of a typical chunk, compressed
_PACK = 128 << 20
_SEED = 2026


def _used() -> Extents:
    """Ranges of very different lengths, spread over the whole disk."""
    dice = random.Random(_SEED)
    mean_length = USED / RANGES / _BLOCK
    mean_gap = (DISK_SIZE - USED) / RANGES / _BLOCK
    ranges = []
    at = 0
    for _number in range(RANGES):
        length = 1 + int(dice.expovariate(1 / mean_length))
        ranges.append((at * _BLOCK, length * _BLOCK))
        at += length + 1 + int(dice.expovariate(1 / mean_gap))
    fits = [(start, length) for start, length in ranges if start + length <= DISK_SIZE]
    return Extents(fits)


def _places(digests: bytes) -> Locations:
    places = Locations()
    dice = random.Random(_SEED)
    pack, offset = dice.randbytes(DIGEST_SIZE).hex(), 4096
    for at in range(0, len(digests), DIGEST_SIZE):
        length = dice.randrange(_FRAME // 2, _FRAME * 3 // 2)
        places.add(digests[at : at + DIGEST_SIZE], Place(pack, offset, length))
        offset += length
        if offset > _PACK:
            pack, offset = dice.randbytes(DIGEST_SIZE).hex(), 4096
    return places


def _manifest(ref: ImageRef, grid: Grid, encoded_index: bytes) -> Manifest:
    used = grid.used.total
    return Manifest(
        name=ref.name,
        version=ref.version,
        created="2026-11-01T00:00:00Z",
        disk_size=DISK_SIZE,
        sector_size=512,
        needed_size=grid.kept.end,
        table=None,
        volumes=(Volume(None, 0, DISK_SIZE, "ext4", used=used, method="partclone"),),
        gaps=(),
        chunk_size=grid.chunk_size,
        chunk_count=len(grid),
        index=IndexRef(digest(encoded_index).hex(), len(encoded_index)),
        used=used,
        stored=len(grid) * _FRAME,
    ).sealed()


def main() -> None:
    store, ref = open_store(StoreLocation(sys.argv[1])), parse_ref(sys.argv[2])
    used = _used()
    begin = time.perf_counter()
    grid = Grid(comfortable_chunk_size(used.total), used, Extents())
    digests = random.Random(_SEED).randbytes(len(grid) * DIGEST_SIZE)
    encoded = index_codec.encode(Index(grid.chunk_size, used, Extents(), digests))
    library = Library(store)
    library.make()
    library.publish(_manifest(ref, grid, encoded), encoded, _places(digests))
    made = {
        "disk_bytes": DISK_SIZE,
        "used_bytes": used.total,
        "ranges": len(used),
        "chunks": len(grid),
        "publish_seconds": round(time.perf_counter() - begin, 2),
    }
    print(json.dumps(made))


if __name__ == "__main__":
    main()
