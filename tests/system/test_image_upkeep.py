# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Life in a store: tags, prunes, damage and its repair, and several who work there at the same time."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    GoldenError,
    ImageBusy,
    ImageDamaged,
    ImageExists,
    ImageNotFound,
    UsageError,
)
from ansible_collections.golden.fleet.plugins.module_utils._image import lease, pack
from ansible_collections.golden.fleet.plugins.module_utils._image.damage import Damage
from ansible_collections.golden.fleet.plugins.module_utils._image.info import info
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.names import (
    ImageRef,
    damaged_key,
    pack_key,
    parse_ref,
)
from ansible_collections.golden.fleet.plugins.module_utils._image.tag import TagRequest, tag
from ansible_collections.golden.fleet.plugins.module_utils._image.verify import VerifyRequest, advice
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Data, Store
from ansible_collections.golden.fleet.tests.support.disks import MIB, sparse
from ansible_collections.golden.fleet.tests.support.engine import (
    NOISE_AT,
    Place,
    Result,
    Watcher,
    apply_disk,
    capture_disk,
    noise,
    noise_disk,
    overwrite,
    piece,
    prune_store,
    same_noise,
    verify_store,
)

_NOISE = 5  # MiB on each disk

pytestmark = pytest.mark.usefixtures("small_packs", "quick_takeover")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return noise_disk(tmp_path / "source.img", _NOISE)


def _change(source: Path, mebibyte: int, seed: int) -> None:
    overwrite(source, NOISE_AT + mebibyte * MIB, noise(MIB, seed))


def _versions(store: Store, source: Path, count: int, name: str = "lab") -> None:
    """Versions 1 to count, each with another first MiB."""
    for version in range(1, count + 1):
        _change(source, 0, 100 + version)
        capture_disk(store, source, f"{name}:{version}")


def _set_tags(store: Store, ref: str, *tags: str, **options: t.Any) -> Result:
    return tag(store, TagRequest(parse_ref(ref), tags, **options))


def _part(place: Place, ref: str, part: str) -> Path:
    """A file of a version; index and locations by what their names end with."""
    name, _colon, version = ref.partition(":")
    folder = place.folder / "images" / name / "versions" / version
    return folder / part if part.endswith(".json") else next(folder.glob(f"*.{part}"))


def _flip(path: Path, at: int) -> None:
    byte = piece(path, at, 1)[0]
    overwrite(path, at, bytes([byte ^ 0x10]))


def _flip_chunks(path: Path) -> None:
    """Damage every chunk of a pack; noise is as long in a pack as on the disk."""
    for at in range(1000, path.stat().st_size - 1000, MIB):
        _flip(path, at)


def _broken(found: Result) -> set[str]:
    return {image["image"] for image in found["images"] if not image["ok"]}


# Tags


def test_a_tag_is_set_moved_and_removed(store: Store, source: Path) -> None:
    _versions(store, source, 2)
    assert _set_tags(store, "lab:1", "stable")["changed"]
    assert not _set_tags(store, "lab:1", "stable")["changed"]
    assert Library(store).find(parse_ref("lab:stable")).version == "1"
    planned = _set_tags(store, "lab:2", "stable", check=True)
    assert planned["diff"] == {"before": "lab:stable -> 1\n", "after": "lab:stable -> 2\n"}
    assert Library(store).find(parse_ref("lab:stable")).version == "1"
    assert _set_tags(store, "lab:2", "stable", "newest")["tags"] == {"stable": "2", "newest": "2"}
    assert Library(store).find(parse_ref("lab:stable")).version == "2"
    assert _set_tags(store, "lab:stable", "beta")["tags"]["beta"] == "2"
    assert _set_tags(store, "lab:2", "stable", present=False)["changed"]
    assert not _set_tags(store, "lab:2", "stable", present=False)["changed"]
    with pytest.raises(ImageNotFound, match=r"There are: 1, 2, beta, newest\."):
        Library(store).find(parse_ref("lab:stable"))


def test_a_name_is_a_tag_or_a_version(directory: Store, source: Path) -> None:
    capture_disk(directory, source, "lab:1", tags=("stable",))
    with pytest.raises(UsageError, match="is a version"):
        _set_tags(directory, "lab:1", "1")
    with pytest.raises(UsageError, match="is a tag"):
        capture_disk(directory, source, "lab:stable")
    with pytest.raises(UsageError, match="is a version"):
        capture_disk(directory, source, "lab:2", tags=("1",))
    with pytest.raises(UsageError, match="a version and a tag"):
        capture_disk(directory, source, "lab:2", tags=("2",))
    assert Library(directory).versions("lab") == ["1"]


@pytest.mark.parametrize("content", ["{", '"text"', '{"version": "../../x", "digest": ""}', "{}"])
def test_a_damaged_tag_can_be_set_again(directory: Store, directory_place: Place, source: Path, content: str) -> None:
    capture_disk(directory, source, "lab:1", tags=("stable",))
    path = directory_place.folder / "images/lab/tags/stable.json"
    path.write_text(content)
    (path.parent / "a.txt").touch()
    (path.parent / "README").touch()
    with pytest.raises(ImageDamaged, match="Set it again"):
        Library(directory).find(parse_ref("lab:stable"))
    with pytest.raises(ImageDamaged, match="Set it again"):
        prune_store(directory, keep_last=1)  # which versions are tagged is not known
    assert info(directory, "lab")["images"][0]["tags"] == []
    assert _set_tags(directory, "lab:1", "stable")["changed"]
    assert Library(directory).find(parse_ref("lab:stable")).version == "1"


