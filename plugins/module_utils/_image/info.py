# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Info: what images a store holds."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from .._errors import GoldenError
from .._store.base import Store
from . import lease
from .firmware import boots_with
from .library import Library
from .manifest import Manifest
from .names import ImageRef, check_name, parse_ref, version_key


def info(store: Store, wanted: str | None) -> dict[str, t.Any]:
    """Describe images.

    :param wanted: an image's name, name:version, name:tag, or None for all.
    :returns: images (list, newest version first for each name), captures (under way or left over).
    """
    library = Library(store)
    if wanted and ":" in wanted:
        found = library.find(parse_ref(wanted))
        return {"images": [_describe(found, _tags(library, found.name))], "captures": []}
    library.check()
    names = [check_name(wanted)] if wanted else library.names()
    images = [image for name in names for image in _versions(library, name)]
    captures = [capture for ref in library.begun_everywhere() for capture in _capture(store, ref)]
    return {"images": images, "captures": [item for item in captures if not wanted or item["name"] == wanted]}


def _versions(library: Library, name: str) -> list[dict[str, t.Any]]:
    tags = _tags(library, name)
    found = [_version(library, ImageRef(name, version), tags) for version in library.versions(name)]
    return sorted(found, key=lambda image: str(image.get("created", "")), reverse=True)


def _version(library: Library, ref: ImageRef, tags: dict[str, list[str]]) -> dict[str, t.Any]:
    """One version; a damaged one is listed with its problem, so that it does not hide the others."""
    try:
        return _describe(library.manifest(ref.name, ref.version), tags)
    except GoldenError as error:
        return {"image": str(ref), "name": ref.name, "version": ref.version, "problem": error.message}


def _tags(library: Library, name: str) -> dict[str, list[str]]:
    tags: dict[str, list[str]] = {}
    for tag in filter(None, library.readable_tags(name).values()):
        tags.setdefault(tag.version, []).append(tag.name)
    return tags


def _describe(image: Manifest, tags: dict[str, list[str]]) -> dict[str, t.Any]:
    return {
        "image": str(image.ref),
        "name": image.name,
        "version": image.version,
        "tags": tags.get(image.version, []),
        "digest": image.digest,
        "created": image.created,
        "disk_size": image.disk_size,
        "needed_size": image.needed_size,
        "sector_size": image.sector_size,
        "used": image.used,
        "stored": image.stored,
        "chunk_size": image.chunk_size,
        "table": asdict(image.table) if image.table else None,
        "volumes": [asdict(volume) for volume in image.volumes],
        "firmware": boots_with(image),
        "os": list(image.os),
        "source": image.source,
        "tools": image.tools,
        "notes": list(image.notes),
    }


def _capture(store: Store, ref: ImageRef) -> list[dict[str, t.Any]]:
    key = version_key(ref.name, ref.version, "capture.json")
    held = lease.read(store, key)
    if not held:
        return []
    running = lease.alive(store, key, held)
    return [{"image": str(ref), "name": ref.name, "host": held.get("host"), "running": running}]
