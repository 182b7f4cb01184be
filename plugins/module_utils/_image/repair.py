# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Rebuilds the locations of images from the tables of all packs."""

from __future__ import annotations

import typing as t

from .._errors import ImageDamaged, NotInStore
from .._progress import Progress
from .damage import Damage
from .lease import Lease
from .library import Library
from .locations import Locations, Place
from .manifest import Manifest
from .pack import read_table


def rebuild_locations(
    library: Library, images: t.Iterable[Manifest], held: Lease, progress: Progress
) -> list[Manifest]:
    """Give images whose locations are lost, incomplete or lead to lost packs or damaged chunks new ones.

    :returns: the images that gained by it.
    :param held: the lease of a prune, which would rewrite locations and delete packs.
    """
    packs = set(library.packs())
    damage = Damage(library.store)
    broken = [image for image in images if _lacking(library, image, packs, damage)]
    if not broken:
        return []
    progress.phase("reading the tables of all packs")
    everything = _sound_places(library, packs, damage, progress)
    held.confirm()
    return [image for image in broken if _rebuild(library, image, everything, damage)]


def _rebuild(library: Library, image: Manifest, everything: Locations, damage: Damage) -> bool:
    """False where the packs tell nothing that was not known before."""
    old = _readable(library, image)
    packs = set(everything.packs)
    places = Locations()
    gained = old is None
    for digest in library.digests(image):
        known = old.get(digest) if old else None
        sound = known and known.pack in packs and not damage.spoils(digest, known.pack)
        place = known if sound else everything.get(digest) or known
        if place:
            places.add(digest, place)
        gained = gained or place != known
    if gained:
        library.replace_locations(image, places)
    return gained


def _lacking(library: Library, image: Manifest, packs: set[str], damage: Damage) -> bool:
    places = _readable(library, image)
    if places is None or lost_chunks(library, image, places, packs):
        return True
    return any(damage.spoils(digest, place.pack) for digest, place in places)


def lost_chunks(library: Library, image: Manifest, places: Locations, packs: t.Container[str]) -> int:
    """How many chunks of an image lie in no pack, as far as its locations say."""
    found = (places.get(digest) for digest in library.digests(image))
    return sum(place is None or place.pack not in packs for place in found)


def _readable(library: Library, image: Manifest) -> Locations | None:
    try:
        return library.locations(image)
    except ImageDamaged:
        return None


def _sound_places(library: Library, packs: t.Iterable[str], damage: Damage, progress: Progress) -> Locations:
    places = Locations()
    for name in sorted(packs):
        try:
            for entry in read_table(library.store, name):
                if not damage.spoils(entry.digest, name):
                    places.add(entry.digest, Place(name, entry.offset, entry.length))
        except (ImageDamaged, NotInStore) as error:
            progress.note(error.message)
    return places
