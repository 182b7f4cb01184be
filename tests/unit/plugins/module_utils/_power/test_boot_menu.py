# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What efibootmgr and bcdedit say, read."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._power.base import DISK, NETWORK, NONE, UNKNOWN
from ansible_collections.golden.fleet.plugins.module_utils._power.boot_menu import (
    BootMenu,
    parse_bcdedit,
    parse_efibootmgr,
)

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def read(name: str) -> str:
    text = (TRANSCRIPTS / name).read_text(encoding="utf-8")
    return text.replace("\n", "\r\n") if name.startswith("bcdedit-") else text  # as Windows says it


def efi(name: str) -> BootMenu:
    return parse_efibootmgr(read(f"efibootmgr-17-{name}.txt"))


def bcd(name: str) -> BootMenu:
    menu = parse_bcdedit(read(f"bcdedit-{name}.txt"))
    assert menu
    return menu


def test_entries_of_a_virtual_machine() -> None:
    menu = efi("ovmf")
    assert [(each.number, each.kind, each.unusual) for each in menu.entries] == [
        ("0000", UNKNOWN, False),
        ("0001", UNKNOWN, False),
        ("0002", DISK, False),
        ("0003", NETWORK, False),
        ("0004", NETWORK, True),
        ("0005", NETWORK, True),
        ("0006", NETWORK, True),
        ("0007", UNKNOWN, False),
    ]
    assert menu.entries[3].description == "UEFI PXEv4 (MAC:525400123407)"
    assert menu.entries[3].mac == "52:54:00:12:34:07"
    assert menu.next_boot() == NONE
    assert efi("ovmf-next").next_boot() == NETWORK


def test_entries_of_a_pc_in_the_firmwares_order() -> None:
    menu = efi("pc")
    assert [each.number for each in menu.entries] == [
        "0001", "0000", "2001", "0007", "0008", "000A", "0002", "0006", "0009",
    ]  # fmt: skip
    assert [each.number for each in menu.entries if each.kind == DISK] == ["0001", "0000"], "no USB stick, no DVD"


@pytest.mark.parametrize(
    ("target", "mac", "name", "number"),
    [
        (NETWORK, "", "", "0008"),
        (NETWORK, "b0:25:aa:44:9c:e5", "", "000A"),
        (NETWORK, "", "pxe ipv4", "000A"),
        (NETWORK, "", "IPV6", "0007"),
        (NETWORK, "52:54:00:00:00:01", "", None),
        (DISK, "", "", "0001"),
    ],
)
def test_the_likeliest_entry(target: str, mac: str, name: str, number: str | None) -> None:
    entry = efi("pc").pick(target, mac, name)
    assert (entry and entry.number) == number


def test_what_started_a_system_on_its_disk_is_a_disk() -> None:
    text = read("efibootmgr-17-ovmf.txt")
    assert parse_efibootmgr(text).pick(DISK).number == "0002"  # type: ignore[union-attr]
    menu = parse_efibootmgr(f"BootCurrent: 0001\n{text}")
    assert menu.pick(DISK).number == "0001"  # type: ignore[union-attr]
    assert menu.entries[1].description == "UEFI Misc Device"


def test_a_system_that_came_over_the_network_finds_its_disk() -> None:
    menu = parse_efibootmgr(f"BootCurrent: 0003\n{read('efibootmgr-17-ovmf.txt')}")
    assert menu.pick(DISK).number == "0002"  # type: ignore[union-attr]


def test_next_boot_from_an_entry_that_is_gone() -> None:
    assert parse_efibootmgr("BootNext: 0042\nBootOrder: 0001\nBoot0001* x\tHD(1,GPT)\n").next_boot() == UNKNOWN


def test_nothing_at_all() -> None:
    assert parse_efibootmgr("") == BootMenu(())
    assert BootMenu(()).show() == "nothing"
    assert parse_bcdedit("") is None


def test_bcdedit_in_a_foreign_language() -> None:
    menu = bcd("10-german")
    assert [(each.description, each.kind) for each in menu.entries] == [
        ("Windows Boot Manager", DISK),
        ("Onboard NIC(IPV6)", NETWORK),
        ("Onboard NIC(IPV4)", NETWORK),
        ("UEFI: SanDisk Extreme Pro 0", UNKNOWN),
        ("LAN party", UNKNOWN),
    ]
    assert menu.next_boot() == NONE
    assert menu.pick(NETWORK).number == "{83222748-075c-11e6-b382-806e6f6e6963}"  # type: ignore[union-attr]
    assert menu.pick(NETWORK, mac="52:54:00:00:00:01"), "Windows does not tell which card it is"
    assert menu.pick(NETWORK, name="IPV6").number == "{83222747-075c-11e6-b382-806e6f6e6963}"  # type: ignore[union-attr]
    assert menu.pick(DISK).number == "{bootmgr}"  # type: ignore[union-attr]


def test_bcdedit_with_a_boot_sequence() -> None:
    menu = bcd("11-english-next")
    assert menu.next_boot() == NETWORK
    text = read("bcdedit-11-english-next.txt")
    again = parse_bcdedit(
        text.replace(
            "bootsequence            {b1a2c3d4-38fb-11ee-8292-806e6f6e6963}", "bootsequence            {bootmgr}"
        )
    )
    assert again
    assert again.next_boot() == DISK


def test_bcdedit_on_a_machine_with_a_bios() -> None:
    assert parse_bcdedit(read("bcdedit-10-bios.txt")) is None


@pytest.mark.parametrize(
    "text",
    [
        "Firmware\n--------\nidentifier {fwbootmgr}\n more\n",
        "Firmware\n--------\nidentifier {fwbootmgr}\n\tmore\ndisplayorder {a}\n\nOther\n-----\nidentifier {a}\n",
    ],
)
def test_a_list_that_belongs_to_nothing_is_passed_over(text: str) -> None:
    menu = parse_bcdedit(text)
    assert menu
    assert menu.next_boot() == NONE