def test_a_tag_does_not_follow_another_image_under_the_same_version(
    directory: Store, directory_place: Place, source: Path
) -> None:
    capture_disk(directory, source, "lab:1", tags=("stable",))
    Library(directory).remove(parse_ref("lab:1"))
    with pytest.raises(ImageNotFound, match="points to version 1, which is gone"):
        Library(directory).find(parse_ref("lab:stable"))
    _change(source, 0, 5)
    capture_disk(directory, source, "lab:1")
    with pytest.raises(ImageDamaged, match="was set to an image with the digest"):
        Library(directory).find(parse_ref("lab:stable"))
    assert info(directory, None)["images"][0]["version"] == "1"
    assert directory_place.folder.exists()


# Prune


def test_the_last_versions_and_tagged_ones_stay(store: Store, place: Place, source: Path, tmp_path: Path) -> None:
    _versions(store, source, 5)
    _set_tags(store, "lab:1", "stable")
    before = sum(path.stat().st_size for path in place.folder.rglob("*.pack"))
    planned = prune_store(store, keep_last=2, check=True)
    done = prune_store(store, keep_last=2)
    assert planned["removed"] == done["removed"] == ["lab:3", "lab:2"]
    assert planned["kept"] == done["kept"]
    assert done["kept"]["lab:1"] == ["tag stable"]
    assert not done["deferred"]
    after = sum(path.stat().st_size for path in place.folder.rglob("*.pack"))
    assert after == before - done["bytes"]["freed"] + done["bytes"]["written"] < before
    assert Library(store).versions("lab") == ["1", "4", "5"]
    assert verify_store(store)["ok"]
    target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
    apply_disk(store, target, "lab:5")
    assert same_noise(target, source, _NOISE)
    again = prune_store(store, keep_last=2)
    assert not again["changed"]
    assert again["leftovers"] == []


def test_young_versions_stay_and_of_old_ones_the_newest(directory: Store, source: Path) -> None:
    _versions(directory, source, 2)
    assert not prune_store(directory, keep_within=3600)["removed"]
    time.sleep(1.1)  # versions are dated to the second
    found = prune_store(directory, keep_within=0)
    assert found["removed"] == ["lab:1"]
    assert found["kept"] == {"lab:2": ["the newest"]}
    assert verify_store(directory)["ok"]
    assert prune_store(directory, keep_within=0, remove=(parse_ref("lab:2"),))["removed"] == ["lab:2"]
    assert Library(directory).names() == []
    assert Library(directory).packs() == []


@pytest.mark.parametrize("check", [False, True])
def test_rules_for_an_image_that_is_not_there_are_an_error(directory: Store, source: Path, check: bool) -> None:
    _versions(directory, source, 2)
    capture_disk(directory, source, "office:1")
    with pytest.raises(ImageNotFound, match=r"no image lba, .* Images here: lab, office\."):
        prune_store(directory, images=("lab", "lba"), keep_last=1, check=check)
    assert Library(directory).versions("lab") == ["1", "2"]


def test_rules_hold_for_the_images_they_are_for(directory: Store, source: Path) -> None:
    _versions(directory, source, 2)
    _versions(directory, source, 2, "office")
    found = prune_store(directory, images=("office",), keep_last=1)
    assert found["removed"] == ["office:1"]
    assert Library(directory).versions("lab") == ["1", "2"]


def test_named_versions_go_unless_they_are_tagged(store: Store, source: Path) -> None:
    _versions(store, source, 3)
    _set_tags(store, "lab:3", "stable")
    for ref in ("lab:3", "lab:stable"):
        with pytest.raises(UsageError, match="Remove or move the tag first"):
            prune_store(store, remove=(parse_ref("lab:1"), parse_ref(ref)))
    assert Library(store).versions("lab") == ["1", "2", "3"]
    digest = Library(store).manifest("lab", "1").digest
    found = prune_store(store, remove=(parse_ref(f"lab:1@{digest}"), parse_ref("lab:none")))
    assert found["removed"] == ["lab:1"]
    assert Library(store).versions("lab") == ["2", "3"]
    assert verify_store(store)["ok"]
    assert not prune_store(store, remove=(parse_ref("lab:1"),))["changed"]


@pytest.mark.parametrize("keep", [{"keep_last": 0}, {"repack_below": 101}, {"repack_below": -1}])
def test_rules_that_make_no_sense(directory: Store, source: Path, keep: dict[str, t.Any]) -> None:
    capture_disk(directory, source, "lab:1")
    with pytest.raises(UsageError):
        prune_store(directory, **keep)


@pytest.mark.parametrize("below", [0, 50, 100])
def test_little_used_packs_are_rewritten_once(store: Store, source: Path, tmp_path: Path, below: int) -> None:
    capture_disk(store, source, "lab:1")
    _change(source, 0, 7)
    _change(source, 2, 8)
    capture_disk(store, source, "lab:2")
    found = prune_store(store, keep_last=1, repack_below=below)
    assert found["removed"] == ["lab:1"]
    assert bool(found["packs"]["rewritten"]) == (below == 100)
    assert verify_store(store)["ok"]
    target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
    apply_disk(store, target, "lab:2")
    assert same_noise(target, source, _NOISE)
    assert not prune_store(store, keep_last=1, repack_below=below)["changed"]


