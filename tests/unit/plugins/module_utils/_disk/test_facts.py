# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disks in what lsblk says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import parse_lsblk
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Disk

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def disks_of(name: str) -> dict[str, Disk]:
    return {disk.path: disk for disk in parse_lsblk(json.loads((TRANSCRIPTS / name).read_text()))}


def test_workstation_has_no_dvd_drives_boot_partitions_and_ram() -> None:
    assert list(disks_of("lsblk-2.38.1-workstation.json")) == ["/dev/mmcblk0", "/dev/nvme0n1", "/dev/sda", "/dev/sdb"]


def test_facts_are_taken_over_without_padding() -> None:
    disk = disks_of("lsblk-2.38.1-workstation.json")["/dev/nvme0n1"]
    assert disk == Disk(
        path="/dev/nvme0n1",
        size=512110190592,
        kind="disk",
        serial="S4EVNX0R123456",
        wwn="eui.002538d521b00ab1",
        model="SAMSUNG MZVLB512HBJQ-000L7",
        transport="nvme",
        rotational=False,
        device="259:0",
    )


def test_mounts_and_swap_of_partitions_count() -> None:
    assert disks_of("lsblk-2.38.1-workstation.json")["/dev/sda"].in_use == (
        "/dev/sda1 is mounted on /boot/efi",
        "/dev/sda2 is mounted on /",
        "/dev/sda3 is used as swap",
    )


def test_partitions_alone_do_not_count() -> None:
    assert disks_of("lsblk-2.38.1-workstation.json")["/dev/sdb"].in_use == ()


def test_a_soldered_emmc_is_not_removable() -> None:
    found = disks_of("lsblk-2.38.1-workstation.json")
    assert {path for path, disk in found.items() if disk.removable} == {"/dev/sdb"}


def test_holders_of_every_kind_count() -> None:
    found = disks_of("lsblk-2.36.1-server.json")
    assert found["/dev/sda"].in_use == (
        "/dev/sda1 is held by /dev/mapper/cr_root (crypt)",
        "/dev/mapper/cr_root is held by /dev/mapper/vg0-root (lvm)",
        "/dev/mapper/vg0-root is mounted on /",
    )
    assert found["/dev/sdb"].in_use == ("/dev/sdb1 is held by /dev/md0 (raid1)",)
    assert found["/dev/sdd"].in_use == ("/dev/sdd is held by /dev/mapper/mpatha (mpath)",)


def test_disks_made_of_disks_are_found_once() -> None:
    found = disks_of("lsblk-2.36.1-server.json")
    kinds = {path: disk.kind for path, disk in found.items() if disk.kind != "disk"}
    assert kinds == {"/dev/mapper/mpatha": "mpath", "/dev/md0": "raid", "/dev/nbd0": "virtual"}
    assert found["/dev/mapper/mpatha"].in_use == ()


def test_read_only_and_sector_sizes() -> None:
    found = disks_of("lsblk-2.36.1-server.json")
    assert [path for path, disk in found.items() if disk.read_only] == ["/dev/sdf"]
    assert (found["/dev/sdb"].sector_size, found["/dev/sdb"].physical_sector_size) == (512, 4096)


def test_an_old_lsblk_says_everything_as_text() -> None:
    one, two = disks_of("lsblk-2.32.1-old_vm.json").values()
    assert (one.size, one.rotational, one.removable, one.read_only) == (21474836480, True, False, False)
    assert one.in_use == ("/dev/vda1 is mounted on /",)
    assert (two.serial, two.vendor, two.in_use) == ("data-disk-1", None, ())


def test_recorded_vm() -> None:
    assert [(disk.path, disk.in_use) for disk in disks_of("lsblk-2.38.1-this_vm.json").values()] == [
        ("/dev/vda", ("/dev/vda is mounted on /",))
    ]


@pytest.mark.parametrize("field", ["device", "size", "sector_size", "serial", "wwn", "model"])
def test_identity_tells_disks_apart(field: str) -> None:
    disk = disks_of("lsblk-2.38.1-workstation.json")["/dev/sda"]
    other = Disk(**{**vars(disk), field: "other"})
    assert disk.identity != other.identity
