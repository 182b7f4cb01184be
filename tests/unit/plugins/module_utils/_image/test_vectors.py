# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/image-format.md, its test vectors, a reader that shares no code with ours, and ours: all say the same."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import blake3
import pytest
import zstandard
from ansible_collections.golden.fleet.plugins.module_utils._extents import Extents
from ansible_collections.golden.fleet.plugins.module_utils._image import (
    _codec,
    chunks,
    index,
    lease,
    locations,
    manifest,
)
from ansible_collections.golden.fleet.plugins.module_utils._image.chunks import zero_digest
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.manifest import Manifest
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef, pack_key, parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.pack import read_table
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore
from ansible_collections.golden.fleet.tests.vectors import reader

TREE = Path(__file__).parents[5]
VECTORS = TREE / "tests" / "vectors" / "image-format"
STORE = VECTORS / "store"
DOCUMENT = (TREE / "docs" / "image-format.md").read_text("utf-8")
EXPECTED: dict[str, t.Any] = json.loads((VECTORS / "expected.json").read_text("utf-8"))
BLOCK = re.compile(r"<!-- vector: (\S+?)(, decompressed)? -->\n```\w+\n(.*?)\n```", re.DOTALL)


@pytest.fixture
def library() -> Library:
    return Library(DirectoryStore(str(STORE)))


