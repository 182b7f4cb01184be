# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ipmitool says, read."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._power.base import DISK, NETWORK, OFF, ON, UNKNOWN
from ansible_collections.golden.fleet.plugins.module_utils._power.ipmi import BootFlags, parse_boot_flags, parse_state

TRANSCRIPTS = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("pxe", BootFlags(True, NETWORK)),
        ("used-pxe", BootFlags(False, NETWORK)),
        ("disk", BootFlags(True, DISK)),
        ("cdrom", BootFlags(True, UNKNOWN)),
    ],
)
def test_boot_flags(name: str, flags: BootFlags) -> None:
    text = (TRANSCRIPTS / f"ipmitool-1.8.19-{name}.txt").read_text(encoding="utf-8")
    assert parse_boot_flags(text) == flags


def test_no_boot_flags() -> None:
    assert parse_boot_flags("Boot parameter version: 1\nBoot parameter 5 is invalid/locked\n") is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Running Get VSO Capabilities my_addr 0x20, transit 0, target 0x20\nChassis Power is on\n", ON),
        ("Chassis Power is off\n", OFF),
        ("Chassis Power is on fire\n", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_state(text: str, state: str) -> None:
    assert parse_state(text) == state
