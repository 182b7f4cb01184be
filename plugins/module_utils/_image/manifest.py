# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The manifest: the JSON document that describes one image (docs/image-format.md). Untrusted on the way in."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, field, replace

from .. import _fields
from .._disk.model import Gap, Partition, PartitionTable, Volume
from .._errors import ImageDamaged, ImageUnsupported, UsageError
from ._codec import digest
from .chunks import valid_chunk_size
from .index import RAW_LIMIT
from .names import ImageRef, check_name, check_version

FORMAT = "golden.fleet image"
FORMAT_VERSION = 1
_TEXT_LIMIT = 16 << 20
_DISK_LIMIT = 1 << 56


@dataclass(frozen=True)
class IndexRef:
    """Names the index object."""

    digest: str  # BLAKE3 of the object as stored
    size: int  # bytes as stored


@dataclass(frozen=True)
class Manifest:
    """One image version, completely but for its chunks. Sizes in bytes."""

    name: str
    version: str
    created: str  # UTC, ISO 8601
    disk_size: int
    sector_size: int
    needed_size: int  # a disk must have at least so many bytes
    table: PartitionTable | None
    volumes: tuple[Volume, ...]
    gaps: tuple[Gap, ...]
    chunk_size: int
    chunk_count: int
    index: IndexRef
    used: int  # bytes the image keeps
    stored: int  # bytes its chunks have in packs, compressed
    source: dict[str, t.Any] = field(default_factory=dict)  # where it was captured: hostname, dmi, firmware, disk
    os: tuple[dict[str, t.Any], ...] = ()
    tools: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    digest: str = ""  # set by sealed() and decode()

    @property
    def ref(self) -> ImageRef:
        return ImageRef(self.name, self.version)

    def sealed(self) -> Manifest:
        """The same with its digest."""
        return replace(self, digest=_digest(_document(self)))


def encode(manifest: Manifest) -> bytes:
    """The manifest as it lies in a store, for people too: indented JSON."""
    document = {**_document(manifest), "digest": manifest.digest}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def decode(data: bytes, ref: ImageRef) -> Manifest:
    """Read a manifest from a store; nothing in it is believed.

    :raises ImageDamaged: it is not a valid manifest of this image.
    :raises ImageUnsupported: a newer golden.fleet made it.
    """
    try:
        document = _parse(data)
        _check_format(document, ref)
        claimed = document.pop("digest", None)
        if claimed != _digest(document):
            raise ValueError("its digest does not fit its content")
        # Not computed anew: fields that we do not know count too.
        manifest = replace(_from_document(document), digest=claimed)
        if (manifest.name, manifest.version) != (ref.name, ref.version):
            raise ValueError(f"it calls itself {manifest.ref}")
    except (ValueError, RecursionError, UsageError) as error:
        raise ImageDamaged(f"The manifest of image {ref} is damaged: {error}.", image=str(ref)) from error
    return manifest


def _parse(data: bytes) -> dict[str, t.Any]:
    if len(data) > _TEXT_LIMIT:
        raise ValueError(f"it has {len(data)} bytes")
    document = json.loads(
        data,
        object_pairs_hook=_fields.unique,
        parse_float=_fields.no_float,
        parse_constant=_fields.no_float,
    )
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")
    return document


def _check_format(document: dict[str, t.Any], ref: ImageRef) -> None:
    if document.get("format") != FORMAT:
        raise ValueError("it is no golden.fleet image")
    version = _fields.integer(document, "format_version", 1, 1 << 31)
    if version > FORMAT_VERSION:
        raise ImageUnsupported(
            f"Image {ref} has format version {version}; this golden.fleet reads up to {FORMAT_VERSION}. "
            "Update the collection.",
            image=str(ref),
        )


