# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Capture: a disk becomes an image in a store."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone

from .._disk.handle import DiskHandle, aligned_buffer
from .._disk.model import Disk, Survey, Volume
from .._disk.survey import survey
from .._disk.table import needed_size, rehearse_table
from .._errors import StoreError, UsageError
from .._fields import MOMENT, as_line
from .._machine import source_facts, tool_versions
from .._os.probe import find_systems
from .._progress import Progress
from .._store.base import Store
from . import index as index_codec
from . import manifest as manifest_codec
from ._codec import chunk_compressor, compressor_memory, digest
from .chunks import Grid, comfortable_chunk_size, valid_chunk_size, zero_digest
from .index import Index
from .known import images_named, known_chunks, reusable
from .lease import Lease, noted_packs
from .library import Library, exists
from .locations import Locations
from .manifest import IndexRef, Manifest
from .names import ImageRef, check_name, check_version, version_key
from .pack_writer import PackWriter
from .pipeline import PerThread, ordered, worker_count


@dataclass(frozen=True)
class CaptureRequest:
    """What to capture, and as what."""

    disk: Disk
    ref: ImageRef
    tags: tuple[str, ...] = ()
    dedupe_from: tuple[str, ...] = ()  # names of images
    level: int = 3  # of zstd, 1 to 19
    chunk_size: int | None = None  # bytes; None: as the version before, else by the disk's size
    unreadable: str = "fail"  # what to do with a filesystem that cannot be read: fail, raw
    threads: int | None = None
    check: bool = False  # say what would be captured, change nothing

    def validate(self) -> None:
        """:raises UsageError: something makes no sense."""
        for name in (self.ref.name, *self.dedupe_from):
            check_name(name)
        for version in (self.ref.version, *self.tags):
            check_version(version)
        if self.ref.version in self.tags:
            raise UsageError(f"{self.ref.version!r} cannot be a version and a tag of the same image.")
        if not 1 <= self.level <= 19:
            raise UsageError(f"Compression level {self.level} is not between 1 and 19.")
        if self.chunk_size is not None and not valid_chunk_size(self.chunk_size):
            raise UsageError(f"A chunk size of {self.chunk_size} bytes is not a power of two from 64KiB to 16MiB.")


def capture(store: Store, request: CaptureRequest, progress: Progress) -> dict[str, t.Any]:
    """Capture a disk into a store; nothing is visible there before everything is.

    :returns: see docs/architecture.md, "The verbs' requests and results".
    :raises GoldenError: the disk is not fit, the version exists or is being captured, the store fails.
    """
    started = time.monotonic()
    request.validate()
    library = Library(store)
    if request.check:
        return _check(library, request, progress)
    library.make()
    _refuse_existing(library, request)
    lease_key = version_key(request.ref.name, request.ref.version, "capture.json")
    with DiskHandle(request.disk, writable=False) as handle, Lease(store, lease_key, f"Image {request.ref}") as lease:
        _refuse_existing(library, request)  # again: it may have been published while we had no claim yet
        run = _Run(library, request, progress, handle)
        image, writer = run.store(lease)
        handle.check_identity()
        lease.confirm()
        library.publish(image, run.encoded_index, run.places)
        _set_tags(library, image, request.tags)
    return _result(run, image, writer, time.monotonic() - started)


def _check(library: Library, request: CaptureRequest, progress: Progress) -> dict[str, t.Any]:
    if library.exists():
        _refuse_existing(library, request)
    with DiskHandle(request.disk, writable=False):
        progress.phase("reading the disk's structure")
        found = _survey(request)
    grid = Grid(request.chunk_size or comfortable_chunk_size(found.used.total), found.used, found.blank)
    return {
        "changed": True,
        "image": str(request.ref),
        "disk": asdict(request.disk),
        "bytes": {"used": found.used.total, "read": len(grid) * grid.chunk_size},
        "chunks": {"total": len(grid)},
        "diff": {"before": "", "after": _as_text(request.ref, found)},
    }


def _survey(request: CaptureRequest) -> Survey:
    found = survey(request.disk, request.unreadable)
    if found.table:  # an image whose table nobody can write again would be worth nothing
        rehearse_table(found.table, request.disk.size)
    return found


def _refuse_existing(library: Library, request: CaptureRequest) -> None:
    ref = request.ref
    versions = library.versions(ref.name)
    if ref.version in versions:
        raise exists(ref, library.store.url, _missing_tags(library, request))
    for tag in set(request.tags) & set(versions):
        raise UsageError(f"{ref.name}:{tag} is a version in {library.store.url}; a tag needs a name of its own.")
    if library.tag(ref.name, ref.version):
        raise UsageError(f"{ref} is a tag in {library.store.url}; a version needs a name of its own.")


def _missing_tags(library: Library, request: CaptureRequest) -> list[str]:
    """The tags asked for that do not point to the version, which is there."""
    found = library.readable_tags(request.ref.name)
    versions = {name: tag.version for name, tag in found.items() if tag}
    return [name for name in request.tags if versions.get(name) != request.ref.version]


def _set_tags(library: Library, image: Manifest, tags: t.Sequence[str]) -> None:
    """:raises StoreError: the store fails; it says that nothing but tags is missing."""
    for position, tag in enumerate(tags):
        try:
            library.set_tag(image, tag)
        except StoreError as error:
            missing = list(tags[position:])
            raise type(error)(
                f"{error.message} Image {image.ref} is published and complete, but lacks these tags: "
                f"{', '.join(missing)}. Set them with golden.fleet.image_tag.",
                **{**error.facts, "image": str(image.ref), "missing_tags": missing},
            ) from error


class _Chunk(t.NamedTuple):
    digest: bytes
    frame: bytes | None  # None: zeros, or in the store already


