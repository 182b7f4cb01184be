# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Captures and applies that are killed, really, at every moment of their work."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageExists
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.tag import TagRequest, tag
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.location import open_store
from ansible_collections.golden.fleet.tests.support.disks import MIB, sparse
from ansible_collections.golden.fleet.tests.support.engine import (
    Place,
    apply_disk,
    capture_disk,
    noise,
    noise_disk,
    overwrite,
    same_noise,
    signatures,
    table_of,
    verify_store,
)
from ansible_collections.golden.fleet.tests.support.victim import Executioner

_NOISE = 7  # MiB on the reference disk
_TAGS = ("stable",)

pytestmark = pytest.mark.usefixtures("small_packs", "quick_takeover")


@pytest.fixture(scope="module")
def executioner() -> t.Iterator[Executioner]:
    with Executioner() as found:
        yield found


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return noise_disk(tmp_path_factory.mktemp("killed") / "reference.img", _NOISE)


def _packs(place: Place) -> set[Path]:
    return set(place.folder.glob("packs/*/*.pack"))


def _go_on(place: Place, store: Store, reference: Path) -> None:
    """Nobody saw a part of an image; the next attempt goes on from what is there."""
    earlier = _packs(place)
    again = capture_disk(store, reference, "lab:1", tags=_TAGS)
    assert earlier <= _packs(place)
    # A pack whose name the claim had no time to note is sent again, under the same name.
    assert again["chunks"]["known"] >= 2 * (len(earlier) - 1)


def _complete(store: Store, reference: Path, missing: tuple[str, ...]) -> None:
    """The image is there; the next attempt says which tags are not, and they can be set."""
    with pytest.raises(ImageExists) as caught:
        capture_disk(store, reference, "lab:1", tags=_TAGS)
    assert caught.value.facts.get("missing_tags", []) == list(missing)
    if missing:
        tag(store, TagRequest(parse_ref("lab:1"), missing))


def _telling(moments: list[str]) -> list[int]:
    """Numbers of the moments to die at: all that are of a rare kind, some of those that are many alike."""
    seen: dict[str, list[int]] = {}
    for number, name in enumerate(moments, 1):
        seen.setdefault(name, []).append(number)
    return sorted({number for numbers in seen.values() for number in [*numbers[:2], *numbers[2::6], numbers[-1]]})


def test_a_killed_capture_leaves_nothing_half_done(place: Place, executioner: Executioner, reference: Path) -> None:
    whole = executioner.run("capture", place.location, str(reference), "lab:1", tags=_TAGS)
    assert not whole.killed
    assert not whole.error
    assert whole.moments.count("before write") >= 4  # several packs, or this tests little
    published_at = len(whole.moments) - whole.moments[::-1].index("after create")  # the manifest is created last
    tagged_at = len(whole.moments) - whole.moments[::-1].index("after write")
    assert published_at < tagged_at
    for number in sorted({*_telling(whole.moments), published_at, tagged_at - 1, tagged_at}):
        victim = place.beside(str(number))
        end = executioner.run("capture", victim.location, str(reference), "lab:1", number, tags=_TAGS)
        assert end.killed
        with open_store(victim.location) as store:
            assert bool(Library(store).names()) == (number >= published_at), end.moments[-1]
            if number >= published_at:
                _complete(store, reference, () if number >= tagged_at else _TAGS)
            else:
                _go_on(victim, store, reference)
            assert Library(store).find(parse_ref("lab:stable")).version == "1"
            assert verify_store(store)["ok"], end.moments[-1]


def test_what_a_killed_capture_sent_is_not_sent_again(
    place: Place, store: Store, executioner: Executioner, reference: Path
) -> None:
    whole = executioner.run("capture", place.beside("whole").location, str(reference), "lab:1")
    assert not whole.error
    all_sent = whole.moments.index("phase publishing") + 1
    end = executioner.run("capture", place.location, str(reference), "lab:1", all_sent)
    assert end.killed
    assert Library(store).names() == []
    again = capture_disk(store, reference, "lab:1")
    assert again["bytes"]["stored"] < MIB
    assert again["chunks"]["new"] == 0
    assert again["packs"] == []
    assert verify_store(store)["ok"]


@pytest.mark.parametrize("older", [False, True], ids=["blank disk", "older version on it"])
def test_a_killed_apply_leaves_a_disk_that_does_not_boot(
    directory: Store, directory_place: Place, executioner: Executioner, reference: Path, tmp_path: Path, older: bool
) -> None:
    capture_disk(directory, reference, "lab:1")

    def target() -> Path:
        path = tmp_path / "target.img"
        if not older:
            return sparse(path, reference.stat().st_size)
        path.write_bytes(reference.read_bytes())
        overwrite(path, 3 * MIB, noise(2 * MIB, 99))
        return path

    whole = executioner.run("apply", directory_place.location, str(target()), "lab:1", erase=True)
    assert not whole.killed
    assert not whole.error
    skipped = 0
    begun = whole.moments.index("after write_from")
    chosen = _telling(whole.moments)
    for number in chosen:
        path = target()
        end = executioner.run("apply", directory_place.location, str(path), "lab:1", number, erase=True)
        assert end.killed
        if table_of(path):  # begun or complete, but nothing between
            assert number <= begun + 1 or same_noise(path, reference, _NOISE), end.moments[-1]
        else:
            assert "PMBR" not in signatures(path)
        again = apply_disk(directory, path, "lab:1", erase=True)
        assert same_noise(path, reference, _NOISE)
        skipped += again["bytes"]["skipped"]
    assert skipped > len(chosen) * MIB