def test_a_damaged_chunk_stops_a_rewrite_before_anything_is_lost(
    directory: Store, directory_place: Place, source: Path
) -> None:
    capture_disk(directory, source, "lab:1")
    _change(source, 0, 7)
    capture_disk(directory, source, "lab:2")
    for path in directory_place.folder.rglob("*.pack"):
        _flip(path, path.stat().st_size // 2)
    packs = Library(directory).packs()
    with pytest.raises(ImageDamaged, match="image_verify"):
        prune_store(directory, keep_last=1, repack_below=100)
    assert Library(directory).packs() == packs


def test_an_unreadable_manifest_stops_a_prune_and_can_be_removed_itself(
    store: Store, place: Place, source: Path
) -> None:
    _versions(store, source, 3)
    _part(place, "lab:1", "manifest.json").write_text("{}")
    packs = Library(store).packs()
    with pytest.raises(ImageDamaged, match="lab:1"):
        prune_store(store, keep_last=1)
    assert Library(store).packs() == packs
    assert Library(store).versions("lab") == ["1", "2", "3"]
    assert prune_store(store, remove=(parse_ref("lab:1"),))["removed"] == ["lab:1"]
    assert verify_store(store)["ok"]


def test_two_prunes_do_not_meet(directory: Store, source: Path) -> None:
    _versions(directory, source, 2)
    refused: list[ImageBusy] = []

    def at_phase(name: str) -> None:
        if name == "finding unused chunks":
            with pytest.raises(ImageBusy, match="worked on by") as caught:
                prune_store(directory, keep_last=1)
            refused.append(caught.value)

    assert prune_store(directory, Watcher(at_phase), keep_last=1)["removed"] == ["lab:1"]
    assert len(refused) == 1


@pytest.mark.parametrize("harm", ["locations of another image", "lost locations", "a lost pack"])
def test_a_prune_deletes_nothing_while_a_surviving_image_lacks_something(
    store: Store, place: Place, three: dict[str, set[Path]], harm: str
) -> None:
    """Its chunks would look as if nobody used them."""
    path = _part(place, "lab:3", "locations")
    if harm == "locations of another image":
        path.write_bytes(_part(place, "lab:1", "locations").read_bytes())
    elif harm == "lost locations":
        path.unlink()
    else:
        sorted(three["lab:3"] - three["lab:2"])[0].unlink()
    packs = Library(store).packs()
    for check in (True, False):
        with pytest.raises(ImageDamaged, match=r"lab:3.*repair: true.*remove"):
            prune_store(store, keep_last=2, check=check)
    assert Library(store).packs() == packs
    assert Library(store).versions("lab") == ["1", "2", "3"]
    repaired = verify_store(store, repair=True)["ok"]
    assert repaired == (harm != "a lost pack")
    remove = () if repaired else (parse_ref("lab:3"),)
    assert "lab:1" in prune_store(store, keep_last=1 if remove else 2, remove=remove)["removed"]
    assert verify_store(store)["ok"]


def test_locations_in_lost_packs_are_repaired_from_others(store: Store, source: Path) -> None:
    capture_disk(store, source, "lab:1")
    for name in Library(store).packs():
        store.delete(pack_key(name))
    _change(source, 0, 30)
    capture_disk(store, source, "lab:2")  # sends all but one chunk again, some in other packs than before
    assert verify_store(store)["images"][0]["damaged_chunks"] > 1
    repaired = verify_store(store, repair=True)
    assert [image["damaged_chunks"] for image in repaired["images"]] == [1, 0]
    assert [image["image"] for image in repaired["images"] if image["repaired"]] == ["lab:1"]
    assert not verify_store(store, repair=True)["changed"]


def test_a_repair_and_a_prune_do_not_meet(directory: Store, directory_place: Place, source: Path) -> None:
    _versions(directory, source, 2)
    refused: list[ImageBusy] = []

    def at_phase(name: str) -> None:
        if name == "finding unused chunks":
            with pytest.raises(ImageBusy, match="worked on by") as caught:
                verify_store(directory, repair=True)
            refused.append(caught.value)

    prune_store(directory, Watcher(at_phase), keep_last=1)
    assert len(refused) == 1
    assert verify_store(directory, repair=True)["ok"]
    assert not (directory_place.folder / "leases/prune.json").exists()


# Captures that were interrupted


class _Crash(Exception):
    pass


def _interrupt(store: Store, source: Path, ref: str) -> None:
    """A capture that ends when all its packs are in the store."""

    def at_phase(name: str) -> None:
        if name == "publishing":
            raise _Crash

    with pytest.raises(_Crash):
        capture_disk(store, source, ref, Watcher(at_phase))


def test_what_an_interrupted_capture_left_is_kept_and_expires(store: Store, place: Place, source: Path) -> None:
    _versions(store, source, 1)
    _change(source, 0, 9)
    _interrupt(store, source, "lab:2")
    left = Library(store).packs()
    found = prune_store(store, keep_last=1)
    assert found["leftovers"] == []
    assert Library(store).packs() == left
    claim = _part(place, "lab:2", "capture.json")
    eight_days_ago = time.time() - 8 * 86400
    os.utime(claim, (eight_days_ago, eight_days_ago))
    assert prune_store(store, check=True)["leftovers"] == ["lab:2"]
    assert claim.exists()
    found = prune_store(store)
    assert found["leftovers"] == ["lab:2"]
    assert len(found["packs"]["removed"]) == 1
    assert not claim.exists()
    again = prune_store(store)
    assert not again["changed"]
    assert again["leftovers"] == []
    assert verify_store(store)["ok"]


def test_another_capture_resumes_after_a_prune(store: Store, source: Path) -> None:
    _interrupt(store, source, "lab:1")
    prune_store(store)
    again = capture_disk(store, source, "lab:1")
    assert again["chunks"]["new"] == 0
    assert verify_store(store)["ok"]


@pytest.mark.parametrize(
    "notes", [{"packs": ["../../etc/passwd", 7, None]}, {"packs": "x"}, ["packs"], None, {"packs": ["0" * 64]}]
)
def test_notes_of_an_interrupted_capture_are_not_believed(
    directory: Store, directory_place: Place, source: Path, notes: t.Any
) -> None:
    _interrupt(directory, source, "lab:1")
    claim = _part(directory_place, "lab:1", "capture.json")
    claim.write_text(json.dumps({**json.loads(claim.read_text()), "notes": notes}))
    prune_store(directory)
    assert capture_disk(directory, source, "lab:1")["changed"]
    assert verify_store(directory)["ok"]


def test_a_claim_that_outlived_its_image_reserves_nothing(store: Store, place: Place, source: Path) -> None:
    """A capture that dies between publishing and letting go of its claim."""
    capture_disk(store, source, "lab:1")
    packs = Library(store).packs()
    claim = {"token": "x", "machine": "gone", "released": True, "notes": {"packs": packs}}
    _part(place, "lab:1", "capture.json").write_text(json.dumps(claim))
    for mebibyte in (0, 2, 4):
        _change(source, mebibyte, 20 + mebibyte)
    capture_disk(store, source, "lab:2")
    _set_tags(store, "lab:1", "stable")
    prune_store(store)
    assert not _part(place, "lab:1", "capture.json").exists()
    _set_tags(store, "lab:1", "stable", present=False)
    prune_store(store, keep_last=1, repack_below=100)
    assert not set(packs) & set(Library(store).packs())
    assert verify_store(store)["ok"]


# Several at the same time


class _InThread:
    """A verb in a thread, stopped at a phase of it until released."""

    def __init__(self, phase: str, verb: t.Callable[..., Result], *arguments: t.Any) -> None:
        self.result: Result = {}
        self.error: GoldenError | None = None
        self._phase = phase
        self._reached, self._go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(verb, arguments))
        self._thread.start()
        assert self._reached.wait(60)

    def _at_phase(self, name: str) -> None:
        if name == self._phase:
            self._reached.set()
            assert self._go.wait(60)

    def _run(self, verb: t.Callable[..., Result], arguments: tuple[t.Any, ...]) -> None:
        try:
            self.result = verb(*arguments, Watcher(self._at_phase))
        except GoldenError as error:
            self.error = error
        finally:
            self._reached.set()

    def finish(self) -> Result:
        self._go.set()
        self._thread.join(60)
        if self.error:
            raise self.error
        return self.result


