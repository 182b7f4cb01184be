# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Finds packs that are damaged, or of which little or nothing is in use, and moves what is into new ones."""

from __future__ import annotations

import typing as t

from .._errors import ImageDamaged, NotInStore
from .._progress import Progress
from ._codec import decompressor, digest, inflate
from .chunks import LARGEST
from .damage import Damage
from .library import Library
from .locations import Locations, Place
from .manifest import Manifest
from .names import pack_key
from .pack import ENTRY_SIZE, OVERHEAD
from .pack_writer import PackWriter


class Repacker:
    """What a set of images uses of the packs in a store.

    :param images: all images that must stay readable.
    :param below: percent; packs of which less is in use are rewritten.
    :param damage: packs to rewrite in any case, but for those of which damaged chunks are in use: there is nothing
        better to put in their place.
    """

    def __init__(self, library: Library, images: list[Manifest], below: int, damage: Damage) -> None:
        self.packs = library.packs()  # of before
        self.written: list[str] = []  # names of new packs
        self.stored = 0  # bytes in them
        self._library = library
        self._images = images
        self._places = Locations()
        self._sizes = {name: library.store.size(pack_key(name)) for name in self.packs}
        self._settle(damage)
        spoiled = {place.pack for name, place in self._places if damage.spoils(name, place.pack)}
        used = self._used()
        self.sparse = sorted(
            name
            for name in self._sizes.keys() & used.keys() - spoiled
            if name in damage.packs or 100 * used[name] < below * self._sizes[name]
        )

    def rewrite(self, progress: Progress) -> None:
        """Copy what is in use of sparse packs into new ones, and point every image to one place per chunk."""
        if self.sparse:
            self._move(progress)
        for image in self._images:
            places = self._library.locations(image)
            settled = Locations()
            for name, place in places:
                settled.add(name, self._places.get(name) or place)
            if list(settled) != list(places):
                self._library.replace_locations(image, settled)

    def unused(self) -> list[str]:
        """Packs of before that no image uses now (or, before rewrite(), would use after it)."""
        used = set(self._used()) - set(self.sparse) | set(self.written)
        return [name for name in self.packs if name not in used]

    def freed(self, names: t.Iterable[str]) -> int:
        """How many bytes some packs have."""
        return sum(self._sizes[name] for name in names)

    def _settle(self, damage: Damage) -> None:
        """One place for each chunk; a sound one, if any image has one."""
        for spoiled in (False, True) if damage.packs else (False,):
            for image in self._images:
                for name, place in self._library.locations(image):
                    if damage.spoils(name, place.pack) == spoiled:
                        self._places.add(name, place)

    def _used(self) -> dict[str, int]:
        """How many bytes of each pack are in use, so that it is all of them where every chunk is."""
        used: dict[str, int] = {}
        for _name, place in self._places:
            used[place.pack] = used.get(place.pack, OVERHEAD) + place.length + ENTRY_SIZE
        return used

    def _move(self, progress: Progress) -> None:
        progress.phase("rewriting packs", self.freed(self.sparse))
        doomed = set(self.sparse)
        moved = Locations()
        with PackWriter(self._library.store, moved, lambda _packs: None) as writer:
            for name, place in self._places:
                if place.pack in doomed:
                    writer.add(name, self._frame(name, place))
                    progress.advance(place.length)
        self.written, self.stored = writer.packs, writer.stored
        settled = Locations()
        for name, place in self._places:
            settled.add(name, moved.get(name) or place)
        self._places = settled

    def _frame(self, name: bytes, place: Place) -> bytes:
        """A chunk as it lies in a pack; one that nobody knew to be damaged stops the prune before packs are deleted."""
        what = f"Chunk {name.hex()} in pack {place.pack}"
        problem = f"{what} is gone or damaged. Run golden.fleet.image_verify with repair: true."
        try:
            frame = self._library.store.read(pack_key(place.pack), place.offset, place.length)
            content = inflate(decompressor(), frame, LARGEST, what)
        except (NotInStore, ImageDamaged) as error:
            raise ImageDamaged(problem, pack=place.pack) from error
        if digest(content) != name:
            raise ImageDamaged(problem, pack=place.pack)
        return frame
