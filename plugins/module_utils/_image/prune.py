# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Prune: old versions go, and with them the packs that nobody needs any more.

The order keeps captures safe that run at the same time (docs/architecture.md): first manifests go and locations
change, then the captures under way are looked up, and packs are deleted only if there are none.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._errors import ImageDamaged, ImageNotFound, UsageError
from .._fields import seconds
from .._progress import Progress
from .._store.base import Store
from . import lease
from .damage import Damage
from .known import newest_first
from .lease import Lease
from .library import Library, Tag
from .manifest import Manifest
from .names import PRUNE_LEASE_KEY, ImageRef, pack_key, version_key
from .repack import Repacker
from .repair import lost_chunks, rebuild_locations


@dataclass(frozen=True)
class PruneRequest:
    """What to keep. A version is kept if any rule keeps it; a tagged one and the newest of an image always are."""

    images: tuple[str, ...] = ()  # names; empty: all images
    keep_last: int | None = None
    keep_within: int | None = None  # seconds
    remove: tuple[ImageRef, ...] = ()  # these versions, whatever the rules say; not if tagged
    repack_below: int = 50  # percent: packs of which less is in use are rewritten
    leftovers_after: int = 7 * 86400  # seconds: what an interrupted capture left is kept so long for its resumption
    check: bool = False

    def validate(self) -> None:
        """:raises UsageError: the rules would remove everything, or are no rules."""
        if self.keep_last is not None and self.keep_last < 1:
            raise UsageError("keep_last must be at least 1.")
        if not 0 <= self.repack_below <= 100:
            raise UsageError("repack_below is a percentage from 0 to 100.")

    @property
    def has_rules(self) -> bool:
        return self.keep_last is not None or self.keep_within is not None


def prune(store: Store, request: PruneRequest, progress: Progress) -> dict[str, t.Any]:
    """Remove versions by rules, then free the space that only they used.

    :returns: changed, removed, kept (image: reasons), packs {removed, rewritten, kept}, bytes {freed, written},
        deferred (packs were kept because a capture is under way), leftovers (of interrupted captures), diff.
    """
    request.validate()
    library = Library(store)
    library.check()
    if request.check:
        return _Run(library, request, progress).work(None)
    with Lease(store, PRUNE_LEASE_KEY, "The store") as held:
        return _Run(library, request, progress).work(held)


