# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A computer whose disk an image was applied to boots, as the captured one would."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._image.apply import ApplyRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._image.capture import CaptureRequest, capture
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef
from ansible_collections.golden.fleet.plugins.module_utils._progress import Silent
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore
from ansible_collections.golden.fleet.tests.support import debian
from ansible_collections.golden.fleet.tests.support.qemu import PROCESSORS, BootFailed, Machine, runs_code

pytestmark = pytest.mark.slow

# Without KVM it takes about a minute on two processors with nothing else to do, and several if they have.
_DEADLINE = 480


class _Deployed(t.NamedTuple):
    blank: Path  # onto nothing, on a bigger disk
    updated: Path  # onto last month's state
    delta: dict[str, t.Any]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> _Deployed:
    folder = tmp_path_factory.mktemp("deployed")
    states = debian.disks()
    store, ref = DirectoryStore(str(folder / "store")), ImageRef("demo", "1")
    reference, blank, updated = (folder / f"{name}.img" for name in ("reference", "blank", "updated"))
    debian.copy_disk(states.this_month, reference)
    debian.copy_disk(states.last_month, updated)
    debian.blank_disk(blank, debian.DISK_SIZE + (1 << 30))
    capture(store, CaptureRequest(read_disk(str(reference)), ref), Silent())
    apply(store, ApplyRequest(read_disk(str(blank)), ref), Silent())
    delta = apply(store, ApplyRequest(read_disk(str(updated)), ref, erase=True), Silent())
    return _Deployed(blank, updated, delta)


def test_blank_disk_boots_with_uefi(deployed: _Deployed, tmp_path: Path) -> None:
    with Machine(deployed.blank, "uefi", tmp_path) as machine:
        machine.wait_for(debian.THIS_MONTH, _DEADLINE)
        machine.wait_for(debian.LOGIN_PROMPT, _DEADLINE)


def test_updated_disk_boots_with_bios(deployed: _Deployed, tmp_path: Path) -> None:
    assert 0 < deployed.delta["bytes"]["written"] < deployed.delta["bytes"]["used"] / 2
    with Machine(deployed.updated, "bios", tmp_path) as machine:
        machine.wait_for(debian.THIS_MONTH, _DEADLINE)
        machine.wait_for(debian.LOGIN_PROMPT, _DEADLINE)


def test_a_disk_that_does_not_boot_is_noticed(tmp_path: Path) -> None:
    disk = tmp_path / "nothing.img"
    debian.blank_disk(disk, 1 << 20)
    with Machine(disk, "bios", tmp_path) as machine, pytest.raises(BootFailed, match="'login:' within 5 s"):
        machine.wait_for("login:", 5)


def test_only_code_that_really_runs_counts_as_acceleration() -> None:
    assert runs_code(PROCESSORS["tcg"], deadline=60)
    assert not runs_code(("-accel", "no such accelerator"))
    assert not runs_code((*PROCESSORS["tcg"], "-S"), deadline=2)  # it starts, and hangs
