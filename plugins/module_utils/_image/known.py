# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which chunks a store has already, so that a capture need not send them again."""

from __future__ import annotations

import typing as t

from .._errors import ImageDamaged, ImageError, ImageNotFound, NotInStore
from .._progress import Progress
from .damage import Damage
from .library import Library
from .locations import Locations, Place
from .manifest import Manifest
from .names import pack_key
from .pack import read_table


def newest_first(images: t.Iterable[Manifest]) -> list[Manifest]:
    """Versions of an image in order; two of the same second by their names."""
    return sorted(images, key=lambda image: (image.created, image.version), reverse=True)


def reusable(library: Library, name: str, progress: Progress) -> list[Manifest]:
    """The published versions of an image, newest first. One that is damaged is no reason to capture nothing."""
    found = []
    for version in library.versions(name):
        try:
            found.append(library.manifest(name, version))
        except (ImageError, NotInStore) as error:
            progress.note(f"Chunks of {name}:{version} are not reused. {error.message}")
    return newest_first(found)


def known_chunks(
    library: Library, images: t.Iterable[Manifest], packs: t.Iterable[str], progress: Progress
) -> Locations:
    """Where the chunks of some images and packs lie; what is damaged or gone is left out, with a note.

    :param packs: names of packs that belong to no image yet, left by an interrupted capture.
    """
    damage = Damage(library.store)
    known = Locations()
    spoiled = set()
    for digest, place in _places(library, images, packs, progress):
        if damage.spoils(digest, place.pack):
            spoiled.add(digest)
        else:
            known.add(digest, place)
    lost = sum(digest not in known for digest in spoiled)
    if lost:
        progress.note(
            f"{lost} chunks in the store are damaged, as a verify has found. Those that this disk has are sent again. "
            "Then golden.fleet.image_verify with repair: true mends older versions with them."
        )
    return known


def _places(
    library: Library, images: t.Iterable[Manifest], packs: t.Iterable[str], progress: Progress
) -> t.Iterator[tuple[bytes, Place]]:
    present = _Packs(library)
    for image in images:
        try:
            places = library.locations(image)
        except ImageDamaged as error:
            progress.note(f"Chunks of {image.ref} are not reused. {error.message}")
            continue
        for digest, place in places:
            if present.hold(place):
                yield digest, place
    for pack in packs:
        try:
            for entry in read_table(library.store, pack):
                yield entry.digest, Place(pack, entry.offset, entry.length)
        except (NotInStore, ImageDamaged) as error:
            progress.note(f"What an interrupted capture left is not reused. {error.message}")


def images_named(library: Library, names: t.Iterable[str], progress: Progress) -> list[Manifest]:
    """All versions of some images.

    :raises ImageNotFound: there is no image of such a name.
    """
    found = []
    for name in names:
        if not library.versions(name):
            raise ImageNotFound(
                f"dedupe_from names {name}, but {library.store.url} has no such image. "
                f"Images here: {', '.join(library.names()) or 'none'}.",
                image=name,
            )
        found += reusable(library, name, progress)
    return found


class _Packs:
    """How long packs are; asked once for each."""

    def __init__(self, library: Library) -> None:
        self._store = library.store
        self._sizes: dict[str, int] = {}

    def hold(self, place: Place) -> bool:
        """Is there such a place? A pack may be gone, or cut off."""
        if place.pack not in self._sizes:
            try:
                self._sizes[place.pack] = self._store.size(pack_key(place.pack))
            except NotInStore:
                self._sizes[place.pack] = 0
        return place.offset + place.length <= self._sizes[place.pack]
