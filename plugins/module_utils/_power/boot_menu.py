# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What the firmware of a machine offers to boot, as its operating system tells; pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .base import DISK, NETWORK, NONE, UNKNOWN

# efibootmgr -v. Between an entry's description and its device is a tab.
_EFI_FIELD = re.compile(r"^(BootNext|BootCurrent|BootOrder): (\S+)$", re.MULTILINE)
_EFI_ENTRY = re.compile(r"^Boot([0-9A-Fa-f]{4})(\*?) ([^\t\n]*)\t?(.*)$", re.MULTILINE)
_MAC = re.compile(r"MAC\(([0-9a-f]{12})", re.IGNORECASE)
_DISK = re.compile(r"\b(HD|NVMe)\(")

# bcdedit /enum firmware. All but the names of elements is in the language of Windows, headings and "identifier" too.
_BCD_RULE = re.compile(r"-{3,}\s*")
_BCD_GUID = re.compile(r"\{[^{}\s]+\}")
_WINDOWS = "{bootmgr}"
_FIRMWARE = "{fwbootmgr}"
# There is no more than the description, and that is the firmware's.
_NETWORK = re.compile(r"\bPXE|IP ?v?[46]\b|\bNIC\b|\bLAN\b|\bnetwork\b|ethernet", re.IGNORECASE)
_UNUSUAL = re.compile(r"IP ?v?6\b|HTTP", re.IGNORECASE)


@dataclass(frozen=True)
class BootEntry:
    """One entry of the boot menu.

    :ivar mac: of its network card, where that is told.
    :ivar unusual: boots from the network in a way that few networks offer: IPv6, or HTTP.
    """

    number: str
    description: str
    kind: str
    active: bool = True
    mac: str = ""
    unusual: bool = False


@dataclass(frozen=True)
class BootMenu:
    """The entries in the firmware's order; which of them comes next, and which one this start came from."""

    entries: tuple[BootEntry, ...]
    next: str = ""
    current: str = ""

    def next_boot(self) -> str:
        """Where the next start is from."""
        if not self.next:
            return NONE
        return next((each.kind for each in self.entries if each.number == self.next), UNKNOWN)

    def pick(self, target: str, mac: str = "", name: str = "") -> BootEntry | None:
        """The entry to boot from the network, or from the disk: of those that come into question, the likeliest.

        :param mac: of the network card to boot from, where the entries tell it.
        :param name: part of the description of the network's entry.
        """
        found = [each for each in self.entries if each.kind == target and each.active]
        if target == DISK:
            return next((each for each in found if each.number == self.current), found[0] if found else None)
        found = [each for each in found if not (mac and each.mac and each.mac != mac)]
        found = [each for each in found if name.lower() in each.description.lower()]
        return min(found, key=lambda each: each.unusual, default=None)

    def show(self) -> str:
        """For an error's message."""
        return ", ".join(repr(each.description) for each in self.entries) or "nothing"


def parse_efibootmgr(text: str) -> BootMenu:
    """What ``efibootmgr -v`` says."""
    fields = dict(_EFI_FIELD.findall(text))
    order = fields.get("BootOrder", "").split(",")
    found = [_efi_entry(fields.get("BootCurrent", ""), *each) for each in _EFI_ENTRY.findall(text)]
    found.sort(key=lambda each: order.index(each.number) if each.number in order else len(order))
    return BootMenu(tuple(found), fields.get("BootNext", ""), fields.get("BootCurrent", ""))


def _efi_entry(current: str, number: str, star: str, description: str, device: str) -> BootEntry:
    """What a system that runs from its disk was started by is a disk, however little is told about it."""
    card = _MAC.search(device)
    disk = number == current or (_DISK.search(device) and "USB(" not in device)
    kind = NETWORK if card else DISK if disk else UNKNOWN
    mac = ":".join(re.findall("..", card[1].lower())) if card else ""
    unusual = "IPv6(" in device or "Uri(" in device
    return BootEntry(number, description.strip(), kind, bool(star), mac, unusual)


def parse_bcdedit(text: str) -> BootMenu | None:
    """What ``bcdedit /enum firmware`` says; None where the firmware has no boot menu, which is a BIOS."""
    blocks = (block.strip().splitlines() for block in re.split(r"\n\s*\n", text.replace("\r", "")))
    sections = dict(_bcd_section(lines[2:]) for lines in blocks if len(lines) > 2 and _BCD_RULE.fullmatch(lines[1]))
    firmware = sections.pop(_FIRMWARE, None)
    if firmware is None:
        return None
    order = firmware.get("displayorder", [])
    found = [_bcd_entry(number, section) for number, section in sections.items()]
    found.sort(key=lambda each: order.index(each.number) if each.number in order else len(order))
    return BootMenu(tuple(found), next(iter(firmware.get("bootsequence", [])), ""), _WINDOWS)


def _bcd_section(lines: t.Sequence[str]) -> tuple[str, dict[str, list[str]]]:
    """Its identifier, which comes first, and its elements. A list goes on in lines that begin with blanks."""
    elements: dict[str, list[str]] = {}
    name = ""
    for line in lines[1:]:
        if not line[0].isspace():
            name = line.split()[0]
            elements[name] = []
        elements.setdefault(name, []).append(line.removeprefix(name).strip())
    number = _BCD_GUID.search(lines[0])
    return (number[0] if number else ""), elements


def _bcd_entry(number: str, section: t.Mapping[str, t.Sequence[str]]) -> BootEntry:
    description = "".join(section.get("description", []))
    if number == _WINDOWS:
        return BootEntry(number, description, DISK)
    network = "device" not in section and _NETWORK.search(description)
    return BootEntry(number, description, NETWORK if network else UNKNOWN, unusual=bool(_UNUSUAL.search(description)))
