# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another reader of the image format, written from docs/image-format.md alone; it shares no code with the collection.

It proves that the document says enough, and gets an image out of a store with nothing but two libraries:

    python3 reader.py STORE NAME VERSION-OR-TAG FILE

writes the image into a sparse file, without the partition table, which is left to sfdisk. It reads whole objects into
memory and looks for no speed.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import blake3
import zstandard

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?")
_CHUNK_SIZES = {1 << bits for bits in range(16, 25)}

Range = t.Tuple[int, int]  # noqa: UP006  # start, length


@dataclass(frozen=True)
class Image:
    """One image, ready to be read."""

    manifest: dict[str, t.Any]
    used: list[Range]
    blank: list[Range]
    chunks: list[tuple[int, bytes]]  # number in the grid, digest
    places: dict[bytes, tuple[str, int, int]]  # pack, offset, length

    @property
    def kept(self) -> list[Range]:
        return sorted(self.used + self.blank)


def open_image(store: Path, name: str, version: str) -> Image:
    """Read and check everything about an image but its chunks."""
    found = _json(store / "store.json")
    _demand(found["format"] == "golden.fleet store" and found["format_version"] == 1, "store")
    manifest = _manifest(store, name, version)
    folder = store / "images" / name / "versions" / manifest["version"]
    named = manifest["chunks"]["index"]
    _demand(re.fullmatch("[0-9a-f]{64}", named["digest"]) is not None, "name of the index")
    index = (folder / f"{named['digest']}.index").read_bytes()
    _demand(len(index) == named["size"] and _digest(index).hex() == named["digest"], "digest of the index")
    used, blank, chunks = _index(_inflate(index, 256 << 20), manifest)
    places = _locations(_inflate((folder / f"{named['digest']}.locations").read_bytes(), 512 << 20))
    return Image(manifest, used, blank, chunks, places)


def read_chunks(store: Path, image: Image) -> t.Iterator[tuple[int, bytes]]:
    """(start on the disk, content) of each chunk, verified; the last one may reach beyond the disk's end."""
    size = image.manifest["chunks"]["size"]
    zeros = bytes(size)
    for number, digest in image.chunks:
        content = zeros
        if digest != _digest(zeros):
            pack, offset, length = image.places[digest]
            frame = (store / "packs" / pack[:2] / f"{pack}.pack").read_bytes()[offset : offset + length]
            content = _inflate(frame, size)
        _demand(len(content) == size and _digest(content) == digest, f"chunk {number}")
        yield number * size, content


def read_pack(pack: bytes, name: str) -> list[tuple[bytes, int, int]]:
    """(digest, offset, length) of each frame in a pack, from the table at its end."""
    _demand(_digest(pack).hex() == name and pack[:8] == b"GFPACK\x00\x01", "name of the pack")
    count, table_at, table_digest, magic = struct.unpack("<QQ32s8s", pack[-56:])
    table = pack[table_at:-56]
    _demand(magic == pack[:8] and len(table) == 36 * count and _digest(table) == table_digest, "table of the pack")
    found: list[tuple[bytes, int, int]] = []
    offset = 8
    for digest, length in struct.iter_unpack("<32sI", table):
        found.append((digest, offset, length))
        offset += length
    _demand(offset == table_at, "frames of the pack")
    return found