def _digest(document: dict[str, t.Any]) -> str:
    """BLAKE3 of the canonical form: keys sorted, no white space, ASCII."""
    return digest(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hex()


def _document(manifest: Manifest) -> dict[str, t.Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "kind": "disk",
        "name": manifest.name,
        "version": manifest.version,
        "created": manifest.created,
        "disk": {
            "size": manifest.disk_size,
            "sector_size": manifest.sector_size,
            "needed_size": manifest.needed_size,
        },
        "table": asdict(manifest.table) if manifest.table else None,
        "volumes": [asdict(volume) for volume in manifest.volumes],
        "gaps": [asdict(gap) for gap in manifest.gaps],
        "chunks": {
            "size": manifest.chunk_size,
            "count": manifest.chunk_count,
            "used": manifest.used,
            "stored": manifest.stored,
            "index": asdict(manifest.index),
        },
        "source": manifest.source,
        "os": list(manifest.os),
        "tools": manifest.tools,
        "notes": list(manifest.notes),
    }


def _from_document(document: dict[str, t.Any]) -> Manifest:
    if document.get("kind") != "disk":
        raise ValueError(f"images of kind {document.get('kind')!r} are not known")
    disk = _fields.mapping(document, "disk")
    chunks = _fields.mapping(document, "chunks")
    disk_size = _fields.integer(disk, "size", 1, _DISK_LIMIT)
    manifest = Manifest(
        name=check_name(_fields.text(document, "name")),
        version=check_version(_fields.text(document, "version")),
        created=_fields.moment(document, "created"),
        disk_size=disk_size,
        sector_size=_sector_size(disk),
        needed_size=_fields.integer(disk, "needed_size", 0, disk_size),
        table=_table(document, disk_size),
        volumes=tuple(_volume(item, disk_size) for item in _fields.mappings(document, "volumes")),
        gaps=tuple(_gap(item, disk_size) for item in _fields.mappings(document, "gaps")),
        chunk_size=_chunk_size(chunks),
        chunk_count=_fields.integer(chunks, "count", 0, RAW_LIMIT // 32),
        index=_index_ref(_fields.mapping(chunks, "index")),
        used=_fields.integer(chunks, "used", 0, disk_size),
        stored=_fields.integer(chunks, "stored", 0, 2 * _DISK_LIMIT),
        source=_fields.mapping(document, "source"),
        os=tuple(_fields.mappings(document, "os")),
        tools=_fields.mapping(document, "tools"),
        notes=tuple(_fields.texts(document, "notes")),
    )
    if manifest.table:
        if manifest.table.sector_size != manifest.sector_size:
            raise ValueError("disk and partition table have different sector sizes")
        manifest.table.check(manifest.needed_size)  # so it fits every disk that this image is let onto
    return manifest


def _sector_size(disk: dict[str, t.Any]) -> int:
    size = _fields.integer(disk, "sector_size", 512, 4096)
    if size not in (512, 1024, 2048, 4096):
        raise ValueError(f"sectors of {size} bytes are not known")
    return size


def _chunk_size(chunks: dict[str, t.Any]) -> int:
    size = _fields.integer(chunks, "size", 1, 1 << 30)
    if not valid_chunk_size(size):
        raise ValueError(f"chunks of {size} bytes are not allowed")
    return size


def _index_ref(item: dict[str, t.Any]) -> IndexRef:
    return IndexRef(_fields.digest(item, "digest"), _fields.integer(item, "size", 1, RAW_LIMIT))


def _table(document: dict[str, t.Any], disk_size: int) -> PartitionTable | None:
    if document.get("table") is None:
        return None
    item = _fields.mapping(document, "table")
    return PartitionTable(
        label=_fields.choice(item, "label", ("gpt", "dos")),
        id=_fields.text(item, "id"),
        sector_size=_sector_size(item),
        partitions=tuple(_partition(entry, disk_size) for entry in _fields.mappings(item, "partitions", 1024)),
        length=_fields.integer(item, "length", 1, 1024),
    )


def _partition(item: dict[str, t.Any], disk_size: int) -> Partition:
    start, size = _fields.span(item, disk_size)
    return Partition(
        number=_fields.integer(item, "number", 1, 1024),
        start=start,
        size=size,
        type=_fields.text(item, "type"),
        uuid=_fields.optional_text(item, "uuid"),
        name=_fields.optional_text(item, "name"),
        attrs=_fields.optional_text(item, "attrs"),
        bootable=_fields.boolean(item, "bootable"),
    )


def _volume(item: dict[str, t.Any], disk_size: int) -> Volume:
    start, size = _fields.span(item, disk_size)
    return Volume(
        partition=_fields.optional_integer(item, "partition", 1, 1024),
        start=start,
        size=size,
        type=_fields.text(item, "type"),
        uuid=_fields.optional_text(item, "uuid"),
        label=_fields.optional_text(item, "label"),
        used=_fields.integer(item, "used", 0, size),
        minimum_size=_fields.optional_integer(item, "minimum_size", 0, _DISK_LIMIT),
        method=_fields.text(item, "method"),
        note=_fields.optional_text(item, "note"),
    )


def _gap(item: dict[str, t.Any], disk_size: int) -> Gap:
    start, size = _fields.span(item, disk_size)
    return Gap(start, size, _fields.text(item, "note"))
