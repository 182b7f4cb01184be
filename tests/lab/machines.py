# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of a lab, as machines.yml describes them. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import MISSING, dataclass, fields

import yaml
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._units import parse_size

# Names of network interfaces and of groups of an inventory are made of them.
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_MOST = 90  # that have addresses of their own in a network of 254
_CHOICES: t.Final = {
    "firmware": ("uefi", "bios"),
    "network_boot": ("ipxe", "firmware"),
    "power": ("redfish", "ipmi"),
    "holds": ("blank", "this_month", "last_month"),
}
_SIZES = ("disk", "memory")


@dataclass(frozen=True)
class LabMachine:
    """:ivar number: counts from 1, and is in its addresses.
    :ivar disk: bytes, as memory.
    """

    number: int
    name: str
    group: str = "lab_a"
    firmware: t.Literal["uefi", "bios"] = "uefi"
    secure_boot: bool = False
    network_boot: t.Literal["ipxe", "firmware"] = "ipxe"
    power: t.Literal["redfish", "ipmi"] = "redfish"
    disk: int = 3 << 30
    holds: t.Literal["blank", "this_month", "last_month"] = "blank"
    memory: int = 2 << 30
    processors: int = 2

    @property
    def mac(self) -> str:
        return f"52:54:00:77:00:{self.number:02x}"

    @property
    def address(self) -> str:
        """What DHCP gives it."""
        return f"10.77.0.{10 + self.number}"

    @property
    def bmc_address(self) -> str:
        return f"10.77.0.{100 + self.number}"


def machines_of(text: str) -> tuple[LabMachine, ...]:
    """:raises ValueError: that is no description of machines; the message says why."""
    found = yaml.safe_load(text)
    if not isinstance(found, list) or not 1 <= len(found) <= _MOST:
        raise ValueError(f"it must be a list of 1 to {_MOST} machines")
    machines = tuple(_machine(number, each) for number, each in enumerate(found, 1))
    names = [machine.name for machine in machines]
    if len(set(names)) < len(names):
        raise ValueError(f"two machines have one name: {', '.join(names)}")
    return machines


def _machine(number: int, found: t.Any) -> LabMachine:
    if not isinstance(found, dict) or not _is_name(found.get("name")):
        raise ValueError(f"machine {number} has no name of lower-case letters, digits and hyphens")
    known = {field.name: field.default for field in fields(LabMachine) if field.name != "number"}
    try:
        for key, value in found.items():
            if key not in known:
                raise ValueError(f"{key} is none of {', '.join(known)}")
            _check(key, value, known[key])
        sizes = {key: parse_size(found[key]) for key in _SIZES if key in found}
        machine = LabMachine(number, **{**found, **sizes})
        _check_together(machine)
    except (ValueError, UsageError) as error:
        raise ValueError(f"{found['name']}: {error}") from error
    return machine


def _is_name(value: t.Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _check(key: str, value: t.Any, default: t.Any) -> None:
    if key in _CHOICES and value not in _CHOICES[key]:
        raise ValueError(f"{key} is {value}, not {' or '.join(_CHOICES[key])}")
    if key == "group" and not _is_name(value):
        raise ValueError(f"{value} cannot be the name of a group")
    if key not in _SIZES and default is not MISSING and type(value) is not type(default):
        raise ValueError(f"{key} is {value}")


def _check_together(machine: LabMachine) -> None:
    if machine.firmware == "bios" and machine.secure_boot:
        raise ValueError("secure_boot needs firmware: uefi")
    if machine.firmware == "bios" and machine.network_boot == "firmware":
        raise ValueError("a BIOS here has no network boot of its own; it needs network_boot: ipxe")
    if machine.secure_boot and machine.network_boot == "ipxe":
        raise ValueError("secure_boot needs network_boot: firmware, because shim does not start under iPXE")