def _manifest(store: Path, name: str, version: str) -> dict[str, t.Any]:
    _demand(_NAME.fullmatch(name) is not None and ".." not in name, "name")
    _demand(_VERSION.fullmatch(version) is not None and ".." not in version, "version")
    image = store / "images" / name
    path = image / "versions" / version / "manifest.json"
    tag: dict[str, t.Any] = {}
    if not path.exists():
        tag = _json(image / "tags" / f"{version}.json")
        _demand(_VERSION.fullmatch(tag["version"]) is not None and ".." not in tag["version"], "tag")
        path = image / "versions" / tag["version"] / "manifest.json"
    manifest = _json(path)
    _demand(manifest["format"] == "golden.fleet image" and manifest["format_version"] == 1, "format")
    _demand(manifest["kind"] == "disk", "kind")
    content = {key: value for key, value in manifest.items() if key != "digest"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    _demand(_digest(canonical).hex() == manifest["digest"] == tag.get("digest", manifest["digest"]), "digest")
    _demand(manifest["name"] == name and manifest["version"] == tag.get("version", version), "who it is")
    return manifest


def _index(raw: bytes, manifest: dict[str, t.Any]) -> tuple[list[Range], list[Range], list[tuple[int, bytes]]]:
    magic, size, used_count, blank_count, chunk_count = struct.unpack_from("<8sQQQQ", raw)
    _demand(magic == b"GFINDEX\x01" and size in _CHUNK_SIZES and size == manifest["chunks"]["size"], "index")
    _demand(len(raw) == 40 + 16 * (used_count + blank_count) + 32 * chunk_count, "length of the index")
    limit = manifest["disk"]["size"]
    used = _ranges(raw, 40, used_count, limit)
    blank = _ranges(raw, 40 + 16 * used_count, blank_count, limit)
    kept = sorted(used + blank)
    _demand(all(one[0] + one[1] <= other[0] for one, other in zip(kept, kept[1:])), "used and blank ranges apart")
    numbers = sorted({n for start, length in kept for n in range(start // size, (start + length - 1) // size + 1)})
    _demand(len(numbers) == chunk_count == manifest["chunks"]["count"], "number of chunks")
    digests = raw[40 + 16 * (used_count + blank_count) :]
    return used, blank, [(number, digests[32 * row : 32 * row + 32]) for row, number in enumerate(numbers)]


def _ranges(raw: bytes, at: int, count: int, limit: int) -> list[Range]:
    found: list[Range] = []
    end = 0
    for gap, length in struct.iter_unpack("<QQ", raw[at : at + 16 * count]):
        _demand(length > 0 and (gap > 0 or not found), "ranges neither empty nor touching")
        found.append((end + gap, length))
        end += gap + length
    _demand(end <= limit, "ranges within the disk")
    return found


def _locations(raw: bytes) -> dict[bytes, tuple[str, int, int]]:
    magic, pack_count, chunk_count = struct.unpack_from("<8sQQ", raw)
    _demand(magic == b"GFPLACE\x01" and len(raw) == 24 + 32 * pack_count + 48 * chunk_count, "locations")
    packs = [raw[24 + 32 * row : 56 + 32 * row].hex() for row in range(pack_count)]
    at = 24 + 32 * pack_count
    digests = [raw[at + 32 * row : at + 32 * row + 32] for row in range(chunk_count)]
    numbers, offsets, lengths = (
        struct.unpack_from(f"<{chunk_count}{kind}", raw, at + skip * chunk_count)
        for kind, skip in (("I", 32), ("Q", 36), ("I", 44))
    )
    _demand(all(8 <= offset < 1 << 48 for offset in offsets), "offsets of frames")
    _demand(all(length <= 20 << 20 for length in lengths), "lengths of frames")
    rows = zip(digests, numbers, offsets, lengths)
    return {digest: (packs[number], offset, length) for digest, number, offset, length in rows}


def _inflate(frame: bytes, limit: int) -> bytes:
    _demand(0 <= zstandard.frame_content_size(frame) <= limit, "size of a frame")
    return zstandard.ZstdDecompressor().decompress(frame, allow_extra_data=False)


def _digest(data: bytes) -> bytes:
    return blake3.blake3(data).digest()


def _json(path: Path) -> dict[str, t.Any]:
    document: dict[str, t.Any] = json.loads(path.read_bytes())
    return document


def _demand(true: bool, what: str) -> None:
    if not true:
        raise ValueError(f"not right: {what}")


def main() -> None:
    store, name, version, target = sys.argv[1:]
    image = open_image(Path(store), name, version)
    size = image.manifest["disk"]["size"]
    with open(target, "wb") as file:
        file.truncate(size)
        for start, content in read_chunks(Path(store), image):
            file.seek(start)
            file.write(content[: size - start])


if __name__ == "__main__":
    main()
