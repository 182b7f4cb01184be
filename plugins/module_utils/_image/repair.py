# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Rebuilds the locations of images from the tables of all packs."""

from __future__ import annotations

import typing as t

from .._errors import ImageDamaged, NotInStore
from .._progress import Progress
from .chunks import zero_digest
from .library import Library
from .locations import Locations, Place
from .manifest import Manifest
from .pack import read_table


def rebuild_locations(library: Library, images: t.Iterable[Manifest], progress: Progress) -> list[Manifest]:
    """Give images whose locations are lost or incomplete new ones; the images that gained by it."""
    broken = [image for image in images if _lacking(library, image)]
    if not broken:
        return []
    progress.phase("reading the tables of all packs")
    everything = _all_places(library, progress)
    return [image for image in broken if _rebuild(library, image, everything)]


def _rebuild(library: Library, image: Manifest, everything: Locations) -> bool:
    """False where the packs tell nothing that was not known before."""
    old = _readable(library, image)
    places = Locations()
    gained = old is None
    for digest in _digests(library, image):
        known = old.get(digest) if old else None
        place = known or everything.get(digest)
        if place:
            places.add(digest, place)
        gained = gained or (place is not None and known is None)
    if gained:
        library.replace_locations(image, places)
    return gained


def _lacking(library: Library, image: Manifest) -> bool:
    places = _readable(library, image)
    return places is None or any(digest not in places for digest in _digests(library, image))


def _readable(library: Library, image: Manifest) -> Locations | None:
    try:
        return library.locations(image)
    except ImageDamaged:
        return None


def _digests(library: Library, image: Manifest) -> t.Iterator[bytes]:
    """Of every chunk that must lie in a pack."""
    index = library.index(image)
    zero = zero_digest(index.chunk_size)
    rows = (index.digest(row) for row in range(image.chunk_count))
    return (digest for digest in rows if digest != zero)


def _all_places(library: Library, progress: Progress) -> Locations:
    places = Locations()
    for name in library.packs():
        try:
            for entry in read_table(library.store, name):
                places.add(entry.digest, Place(name, entry.offset, entry.length))
        except (ImageDamaged, NotInStore) as error:
            progress.note(error.message)
    return places
