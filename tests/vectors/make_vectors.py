# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the test vectors of the image format: a store with two tiny images, and what a reader must get out of it.

Run once; the result is committed, because a published format must stay readable, not only reproducible:

    PYTHONPATH=.cache python -m ansible_collections.golden.fleet.tests.vectors.make_vectors

It refuses to replace vectors that exist. A new version of the format gets new vectors beside these.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._disk.model import (
    Gap,
    Partition,
    PartitionTable,
    Volume,
)
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from ansible_collections.golden.fleet.plugins.module_utils._image import index as index_codec
from ansible_collections.golden.fleet.plugins.module_utils._image._codec import compressor, digest
from ansible_collections.golden.fleet.plugins.module_utils._image.chunks import Grid, zero_digest
from ansible_collections.golden.fleet.plugins.module_utils._image.index import Index
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import Locations, Place
from ansible_collections.golden.fleet.plugins.module_utils._image.manifest import IndexRef, Manifest
from ansible_collections.golden.fleet.plugins.module_utils._image.names import pack_key
from ansible_collections.golden.fleet.plugins.module_utils._image.pack import PackBuilder
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store

FOLDER = Path(__file__).parent / "image-format"

CHUNK = 64 << 10
DISK_SIZE = 16 * CHUNK + 32768  # the last chunk is half a one
FOREIGN = 0xEE  # what lies between the used bytes of the reference disk, and must not be in any image

# (start, length, text): the text, repeated, is the content; no text means zeros.
Piece = t.Tuple[int, int, str]  # noqa: UP006
PIECES: tuple[Piece, ...] = (
    (0, 440, "boot code "),
    (65536, 4096, "chunk 1 of version 1 "),
    (131072, 65536, "the same in chunks 2 and 3 "),
    (196608, 65536, "the same in chunks 2 and 3 "),
    (262144, 65536, ""),
    (328681, 1, "x"),
    (329000, 3000, "not aligned to anything "),
    (524188, 200, "over the border between chunks 7 and 8 "),
    (655360, 4096, "swap header "),
    (1048576, 8192, "in the last chunk "),
)
CHANGED = (65536, 4096, "chunk 1 of version 2 ")
BLANK = ((585728, 4096), (786432, 512), (1056768, 4096))

LINUX, SWAP = "0FC63DAF-8483-4772-8E79-3D69D8477DE4", "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
UUID = "11111111-2222-4333-8444-5555555555"
TABLE = PartitionTable(
    label="gpt",
    id="6D3B6B3C-2F0D-4F57-8C6B-0F3B0D9A7E11",
    sector_size=512,
    partitions=(
        Partition(1, 65536, 524288, LINUX, UUID + "01", "root"),
        Partition(2, 655360, 65536, SWAP, UUID + "02", "swap"),
        Partition(3, 786432, 274432, LINUX, UUID + "03", "\u00e4 \u20ac", "LegacyBIOSBootable"),
    ),
)
VOLUMES = (
    Volume(1, 65536, 524288, "ext4", UUID + "11", "root", 203905, 262144, "partclone"),
    Volume(2, 655360, 65536, "swap", UUID + "12", None, 4096, None, "header"),
    Volume(3, 786432, 274432, "xfs", UUID + "13", "\u00e4", 8192, None, "partclone", "a note"),
)


def content(piece: Piece) -> bytes:
    _start, length, text = piece
    raw = text.encode() or b"\0"
    return (raw * (length // len(raw) + 1))[:length]


def reference_disk(pieces: t.Iterable[Piece]) -> bytearray:
    disk = bytearray([FOREIGN]) * DISK_SIZE
    for piece in pieces:
        disk[piece[0] : piece[0] + piece[1]] = content(piece)
    return disk


def publish(library: Library, version: str, created: str, pieces: tuple[Piece, ...], known: Locations) -> Manifest:
    """Capture, as _image/capture.py does it, but with nothing in it that is different tomorrow."""
    used, blank = Extents([(start, length) for start, length, _text in pieces]), Extents(BLANK)
    grid = Grid(CHUNK, used, blank)
    disk = reference_disk(pieces) + bytes(CHUNK)
    builder, places, digests = PackBuilder(), Locations(), b""
    zero = zero_digest(CHUNK)
    for row in range(len(grid)):
        chunk = bytearray(disk[grid.start(row) : grid.start(row) + CHUNK])
        grid.keep_used(row, memoryview(chunk))
        name = digest(chunk)
        digests += name
        place = known.get(name)
        if place:
            places.add(name, place)
        elif name != zero and name not in {entry.digest for entry in builder.entries}:
            builder.add(name, compressor(3).compress(bytes(chunk)))
    pack, parts = builder.finish()
    library.store.write(pack_key(pack), parts)
    for entry in builder.entries:
        places.add(entry.digest, Place(pack, entry.offset, entry.length))
    index = index_codec.encode(Index(CHUNK, used, blank, digests))
    image = Manifest(
        name="tiny",
        version=version,
        created=created,
        disk_size=DISK_SIZE,
        sector_size=512,
        needed_size=1077760,
        table=TABLE,
        volumes=VOLUMES,
        gaps=(Gap(0, 440, "boot code in the first sector"),),
        chunk_size=CHUNK,
        chunk_count=len(grid),
        index=IndexRef(digest(index).hex(), len(index)),
        used=used.total,
        stored=sum(place.length for _name, place in places),
        source={"hostname": "reference", "firmware": "uefi"},
        os=({"partition": 1, "family": "linux", "id": "debian", "name": "Debian \u201cbookworm\u201d"},),
        tools={"partclone": "0.3.23"},
        notes=("partition 3 (xfs): a note",),
    ).sealed()
    library.publish(image, index, places)
    for name, place in places:
        known.add(name, place)
    return image


def canonical_form(manifest: bytes) -> bytes:
    """What the digest of a manifest is computed from."""
    document = json.loads(manifest)
    del document["digest"]
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def main() -> None:
    FOLDER.mkdir()
    known = Locations()
    pieces = {"1": PIECES, "2": tuple(CHANGED if piece[0] == CHANGED[0] else piece for piece in PIECES)}
    expected = {}
    with open_store(StoreLocation(str(FOLDER / "store"))) as store:
        library = Library(store)
        library.make()
        for version, kept in pieces.items():
            image = publish(library, version, f"2026-11-0{version}T12:00:00Z", kept, known)
            plain = bytearray(DISK_SIZE)
            for piece in kept:
                plain[piece[0] : piece[0] + piece[1]] = content(piece)
            expected[version] = {
                "digest": image.digest,
                "disk_blake3": digest(plain).hex(),
                "disk_size": DISK_SIZE,
                "used": kept,
                "blank": BLANK,
            }
        library.set_tag(image, "stable")
    canonical = canonical_form((FOLDER / "store/images/tiny/versions/1/manifest.json").read_bytes())
    (FOLDER / "tiny-1.canonical.json").write_bytes(canonical)
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