class _Run:
    """One capture under way."""

    def __init__(self, library: Library, request: CaptureRequest, progress: Progress, handle: DiskHandle) -> None:
        self.request = request
        self.places = Locations()
        self.encoded_index = b""
        self.counts = {"total": 0, "new": 0, "known": 0, "zero": 0}
        self._library = library
        self._progress = progress
        self._handle = handle
        progress.phase("reading the disk's structure")
        self.survey = _survey(request)
        for note in self.survey.notes:
            progress.note(note)
        earlier = reusable(library, request.ref.name, progress)
        self._dedupe = [*earlier, *images_named(library, request.dedupe_from, progress)]
        self.grid = Grid(self._chunk_size(earlier), self.survey.used, self.survey.blank)
        self._zero = zero_digest(self.grid.chunk_size)
        self._buffers = PerThread(lambda: aligned_buffer(self.grid.chunk_size))
        self._compressors = PerThread(lambda: chunk_compressor(request.level, self.grid.chunk_size))

    def store(self, lease: Lease) -> tuple[Manifest, PackWriter]:
        """Send every chunk that the store lacks; the manifest says what to publish."""
        left = noted_packs(lease.inherited)
        known = known_chunks(self._library, self._dedupe, left, self._progress)
        self._progress.phase("capturing", len(self.grid) * self.grid.chunk_size)
        digests = bytearray()
        with PackWriter(self._library.store, self.places, lambda packs: lease.note(packs=left + packs)) as writer:
            weight = compressor_memory(self.request.level, self.grid.chunk_size) + 4 * self.grid.chunk_size
            threads = self.request.threads or worker_count(weight)
            work = self._work(known, writer)
            for chunk in ordered(work, range(len(self.grid)), threads):
                digests += chunk.digest
                self._count(chunk, known, writer)
                self._progress.advance(self.grid.chunk_size)
        self._progress.phase("publishing")
        return self._manifest(bytes(digests)), writer

    def _work(self, known: Locations, writer: PackWriter) -> t.Callable[[int], _Chunk]:
        def work(row: int) -> _Chunk:
            buffer = self._buffers.get()
            self._handle.read_into(buffer, self.grid.start(row))
            self.grid.keep_used(row, buffer)
            name = digest(buffer)
            if name == self._zero or name in known or name in writer:
                return _Chunk(name, None)
            return _Chunk(name, self._compressors.get().compress(buffer))

        return work

    def _count(self, chunk: _Chunk, known: Locations, writer: PackWriter) -> None:
        self.counts["total"] += 1
        if chunk.digest == self._zero:
            self.counts["zero"] += 1
        elif chunk.frame is not None and writer.add(chunk.digest, chunk.frame):
            self.counts["new"] += 1
        else:
            self.counts["known"] += 1
            place = known.get(chunk.digest)
            if place:
                self.places.add(chunk.digest, place)

    def _chunk_size(self, earlier: list[Manifest]) -> int:
        if self.request.chunk_size:
            return self.request.chunk_size
        return earlier[0].chunk_size if earlier else comfortable_chunk_size(self.survey.used.total)

    def _manifest(self, digests: bytes) -> Manifest:
        found, grid, disk = self.survey, self.grid, self.request.disk
        self.encoded_index = index_codec.encode(Index(grid.chunk_size, found.used, found.blank, digests))
        image = Manifest(
            name=self.request.ref.name,
            version=self.request.ref.version,
            created=datetime.now(tz=timezone.utc).strftime(MOMENT),
            disk_size=disk.size,
            sector_size=disk.sector_size,
            needed_size=max(grid.kept.end, needed_size(found.table) if found.table else 0),
            table=found.table,
            volumes=tuple(map(_on_lines, found.volumes)),
            gaps=found.gaps,
            chunk_size=grid.chunk_size,
            chunk_count=len(grid),
            index=IndexRef(digest(self.encoded_index).hex(), len(self.encoded_index)),
            used=found.used.total,
            stored=sum(place.length for _digest, place in self.places),
            source=source_facts(disk),
            os=tuple(find_systems(disk, found.volumes)),
            tools=tool_versions(),
            notes=tuple(map(as_line, found.notes)),
        ).sealed()
        return manifest_codec.decode(manifest_codec.encode(image), image.ref)  # what we publish, we can read


def _on_lines(volume: Volume) -> Volume:
    """Labels hold whatever bytes somebody put into them, and notes what a tool said."""
    label, note = (text and as_line(text) for text in (volume.label, volume.note))
    return replace(volume, label=label, note=note)


def _result(run: _Run, image: Manifest, writer: PackWriter, seconds: float) -> dict[str, t.Any]:
    size = run.grid.chunk_size
    return {
        "changed": True,
        "image": str(image.ref),
        "digest": image.digest,
        "tags": list(run.request.tags),
        "disk": asdict(run.request.disk),
        "seconds": round(seconds, 3),
        "packs": writer.packs,
        "bytes": {
            "used": image.used,
            "read": run.counts["total"] * size,
            "known": run.counts["known"] * size,
            "stored": writer.stored + len(run.encoded_index),
        },
        "chunks": run.counts,
        "notes": list(image.notes),
        "diff": {"before": "", "after": _as_text(image.ref, run.survey)},
    }


def _as_text(ref: ImageRef, found: Survey) -> str:
    """What an image holds, for people who asked for a diff."""
    lines = [f"image {ref}", f"partition table: {found.table.label if found.table else 'none'}"]
    for volume in found.volumes:
        place = f"partition {volume.partition}" if volume.partition else "whole disk"
        lines.append(f"{place}: {volume.type} {volume.label or ''} {volume.used} of {volume.size} bytes")
    return "\n".join(lines) + "\n"
