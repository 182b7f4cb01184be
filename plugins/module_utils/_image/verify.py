# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Verify: is everything in a store what it says it is, and which images suffer where it is not?"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from .._errors import ImageDamaged, ImageError, NotInStore
from .._progress import Progress
from .._store.base import Store
from .._units import show_size
from .chunks import LARGEST, zero_digest
from .damage import Damage
from .lease import Lease
from .library import Library
from .manifest import Manifest
from .names import PRUNE_LEASE_KEY, ImageRef, pack_key
from .pack import Entry
from .pack_check import PackState, check_content, check_presence
from .pipeline import ordered, worker_count
from .reads import LONGEST
from .repair import rebuild_locations


@dataclass(frozen=True)
class VerifyRequest:
    """What to verify."""

    ref: ImageRef | None = None  # None: the whole store
    deep: bool = True  # read and check every chunk; else only that everything is there
    repair: bool = False  # rebuild locations from the packs; if deep, write down which chunks are damaged
    threads: int | None = None

    @property
    def notes_damage(self) -> bool:
        return self.deep and self.repair


@dataclass
class _Report:
    """What was found out about one image."""

    ref: ImageRef
    manifest: Manifest | None = None
    problems: list[str] = field(default_factory=list)
    damaged_chunks: int = 0
    repaired: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "image": str(self.ref),
            "ok": not self.problems,
            "digest": self.manifest.digest if self.manifest else None,
            "problems": self.problems,
            "damaged_chunks": self.damaged_chunks,
            "repaired": self.repaired,
        }


def verify(store: Store, request: VerifyRequest, progress: Progress) -> dict[str, t.Any]:
    """Check images and packs of a store.

    :returns: ok, changed, images (each: image, ok, problems, damaged_chunks, repaired),
        packs (the damaged ones: pack, problem, images), bytes {read}, seconds.
    """
    started = time.monotonic()
    library = Library(store)
    library.check()
    progress.phase("reading manifests")
    if request.repair:
        with Lease(store, PRUNE_LEASE_KEY, "The store") as held:
            reports = [_open(library, ref) for ref in _refs(library, request)]
            _repair(library, reports, held, progress)
    else:
        reports = [_open(library, ref) for ref in _refs(library, request)]
    users = _pack_users(library, reports)
    found = _check_packs(library, reports, users, request, progress)
    noted = request.notes_damage and _note_damage(store, found.values())
    for report in reports:
        _judge(library, report, found)
    damaged = [found[name] for name in sorted(found) if found[name].problem]
    return {
        "changed": noted or any(report.repaired for report in reports),
        "ok": not damaged and not any(report.problems for report in reports),
        "images": [report.as_dict() for report in reports],
        "packs": [{"pack": pack.name, "problem": pack.problem, "images": sorted(users[pack.name])} for pack in damaged],
        "bytes": {"read": sum(pack.size for pack in found.values())},
        "seconds": round(time.monotonic() - started, 3),
    }


def advice(broken: bool, request: VerifyRequest) -> str:
    """What to do about a damaged store.

    :param broken: there are images that cannot be applied.
    """
    steps = [] if request.notes_damage else ["Run golden.fleet.image_verify with repair: true (and deep)."]
    if broken:
        steps.append(
            "Then capture the disks of broken images again, as new versions: what is damaged is sent again. "
            "Then run golden.fleet.image_verify with repair: true once more: it mends the old versions with that. "
            "What stays broken can be removed with golden.fleet.image_prune."
        )
    else:
        steps.append("Every image can be applied. golden.fleet.image_prune replaces the damaged packs.")
    return " ".join(steps)


def _refs(library: Library, request: VerifyRequest) -> list[ImageRef]:
    if request.ref:
        return [library.find(request.ref).ref]
    return [ImageRef(name, version) for name in library.names() for version in library.versions(name)]


def _open(library: Library, ref: ImageRef) -> _Report:
    """Manifest and index; both are small and always checked."""
    report = _Report(ref)
    try:
        report.manifest = library.manifest(ref.name, ref.version)
        library.index(report.manifest)
    except ImageError as error:
        report.problems.append(error.message)
    return report


def _repair(library: Library, reports: list[_Report], held: Lease, progress: Progress) -> None:
    sound = {report.ref: report for report in reports if report.manifest and not report.problems}
    manifests = (report.manifest for report in sound.values() if report.manifest)
    for image in rebuild_locations(library, manifests, held, progress):
        sound[image.ref].repaired = True


def _note_damage(store: Store, packs: t.Iterable[PackState]) -> bool:
    """So that no capture relies on damaged chunks; False if all of it was known."""
    damage = Damage(store)
    news = []
    for pack in packs:
        lasting = pack.problem and not pack.gone
        news.append(damage.add(pack.name, pack.bad) if lasting else damage.remove(pack.name))
    return any(news)


def _pack_users(library: Library, reports: list[_Report]) -> dict[str, set[str]]:
    """Which images use which pack."""
    users: dict[str, set[str]] = {}
    for report in reports:
        try:
            used = library.locations(report.manifest).packs if report.manifest else []
        except ImageDamaged as error:
            report.problems.append(error.message)
            continue
        for name in used:
            users.setdefault(name, set()).add(str(report.ref))
    return users


def _check_packs(
    library: Library,
    reports: list[_Report],
    users: dict[str, set[str]],
    request: VerifyRequest,
    progress: Progress,
) -> dict[str, PackState]:
    sizes = {name: _size(library, name) for name in users}
    progress.phase("checking packs", sum(sizes.values()))

    def wanted(name: str) -> set[Entry]:
        return {entry for report in reports for entry in _entries_in(library, report, name)}

    def check(name: str) -> PackState:
        return check_content(library.store, name, wanted) if request.deep else check_presence(library.store, name)

    found = {}
    for pack in ordered(check, sorted(users), request.threads or worker_count(2 * LONGEST + LARGEST)):
        found[pack.name] = pack
        progress.advance(sizes[pack.name])
        if pack.problem:
            progress.note(f"Pack {pack.name}: {pack.problem}")
    return found


def _size(library: Library, pack: str) -> int:
    try:
        return library.store.size(pack_key(pack))
    except NotInStore:
        return 0


def _entries_in(library: Library, report: _Report, pack: str) -> t.Iterator[Entry]:
    """What one image expects in a pack."""
    if report.manifest and not report.problems:
        for digest, place in library.locations(report.manifest):
            if place.pack == pack:
                yield Entry(digest, place.offset, place.length)


def _judge(library: Library, report: _Report, found: dict[str, PackState]) -> None:
    """What the state of the packs means for one image."""
    if not report.manifest or report.problems:
        return
    index = library.index(report.manifest)
    places = library.locations(report.manifest)
    zero = zero_digest(index.chunk_size)
    harm: dict[str, int] = {}
    for row in range(report.manifest.chunk_count):
        name = index.digest(row)
        place = None if name == zero else places.get(name)
        if place is None:
            blame = None if name == zero else "no pack known to hold them"
        else:
            pack = found[place.pack]
            blame = f"pack {pack.name}" if pack.gone or name in pack.bad else None
        if blame:
            harm[blame] = harm.get(blame, 0) + 1
    for pack_name in sorted(name for name in places.packs if found[name].unsure):
        report.problems.append(f"Pack {pack_name} is damaged. A deep verify tells how much is lost.")
    for blame, count in sorted(harm.items()):
        report.damaged_chunks += count
        report.problems.append(f"{count} chunks ({show_size(count * index.chunk_size)}) are lost: {blame}.")