@pytest.mark.parametrize("phase", ["reading the disk's structure", "capturing", "publishing"])
def test_a_prune_breaks_no_capture_under_way(store: Store, source: Path, phase: str) -> None:
    """The capture relies on chunks of the very version that the prune removes."""
    _versions(store, source, 2)
    capture = _InThread(phase, capture_disk, store, source, "lab:3")
    try:
        pruned = prune_store(store, keep_last=1, repack_below=100)
    finally:
        captured = capture.finish()
    assert pruned["removed"] == ["lab:1"]
    assert pruned["deferred"]
    assert pruned["packs"]["removed"] == []
    assert captured["chunks"]["known"] >= _NOISE - 1
    assert verify_store(store)["ok"]
    later = prune_store(store, keep_last=1, repack_below=100)
    assert not later["deferred"]
    assert later["packs"]["removed"]
    assert verify_store(store)["ok"]


def test_a_prune_spares_a_capture_that_ends_while_it_looks_around(store: Store, source: Path) -> None:
    """Its packs are listed, its manifest came too late to be read, and its claim is gone when claims are looked at."""
    _versions(store, source, 1)
    _change(source, 3, 50)
    capture = _InThread("publishing", capture_disk, store, source, "office:1")

    def at_phase(name: str) -> None:
        if name == "finding unused chunks":
            capture.finish()

    pruned = prune_store(store, Watcher(at_phase), keep_last=1)
    assert capture.result["changed"]
    assert pruned["deferred"]
    assert verify_store(store)["ok"]
    assert not prune_store(store, keep_last=1)["deferred"]