class _Run:
    """One prune under way."""

    def __init__(self, library: Library, request: PruneRequest, progress: Progress) -> None:
        self._library = library
        self._request = request
        self._progress = progress
        self._now = time.time()
        self._damage = Damage(library.store)
        self._healed: list[Manifest] = []

    def work(self, held: Lease | None) -> dict[str, t.Any]:
        """:param held: the lease; None plans only."""
        self._progress.phase("reading manifests")
        kept, doomed = self._choose()
        survivors = self._survivors(set(doomed))
        self._check_whole(survivors)
        if held:
            self._heal(survivors, held)
            for ref in doomed:
                self._library.remove(ref)
        leftovers = self._leftovers(held is not None)
        self._progress.phase("finding unused chunks")
        repacker = Repacker(self._library, survivors, self._request.repack_below, self._damage)
        if held:
            repacker.rewrite(self._progress)
        reserved, busy = self._claimed(held is not None)
        busy = busy or self._published_meanwhile({image.ref for image in survivors}, set(doomed))
        unused = [name for name in repacker.unused() if name not in reserved]
        if held and not busy:
            held.confirm()
            self._delete(unused, repacker)
        return self._result(kept, doomed, leftovers, repacker, [] if busy else unused, busy)

    def _heal(self, survivors: list[Manifest], held: Lease) -> None:
        """The sound copy of a damaged chunk may lie in a pack that only versions use which go now."""
        if self._damage.packs:
            self._healed = rebuild_locations(self._library, survivors, held, self._progress)

    def _delete(self, unused: list[str], repacker: Repacker) -> None:
        for name in unused:
            self._library.store.delete(pack_key(name))
        for name in self._damage.packs - (set(repacker.packs) - set(unused)):
            self._damage.remove(name)
        self._library.store.sweep()

    def _choose(self) -> tuple[dict[ImageRef, list[str]], list[ImageRef]]:
        """What stays, with the reasons, and what goes."""
        named = {ImageRef(ref.name, ref.version) for ref in self._request.remove}
        wanted = {*self._images(), *(ref.name for ref in named)}
        kept: dict[ImageRef, list[str]] = {}
        doomed = []
        for name in sorted(wanted):
            tags = self._library.tags(name)
            here = {ImageRef(name, version) for version in self._library.versions(name)}
            self._refuse_tagged(named, tags)
            doomed += sorted(named & here, key=str)  # without a look at their manifests, which may be damaged
            images = newest_first(self._library.manifest(ref.name, ref.version) for ref in here - named)
            for position, image in enumerate(images):
                reasons = [f"tag {tag.name}" for tag in tags if tag.version == image.version]
                reasons += self._reasons(image, position)
                if not reasons and position == 0:
                    reasons = ["the newest"]  # a site that captures seldom must not lose its only image to a rule
                if reasons:
                    kept[image.ref] = reasons
                else:
                    doomed.append(image.ref)
        return kept, doomed

    def _images(self) -> t.Sequence[str]:
        """The images to which the rules apply.

        :raises ImageNotFound: one of them is not there: somebody has mistyped it.
        """
        here = self._library.names()
        for name in self._request.images:
            if name not in here:
                raise ImageNotFound(
                    f"There is no image {name}, to which the rules shall apply, in {self._library.store.url}. "
                    f"Images here: {', '.join(here) or 'none'}.",
                    image=name,
                )
        return self._request.images or here

    def _reasons(self, image: Manifest, position: int) -> list[str]:
        request = self._request
        reasons = []
        if not request.has_rules or (request.images and image.name not in request.images):
            return ["no rule"]
        if request.keep_last is not None and position < request.keep_last:
            reasons.append(f"among the last {request.keep_last}")
        if request.keep_within is not None and self._now - seconds(image.created) <= request.keep_within:
            reasons.append("young enough")
        return reasons

    def _refuse_tagged(self, named: set[ImageRef], tags: list[Tag]) -> None:
        """:raises UsageError: a version that shall be removed has a tag, or is one."""
        for tag in tags:
            for ref in named:
                if ref.version in (tag.name, tag.version):
                    raise UsageError(
                        f"{ref} is not removed: {ref.name}:{tag.name} is a tag, of version {tag.version}. "
                        "Remove or move the tag first, with golden.fleet.image_tag."
                    )

    def _survivors(self, doomed: set[ImageRef]) -> list[Manifest]:
        """Every other image of the store. One that cannot be read stops the prune: its packs are unknown."""
        return [self._library.manifest(ref.name, ref.version) for ref in self._published() if ref not in doomed]

    def _check_whole(self, survivors: list[Manifest]) -> None:
        """:raises ImageDamaged: locations do not lead to every chunk: what they leave out would look unused."""
        packs = set(self._library.packs())
        for image in survivors:
            try:
                lost = lost_chunks(self._library, image, self._library.locations(image), packs)
                problem = f"{lost} of its chunks lie in no pack that is there." if lost else ""
            except ImageDamaged as error:
                problem = error.message
            if problem:
                raise ImageDamaged(
                    f"Nothing was removed from {self._library.store.url}, because image {image.ref} is damaged: "
                    f"{problem} "
                    "Run golden.fleet.image_verify with repair: true, or remove that image with the option remove.",
                    image=str(image.ref),
                )

    def _published(self) -> list[ImageRef]:
        return [ref for ref in self._library.begun_everywhere() if self._library.is_published(ref)]

    def _published_meanwhile(self, survivors: set[ImageRef], doomed: set[ImageRef]) -> bool:
        """Did a capture come to its end between our look at the images and our look for captures?"""
        return not set(self._published()) <= survivors | doomed

    def _leftovers(self, remove: bool) -> list[str]:
        """Interrupted captures that nobody has resumed for long."""
        found = []
        for ref in self._library.unpublished():
            key = version_key(ref.name, ref.version, "capture.json")
            held = lease.read(self._library.store, key)
            if lease.alive(self._library.store, key, held):
                continue
            if held and self._library.store.age(key) < self._request.leftovers_after:
                continue
            if self._library.is_published(ref):
                continue  # meanwhile: a capture publishes before it drops its claim
            found.append(str(ref))
            if remove:
                self._library.remove(ref)
        return found

    def _claimed(self, fence: bool) -> tuple[set[str], bool]:
        """Packs that interrupted captures may resume on, and whether a capture is under way."""
        packs: set[str] = set()
        busy = False
        store = self._library.store
        for ref in self._library.begun_everywhere():
            key = version_key(ref.name, ref.version, "capture.json")
            held = lease.read(store, key)
            if not held:
                continue
            if lease.alive(store, key, held):
                busy = True
            elif self._library.is_published(ref):
                if fence:
                    store.delete(key)  # it died at the very end, and there is nothing to resume
                continue
            elif fence and not held.get("released"):
                lease.fence(store, key)  # should it only have slept, it finds out before it publishes
            packs |= set(lease.noted_packs(held.get("notes")))
        return packs, busy

    def _result(
        self,
        kept: dict[ImageRef, list[str]],
        doomed: list[ImageRef],
        leftovers: list[str],
        repacker: Repacker,
        unused: list[str],
        busy: bool,
    ) -> dict[str, t.Any]:
        removed = [str(ref) for ref in doomed]
        before = [str(ref) for ref in kept] + removed
        return {
            "changed": bool(doomed or leftovers or unused or repacker.sparse or self._healed),
            "removed": removed,
            "kept": {str(ref): reasons for ref, reasons in kept.items()},
            "leftovers": leftovers,
            "packs": {"removed": unused, "rewritten": repacker.sparse, "written": repacker.written},
            "bytes": {"freed": repacker.freed(unused), "written": repacker.stored},
            "deferred": busy,
            "diff": {
                "before": "".join(f"{ref}\n" for ref in sorted(before)),
                "after": "".join(f"{ref}\n" for ref in sorted(map(str, kept))),
            },
        }