def _expected_disk(version: str) -> bytes:
    disk = bytearray(EXPECTED[version]["disk_size"])
    for start, length, text in EXPECTED[version]["used"]:
        raw = text.encode() or b"\0"
        disk[start : start + length] = (raw * (length // len(raw) + 1))[:length]
    return bytes(disk)


def _decompressed(key: str) -> bytes:
    return zstandard.ZstdDecompressor().decompress((STORE / key).read_bytes())


def _from_dump(dump: str) -> bytes:
    """The bytes of an annotated hexadecimal dump; each line must say its offset rightly."""
    found = b""
    for line in dump.splitlines():
        offset, pairs = line[:4], line[6:53]
        assert int(offset, 16) == len(found), line
        found += bytes.fromhex(pairs)
    return found


@pytest.mark.parametrize("version", EXPECTED)
def test_the_expectations_agree_with_themselves(version: str) -> None:
    assert blake3.blake3(_expected_disk(version)).hexdigest() == EXPECTED[version]["disk_blake3"]


@pytest.mark.parametrize(("name", "version"), [("1", "1"), ("2", "2"), ("stable", "2")])
def test_another_reader_gets_the_disk_out(name: str, version: str) -> None:
    image = reader.open_image(STORE, "tiny", name)
    disk = bytearray(image.manifest["disk"]["size"])
    for start, content in reader.read_chunks(STORE, image):
        disk[start : start + len(content)] = content[: len(disk) - start]
    assert bytes(disk) == _expected_disk(version)
    assert image.manifest["digest"] == EXPECTED[version]["digest"]
    assert image.blank == [tuple(item) for item in EXPECTED[version]["blank"]]


@pytest.mark.parametrize(("name", "version"), [("1", "1"), ("2", "2"), ("stable", "2")])
def test_our_reader_gets_the_disk_out(library: Library, name: str, version: str) -> None:
    image = library.find(parse_ref(f"tiny:{name}"))
    assert image.digest == EXPECTED[version]["digest"]
    assert library.index(image).used == Extents([item[:2] for item in EXPECTED[version]["used"]])
    assert library.index(image).blank == Extents(EXPECTED[version]["blank"])
    assert _read_with_ours(library, image) == _expected_disk(version)


def _read_with_ours(library: Library, image: Manifest) -> bytes:
    found, places = library.index(image), library.locations(image)
    grid, zero = found.grid(), zero_digest(found.chunk_size)
    disk = bytearray(image.disk_size + found.chunk_size)
    for row in range(len(grid)):
        name = found.digest(row)
        place = places.get(name)
        assert (place is None) == (name == zero)
        if place:
            frame = library.store.read(pack_key(place.pack), place.offset, place.length)
            content = _codec.inflate(_codec.decompressor(), frame, found.chunk_size, "a chunk")
            assert _codec.digest(content) == name
            disk[grid.start(row) : grid.start(row) + found.chunk_size] = content
    assert not any(disk[image.disk_size :])
    return bytes(disk[: image.disk_size])


@pytest.mark.parametrize("pack", sorted(STORE.glob("packs/*/*.pack")), ids=lambda path: path.stem[:8])
def test_both_read_the_same_packs(pack: Path) -> None:
    store = DirectoryStore(str(STORE))
    ours = [(entry.digest, entry.offset, entry.length) for entry in read_table(store, pack.stem)]
    assert ours == reader.read_pack(pack.read_bytes(), pack.stem)


@pytest.mark.parametrize("version", EXPECTED)
def test_what_we_would_write_has_not_changed(library: Library, version: str) -> None:
    """Up to the compression, which is zstandard's affair."""
    folder = f"images/tiny/versions/{version}"
    image = library.manifest("tiny", version)
    again = zstandard.ZstdDecompressor().decompress(index.encode(library.index(image)))
    assert again == _decompressed(f"{folder}/{image.index.digest}.index")
    again = zstandard.ZstdDecompressor().decompress(locations.encode(library.locations(image)))
    assert again == _decompressed(f"{folder}/{image.index.digest}.locations")
    assert manifest.encode(image.sealed()) == (STORE / folder / "manifest.json").read_bytes()


def test_the_canonical_form_has_the_digest() -> None:
    canonical = (VECTORS / "tiny-1.canonical.json").read_bytes()
    assert blake3.blake3(canonical).hexdigest() == EXPECTED["1"]["digest"]
    assert f"{len(canonical)} bytes" in DOCUMENT
    assert canonical[:100].decode() in DOCUMENT
    assert EXPECTED["1"]["digest"] in DOCUMENT


def test_the_document_shows_every_kind_of_object() -> None:
    keys = " ".join(key for key, _how, _body in BLOCK.findall(DOCUMENT))
    for kind in ("store.json", "tags/", "manifest.json", ".index", ".locations", ".pack"):
        assert kind in keys


@pytest.mark.parametrize(("key", "how", "body"), BLOCK.findall(DOCUMENT), ids=lambda value: value[-30:])
def test_the_document_shows_what_is_in_the_store(key: str, how: str, body: str) -> None:
    if key.endswith(".json"):
        assert body == (STORE / key).read_text("utf-8").rstrip("\n")
    else:
        assert _from_dump(body) == (_decompressed(key) if how else (STORE / key).read_bytes())


@pytest.mark.parametrize(
    "sentence",
    [
        f"a power of two from {chunks.SMALLEST:_} to {chunks.LARGEST:_} ",
        f"`chunks.count` | integer, 0 to {index.RAW_LIMIT // 32:_} ",
        f"One zstd frame of at most {index.RAW_LIMIT >> 20} MiB of content",
        f"One zstd frame of at most {locations._RAW_LIMIT >> 20} MiB of content",
        f"A frame is at most {locations._FRAME_LIMIT >> 20} MiB long",
        f"needs a window of at most {chunks.LARGEST >> 20} MiB",
        f"lengths at most {locations._FRAME_LIMIT >> 20} MiB",
        f"A JSON object of at most {manifest._TEXT_LIMIT >> 20} MiB",
        f"again every {lease.HEARTBEAT:.0f} seconds",
        f"not written for {lease.LIFETIME:.0f} seconds",
    ],
)
def test_the_document_names_the_limits_that_we_have(sentence: str) -> None:
    assert sentence.replace("_", " ") in re.sub(r"\s+", " ", DOCUMENT)


def test_unknown_fields_count_in_the_digest_and_are_ignored() -> None:
    document = json.loads((STORE / "images/tiny/versions/1/manifest.json").read_text("utf-8"))
    del document["digest"]
    document["disk"]["colour"] = "grey"
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    document["digest"] = blake3.blake3(canonical).hexdigest()
    found = manifest.decode(json.dumps(document).encode(), ImageRef("tiny", "1"))
    assert found.digest == document["digest"] != EXPECTED["1"]["digest"]
