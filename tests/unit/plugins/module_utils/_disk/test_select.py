# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which disk a hint means."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import parse_lsblk
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint, objections, parse_hint, select
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    DiskInUse,
    NoDiskMatches,
    SeveralDisksMatch,
    UsageError,
)

TRANSCRIPTS = Path(__file__).parent / "transcripts"
GB = 10**9


def disks_of(name: str) -> list[Disk]:
    return parse_lsblk(json.loads((TRANSCRIPTS / name).read_text()))


WORKSTATION = [disk for disk in disks_of("lsblk-2.38.1-workstation.json") if disk.path != "/dev/mmcblk0"]
SERVER = disks_of("lsblk-2.36.1-server.json")
PAIR = [
    Disk("/dev/sda", 500 * GB, serial="A", wwn="0x5002538e40a1b2c3", model="Samsung SSD 870", transport="sata",
         rotational=False, links=("/dev/disk/by-path/pci-0000:00:17.0-ata-1",)),
    Disk("/dev/sdb", 1000 * GB, serial="B", wwn="eui.002538", model="WDC WD10EZEX", transport="sata",
         rotational=True, links=("/dev/disk/by-path/pci-0000:00:17.0-ata-2",)),
]  # fmt: skip


def chosen(value: t.Any, disks: list[Disk]) -> str:
    return select(parse_hint(value), disks).path


def test_auto_takes_the_only_free_disk() -> None:
    assert chosen("auto", WORKSTATION) == "/dev/nvme0n1"


def test_auto_takes_the_multipath_device_instead_of_its_paths() -> None:
    assert chosen("auto", SERVER) == "/dev/mapper/mpatha"


def test_auto_never_guesses() -> None:
    with pytest.raises(SeveralDisksMatch, match="2 disks fit disk: auto") as caught:
        chosen("auto", PAIR)
    assert [each["path"] for each in caught.value.facts["candidates"]] == ["/dev/sda", "/dev/sdb"]
    assert "/dev/sda (500.0 GB, Samsung SSD 870, sata, serial A): fits" in caught.value.message


def test_auto_lists_why_each_disk_is_not_taken() -> None:
    with pytest.raises(NoDiskMatches) as caught:
        chosen("auto", [disk for disk in WORKSTATION if disk.path != "/dev/nvme0n1"])
    assert "/dev/sda2 is mounted on /" in caught.value.message
    assert "removable or on USB" in caught.value.message


def test_a_machine_without_disks() -> None:
    with pytest.raises(NoDiskMatches, match="The disks are: none"):
        chosen("auto", [])


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"serial": "A"}, "/dev/sda"),
        ({"wwn": "0x5002538E40A1B2C3"}, "/dev/sda"),
        ({"wwn": "naa.5002538e40a1b2c3"}, "/dev/sda"),
        ({"wwn": "002538"}, "/dev/sdb"),
        ({"model": "samsung*"}, "/dev/sda"),
        ({"model": "*ezex"}, "/dev/sdb"),
        ({"rotational": True}, "/dev/sdb"),
        ({"rotational": "no"}, "/dev/sda"),
        ({"min_size": "600GB"}, "/dev/sdb"),
        ({"max_size": "500GB"}, "/dev/sda"),
        ({"min_size": 500 * GB, "max_size": "500GB"}, "/dev/sda"),
        ({"by_path": "pci-0000:00:17.0-ata-2"}, "/dev/sdb"),
        ({"by_path": "/dev/disk/by-path/pci-0000:00:17.0-ata-2"}, "/dev/sdb"),
        ({"transport": "SATA", "serial": "B"}, "/dev/sdb"),
        ("/dev/sda", "/dev/sda"),
        ({"path": "/dev/sdb", "serial": "B"}, "/dev/sdb"),
    ],
)
def test_each_fact_chooses(value: t.Any, path: str) -> None:
    assert chosen(value, PAIR) == path


@pytest.mark.parametrize(
    "value",
    [
        {"serial": "a"},
        {"wwn": "5002538e40a1b2"},
        {"wwn": "0x"},
        {"model": "Samsung"},
        {"transport": "nvme"},
        {"min_size": "2TB"},
        {"max_size": "1GB"},
        {"by_path": "ata-1"},
        {"path": "/dev/sdb", "serial": "A"},
        {"serial": "A", "rotational": True},
    ],
)
def test_everything_that_was_said_must_hold(value: t.Any) -> None:
    with pytest.raises(NoDiskMatches):
        chosen(value, PAIR)


def test_a_disk_in_use_is_not_an_alternative() -> None:
    busy = dataclasses.replace(PAIR[0], in_use=("/dev/sda1 is mounted on /",))
    assert chosen("auto", [busy, PAIR[1]]) == "/dev/sdb"


def test_the_disk_that_was_named_is_in_use() -> None:
    with pytest.raises(DiskInUse, match="/dev/sda2 is mounted on /") as caught:
        chosen({"serial": "S5H7NS0N123456A"}, WORKSTATION)
    assert caught.value.facts["disk"] == "/dev/sda"


def test_usb_disk_must_be_named() -> None:
    with pytest.raises(NoDiskMatches, match="must be named"):
        chosen({"max_size": "20GB"}, WORKSTATION)
    assert chosen({"serial": "4C530001230101117234"}, WORKSTATION) == "/dev/sdb"
    assert chosen("/dev/sdb", WORKSTATION) == "/dev/sdb"


@pytest.mark.parametrize("change", [{"removable": True}, {"transport": "usb"}, {"read_only": True}, {"kind": "raid"},
                                    {"kind": "loop"}, {"kind": "virtual"}])  # fmt: skip
def test_what_auto_never_takes(change: dict[str, t.Any]) -> None:
    disk = dataclasses.replace(PAIR[0], **change)
    assert objections(disk)
    assert not objections(disk, named=True)
    assert not objections(PAIR[0])


def test_same_serial_twice_is_not_guessed() -> None:
    twin = dataclasses.replace(PAIR[1], serial="A")
    with pytest.raises(SeveralDisksMatch):
        chosen({"serial": "A"}, [PAIR[0], twin])


def test_hints() -> None:
    assert parse_hint("auto") == DiskHint()
    assert parse_hint("/dev/sda") == DiskHint(path="/dev/sda")
    assert parse_hint({"min_size": "1GiB", "path": "/a", "sector_size": "4096"}) == DiskHint(
        path="/a", min_size=1 << 30, sector_size=4096
    )


@pytest.mark.parametrize(
    "value",
    [
        "sda",
        "",
        None,
        {},
        [],
        5,
        {"name": "x"},
        {"serial": ""},
        {"serial": None},
        {"serial": 123},
        {"rotational": "perhaps"},
        {"min_size": "big"},
        {"sector_size": 512},
        {"path": "/a", "sector_size": 513},
        {"path": "a"},
        {"serial": ["A"]},
    ],
)
def test_hints_that_say_nothing(value: t.Any) -> None:
    with pytest.raises(UsageError):
        parse_hint(value)