def test_a_prune_spares_a_capture_that_ends_while_it_looks_for_leftovers(
    store: Store, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had no manifest when the prune asked who is unpublished, and no claim any more when that was looked at."""
    _versions(store, source, 1)
    _change(source, 3, 50)
    capture = _InThread("publishing", capture_disk, store, source, "office:1")
    library_unpublished = Library.unpublished

    def unpublished(self: Library) -> list[ImageRef]:
        found = library_unpublished(self)
        capture.finish()
        return found

    monkeypatch.setattr(Library, "unpublished", unpublished)
    assert prune_store(store, keep_last=1)["leftovers"] == []
    assert Library(store).versions("office") == ["1"]
    assert verify_store(store)["ok"]


def test_two_captures_of_different_versions_at_once(store: Store, source: Path, tmp_path: Path) -> None:
    other = noise_disk(tmp_path / "other.img", _NOISE)
    _change(other, 1, 60)
    capture = _InThread("publishing", capture_disk, store, other, "lab:2")
    try:
        capture_disk(store, source, "lab:1")
    finally:
        capture.finish()
    assert verify_store(store)["ok"]
    for ref, disk in (("lab:1", source), ("lab:2", other)):
        target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
        apply_disk(store, target, ref)
        assert same_noise(target, disk, _NOISE)
    prune_store(store)  # both sent what they have in common
    assert verify_store(store)["ok"]
    assert not prune_store(store)["changed"]


def test_a_version_that_somebody_captures_meanwhile_is_left_alone(directory: Store, source: Path) -> None:
    """The other one publishes after this one has looked whether the version is free."""
    library_versions = Library.versions
    other: list[Result] = []

    def versions(self: Library, name: str) -> list[str]:
        found = library_versions(self, name)
        if not other:
            other.append({})
            other[0] = capture_disk(directory, source, "lab:1")
            _change(source, 0, 70)
        return found

    with pytest.MonkeyPatch.context() as patch, pytest.raises(ImageExists):
        patch.setattr(Library, "versions", versions)
        capture_disk(directory, source, "lab:1")
    assert other[0]["changed"]
    assert verify_store(directory)["ok"]
    assert Library(directory).manifest("lab", "1").digest == other[0]["digest"]


@pytest.mark.parametrize("same", [False, True], ids=["another disk", "the same disk"])
def test_who_publishes_too_late_leaves_the_other_image_alone(
    store: Store, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, same: bool
) -> None:
    """It is sure of its claim and that nobody has published, and falls asleep just before it writes."""
    other = noise_disk(tmp_path / "other.img", _NOISE)
    if not same:
        _change(other, 1, 80)
    store_write = type(store).write
    published: list[Result] = []

    def write(self: Store, key: str, data: Data) -> None:
        if "index" in key and not published:
            published.append({})
            lease.fence(store, "images/lab/versions/1/capture.json")  # as if it had been silent for long
            published[0] = capture_disk(store, other, "lab:1")
        store_write(self, key, data)

    with monkeypatch.context() as patch, pytest.raises(ImageExists):
        patch.setattr(type(store), "write", write)
        capture_disk(store, source, "lab:1")
    assert verify_store(store)["ok"]
    assert Library(store).manifest("lab", "1").digest == published[0]["digest"]
    target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
    apply_disk(store, target, "lab:1")
    assert same_noise(target, other, _NOISE)
    prune_store(store)
    assert verify_store(store)["ok"]
    prune_store(store, remove=(parse_ref("lab:1"),))
    assert store.list("images/lab/versions/1") == []


def test_nothing_is_written_beside_an_image_that_is_published(store: Store, source: Path) -> None:
    """The claim was lost between the last look at it and the publishing."""
    other: list[list[str]] = []
    library_publish = Library.publish

    def files() -> list[str]:
        return [entry.name for entry in store.list("images/lab/versions/1")]

    def publish(self: Library, *what: t.Any) -> None:
        if not other:
            other.append([])
            lease.fence(store, "images/lab/versions/1/capture.json")
            _change(source, 1, 90)
            capture_disk(store, source, "lab:1")
            other[0] = files()
        library_publish(self, *what)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(ImageExists):
        patch.setattr(Library, "publish", publish)
        capture_disk(store, source, "lab:1")
    assert files() == other[0]


# Damage


@pytest.fixture
def three(store: Store, place: Place, source: Path) -> dict[str, set[Path]]:
    """Three versions; which packs each of them uses."""
    _versions(store, source, 3)
    library = Library(store)
    found = {}
    for version in library.versions("lab"):
        packs = library.locations(library.manifest("lab", version)).packs
        found[f"lab:{version}"] = {place.folder / "packs" / name[:2] / f"{name}.pack" for name in packs}
    return found


@pytest.mark.parametrize("shared", [False, True], ids=["a pack of one image", "a pack of all images"])
@pytest.mark.parametrize("harm", ["flipped byte", "truncated", "gone"])
def test_verify_names_exactly_the_images_that_a_pack_breaks(
    store: Store, three: dict[str, set[Path]], harm: str, shared: bool
) -> None:
    everybody = set.intersection(*three.values())
    own = three["lab:2"] - three["lab:1"]
    path = sorted(everybody if shared else own)[0]
    if harm == "flipped byte":
        _flip(path, 1000)
    elif harm == "gone":
        path.unlink()
    else:
        os.truncate(path, 1000)
    found = verify_store(store)
    users = {ref for ref, packs in three.items() if path in packs}
    assert _broken(found) == (users if shared else {"lab:2"})
    assert [pack["pack"] for pack in found["packs"]] == [path.stem]
    assert set(found["packs"][0]["images"]) == users
    assert not found["ok"]
    quick = verify_store(store, deep=False)
    assert quick["ok"] == (harm == "flipped byte")
    if harm != "flipped byte":
        assert _broken(quick) == users
    one = verify_store(store, "lab:3")
    assert one["ok"] == (not shared)


@pytest.mark.parametrize("part", ["manifest.json", "index", "locations"])
@pytest.mark.parametrize("harm", ["flipped byte", "emptied", "gone"])
def test_verify_finds_damaged_descriptions(
    directory: Store, directory_place: Place, source: Path, part: str, harm: str
) -> None:
    _versions(directory, source, 3)
    path = _part(directory_place, "lab:2", part)
    if harm == "gone":
        path.unlink()
    elif harm == "emptied":
        path.write_bytes(b"")
    else:
        _flip(path, path.stat().st_size // 2)
    found = verify_store(directory)
    if (part, harm) == ("manifest.json", "gone"):  # then it is no image any more
        assert {image["image"] for image in found["images"]} == {"lab:1", "lab:3"}
        return
    assert _broken(found) == {"lab:2"}
    assert len(found["images"]) == 3
    assert found["packs"] == []


@pytest.mark.parametrize("harm", ["flipped byte", "gone", "of another image"])
def test_locations_are_rebuilt_from_the_packs(
    store: Store, place: Place, source: Path, tmp_path: Path, harm: str
) -> None:
    _versions(store, source, 3)
    path = _part(place, "lab:3", "locations")
    if harm == "gone":
        path.unlink()
    elif harm == "of another image":
        path.write_bytes(_part(place, "lab:1", "locations").read_bytes())
    else:
        data = path.read_bytes()
        path.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
    with pytest.raises(ImageDamaged):
        apply_disk(store, target, "lab:3")
    assert _broken(verify_store(store)) == {"lab:3"}
    repaired = verify_store(store, repair=True)
    assert repaired["ok"]
    assert repaired["changed"]
    assert [image["image"] for image in repaired["images"] if image["repaired"]] == ["lab:3"]
    assert not verify_store(store, repair=True)["changed"]
    apply_disk(store, target, "lab:3")
    assert same_noise(target, source, _NOISE)


def test_what_is_lost_for_good_is_repaired_only_once(store: Store, place: Place, three: dict[str, set[Path]]) -> None:
    for path in three["lab:2"] - three["lab:1"]:
        path.unlink()
    _part(place, "lab:2", "locations").unlink()
    first = verify_store(store, repair=True)
    assert first["changed"]
    assert _broken(first) == {"lab:2"}
    second = verify_store(store, repair=True)
    assert not second["changed"]
    assert _broken(second) == {"lab:2"}


@pytest.mark.parametrize("harm", ["gone", "truncated", "flipped byte"])
def test_a_lost_pack_is_sent_again_by_the_next_capture(
    store: Store, three: dict[str, set[Path]], source: Path, tmp_path: Path, harm: str
) -> None:
    for path in set.union(*three.values()):
        if harm == "flipped byte":
            _flip_chunks(path)
        else:
            os.truncate(path, 1000)
        if harm == "gone":
            path.unlink()
    if harm == "flipped byte":  # nothing but its bytes tells of it
        verify_store(store, repair=True)
    again = capture_disk(store, source, "lab:4")
    assert again["chunks"]["new"] >= _NOISE
    target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
    apply_disk(store, target, "lab:4")
    assert same_noise(target, source, _NOISE)


def _applies(store: Store, tmp_path: Path, ref: str, disk: Path) -> bool:
    target = sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)
    apply_disk(store, target, ref)
    return same_noise(target, disk, _NOISE)


def _files(place: Place) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in place.folder.rglob("*")}


@pytest.fixture
def spoiled(store: Store, place: Place, source: Path) -> list[Path]:
    """The image lab:1 and its packs, each with one damaged chunk."""
    capture_disk(store, source, "lab:1")
    packs = sorted(place.folder.rglob("*.pack"))
    for path in packs:
        _flip(path, 1000)
    return packs


def test_damage_heals(store: Store, spoiled: list[Path], source: Path, tmp_path: Path) -> None:
    """Verify tells captures what is damaged, a capture sends it again, and then the old version uses that, too."""
    found = verify_store(store, repair=True)
    assert (found["ok"], found["changed"]) == (False, True)
    assert Damage(store).packs == {path.stem for path in spoiled}
    assert not verify_store(store, repair=True)["changed"]
    watcher = Watcher()
    again = capture_disk(store, source, "lab:2", watcher)
    assert again["chunks"]["new"] == len(spoiled)
    assert any(f"{len(spoiled)} chunks in the store are damaged" in note for note in watcher.notes)
    assert _applies(store, tmp_path, "lab:2", source)
    healed = verify_store(store, repair=True)
    assert [(image["image"], image["ok"], image["repaired"]) for image in healed["images"]] == [
        ("lab:1", True, True),
        ("lab:2", True, False),
    ]
    assert _applies(store, tmp_path, "lab:1", source)
    assert not verify_store(store, repair=True)["changed"]
    assert verify_store(store)["packs"]  # what is sound in them is in use
    assert set(prune_store(store, repack_below=0)["packs"]["rewritten"]) <= {path.stem for path in spoiled}
    assert verify_store(store)["ok"]
    assert Damage(store).packs == set()
    assert not prune_store(store, repack_below=0)["changed"]
    assert all(_applies(store, tmp_path, ref, source) for ref in ("lab:1", "lab:2"))


@pytest.mark.parametrize("deep", [False, True])
def test_advice_begins_with_the_next_step(deep: bool) -> None:
    for broken in (False, True):
        assert advice(broken, VerifyRequest(deep=deep)).startswith("Run golden.fleet.image_verify with repair: true")
    begun = VerifyRequest(deep=deep, repair=True)
    assert advice(True, begun).startswith("Then capture" if deep else "Run golden.fleet.image_verify")
    assert advice(False, begun).endswith("golden.fleet.image_prune replaces the damaged packs.")


def test_verify_writes_nothing_unless_it_repairs(store: Store, place: Place, spoiled: list[Path]) -> None:
    before = _files(place)
    assert not verify_store(store)["ok"]
    assert _files(place) == before
    verify_store(store, repair=True, deep=False)
    assert {path for path in _files(place) if path.is_file()} == {path for path in before if path.is_file()}
    assert spoiled


def test_what_is_said_of_a_pack_goes_when_a_sound_one_takes_its_place(
    store: Store, spoiled: list[Path], source: Path
) -> None:
    verify_store(store, repair=True)
    for path in spoiled:
        _flip(path, 1000)
    found = verify_store(store, repair=True)
    assert (found["ok"], found["changed"]) == (True, True)
    assert Damage(store).packs == set()
    assert capture_disk(store, source, "lab:2")["chunks"]["new"] == 0


def test_more_damage_is_added_to_what_is_known(directory: Store, directory_place: Place, source: Path) -> None:
    capture_disk(directory, source, "lab:1")
    path = next(path for path in directory_place.folder.rglob("*.pack") if path.stat().st_size > 2 * MIB)
    entries = pack.read_table(directory, path.stem)
    for count, at in enumerate((1000, path.stat().st_size - 60), 1):  # a chunk, and the table
        _flip(path, at)
        assert verify_store(directory, repair=True)["changed"] == (count == 1)
    _flip(path, MIB + 1000)
    assert verify_store(directory, repair=True)["changed"]
    damage = Damage(directory)
    assert [damage.spoils(entry.digest, path.stem) for entry in entries] == [True, True]


def test_damaged_chunks_are_known_neither_from_other_images_nor_from_interrupted_captures(
    directory: Store, source: Path
) -> None:
    capture_disk(directory, source, "office:1")
    noted = Damage(directory)
    entries = {name: pack.read_table(directory, name) for name in Library(directory).packs()}
    for name, found in entries.items():
        noted.add(name, frozenset({found[0].digest}))
    again = capture_disk(directory, source, "lab:1", dedupe_from=("office",))
    assert again["chunks"]["new"] == len(entries)
    _change(source, 0, 40)
    _interrupt(directory, source, "lab:2")
    left = (set(Library(directory).packs()) - set(entries) - set(again["packs"])).pop()
    noted.add(left, frozenset({pack.read_table(directory, left)[0].digest}))
    assert capture_disk(directory, source, "lab:2")["chunks"]["new"] == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[" * 100000,
        b"[]",
        b"{}",
        b'{"chunks": null}',
        b'{"chunks": ["../../etc/passwd"]}',
        b'{"chunks": [7]}',
        b'{"chunks": [], "chunks": []}',
        b'{"chunks": ["' + b"0" * (9 << 20) + b'"]}',
    ],
    ids=lambda content: content[:20].decode("latin-1"),
)
def test_a_pack_is_not_trusted_if_what_is_said_of_it_is_unreadable(
    directory: Store, source: Path, tmp_path: Path, content: bytes
) -> None:
    first = capture_disk(directory, source, "lab:1")
    for name in Library(directory).packs():
        directory.write(damaged_key(name), content)
    again = capture_disk(directory, source, "lab:2")
    assert again["chunks"]["new"] == first["chunks"]["new"]
    assert set(Library(directory).packs()) == set(first["packs"])  # the very same packs
    assert Damage(directory).packs == set()
    for name in first["packs"]:
        directory.write(damaged_key(name), content)
    assert not prune_store(directory, repack_below=100)["changed"]
    found = verify_store(directory, repair=True)
    assert (found["ok"], found["changed"]) == (True, True)
    assert Damage(directory).packs == set()
    assert _applies(directory, tmp_path, "lab:1", source)


def test_other_files_say_nothing_of_packs(directory: Store, directory_place: Place, source: Path) -> None:
    capture_disk(directory, source, "lab:1")
    folder = directory_place.folder / "damaged"
    (folder / ("0" * 64 + ".json")).mkdir(parents=True)
    for name in ("README", "x.json", "0" * 64):
        (folder / name).touch()
    assert Damage(directory).packs == set()
    assert capture_disk(directory, source, "lab:2")["chunks"]["new"] == 0


def test_a_prune_keeps_the_sound_copy_of_a_damaged_chunk(
    store: Store, spoiled: list[Path], source: Path, tmp_path: Path
) -> None:
    """It goes with the only version that uses it, but for the older one that needs it."""
    _set_tags(store, "lab:1", "stable")
    verify_store(store, repair=True)
    original = Path(shutil.copy(source, tmp_path / "original.img"))
    capture_disk(store, source, "lab:2")
    for mebibyte in range(_NOISE):
        _change(source, mebibyte, 60 + mebibyte)
    capture_disk(store, source, "lab:3")
    assert prune_store(store, keep_last=1, check=True)["removed"] == ["lab:2"]
    assert prune_store(store, keep_last=1)["removed"] == ["lab:2"]
    assert verify_store(store)["ok"]
    assert Damage(store).packs == set()
    assert _applies(store, tmp_path, "lab:1", original)
    assert spoiled


def test_of_two_copies_a_prune_takes_the_sound_one(
    directory: Store, directory_place: Place, source: Path, tmp_path: Path
) -> None:
    """Also where the table of the pack that holds it is damaged, so that only the newer image knows of it."""
    capture_disk(directory, source, "lab:1")
    before = set(directory_place.folder.rglob("*.pack"))
    for path in before:
        _flip(path, 1000)
    verify_store(directory, repair=True)
    capture_disk(directory, source, "lab:2")
    for path in set(directory_place.folder.rglob("*.pack")) - before:
        _flip(path, path.stat().st_size - 60)
    verify_store(directory, repair=True)
    prune_store(directory)
    assert verify_store(directory)["ok"]
    assert all(_applies(directory, tmp_path, ref, source) for ref in ("lab:1", "lab:2"))


def test_damage_without_remedy_stops_no_prune_and_loses_no_more(
    directory: Store, directory_place: Place, source: Path, tmp_path: Path
) -> None:
    capture_disk(directory, source, "lab:1")
    _set_tags(directory, "lab:1", "stable")
    path = max(directory_place.folder.rglob("*.pack"), key=lambda path: path.stat().st_size)
    _flip(path, 1000)
    verify_store(directory, repair=True)
    for mebibyte in range(_NOISE):
        _change(source, mebibyte, 80 + mebibyte)
    _versions(directory, source, 3, "office")
    assert len(prune_store(directory, keep_last=1, repack_below=100)["removed"]) == 2
    found = verify_store(directory)
    assert _broken(found) == {"lab:1"}
    assert [image["damaged_chunks"] for image in found["images"]] == [1, 0]
    assert Damage(directory).packs == {path.stem}
    assert _applies(directory, tmp_path, "office:3", source)
    _set_tags(directory, "lab:1", "stable", present=False)
    assert prune_store(directory, remove=(parse_ref("lab:1"),))["removed"] == ["lab:1"]
    assert verify_store(directory)["ok"]
    assert Damage(directory).packs == set()


@pytest.mark.parametrize("at", [0, -60], ids=["beginning", "table"])
def test_a_pack_whose_chunks_are_all_sound_is_replaced_by_a_prune(
    store: Store, place: Place, source: Path, tmp_path: Path, at: int
) -> None:
    """By one of the same name, which must not go as the damaged one."""
    capture_disk(store, source, "lab:1")
    packs = list(place.folder.rglob("*.pack"))
    for path in packs:
        _flip(path, at % path.stat().st_size)
    found = verify_store(store, repair=True)
    assert (_broken(found), len(found["packs"])) == (set(), len(packs))
    done = prune_store(store)
    assert sorted(done["packs"]["rewritten"]) == sorted(path.stem for path in packs)
    assert verify_store(store)["ok"]
    assert Damage(store).packs == set()
    assert _applies(store, tmp_path, "lab:1", source)
    assert not prune_store(store)["changed"]


def test_very_much_damage_is_all_of_a_pack(directory: Store) -> None:
    name, chunks = "0" * 64, frozenset(number.to_bytes(32, "big") for number in range(65537))
    assert Damage(directory).add(name, chunks)
    assert directory.size(damaged_key(name)) < 100
    assert Damage(directory).spoils(bytes([255]) * 32, name)
    assert not Damage(directory).add(name, frozenset())
    assert Damage(directory).remove(name)
    assert not Damage(directory).remove(name)


@pytest.mark.parametrize("part", ["manifest.json", "locations"])
def test_a_damaged_version_is_no_reason_to_capture_nothing(
    directory: Store, directory_place: Place, source: Path, part: str
) -> None:
    _versions(directory, source, 2)
    _part(directory_place, "lab:1", part).write_bytes(b"damaged")
    watcher = Watcher()
    again = capture_disk(directory, source, "lab:3", watcher, dedupe_from=("lab",))
    assert again["chunks"]["known"] >= _NOISE
    assert any("lab:1" in note for note in watcher.notes)
    assert len(info(directory, "lab")["images"]) == 3


def test_an_image_of_the_future_does_not_hide_the_others(store: Store, place: Place, source: Path) -> None:
    _versions(store, source, 2)
    path = _part(place, "lab:1", "manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 2}))
    found = verify_store(store)
    assert _broken(found) == {"lab:1"}
    assert "Update the collection" in found["images"][0]["problems"][0]
    problems = [image.get("problem") for image in info(store, None)["images"]]
    assert sorted(map(bool, problems)) == [False, True]
