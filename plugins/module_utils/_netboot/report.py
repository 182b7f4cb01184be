# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a machine says of itself at its check-in. It is untrusted: whoever has a token may say anything."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass

from .. import _fields
from .._errors import UsageError
from .._libraries import need
from .mac import normal_mac

LONGEST = 64 << 10  # bytes
_MOST = 64  # network cards, addresses, disks
_DMI = ("vendor", "model", "serial", "uuid")
_DISK = ("path", "serial", "model", "wwn")


@dataclass(frozen=True)
class Report:
    """One check-in. Sizes are bytes.

    :ivar ssh_host_key: type and key, as in known_hosts.
    :ivar secure_boot: None where the firmware does not say.
    :ivar boot_env: digest of the boot environment that runs.
    """

    macs: tuple[str, ...]
    addresses: tuple[str, ...]
    ssh_host_key: str
    dmi: dict[str, str]
    firmware: str
    secure_boot: bool | None
    memory: int
    disks: tuple[dict[str, t.Any], ...]
    boot_env: str

    def as_dict(self) -> dict[str, t.Any]:
        return {**asdict(self), "macs": list(self.macs), "addresses": list(self.addresses), "disks": list(self.disks)}


def decode(data: bytes) -> Report:
    """:raises ValueError: it is no report; the message says why."""
    if len(data) > LONGEST:
        raise ValueError(f"it has {len(data)} bytes where {LONGEST} are allowed")
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_fields.unique, parse_float=_fields.no_float)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    _fields.integer(found, "version", 1, 1)
    return report_of(found)


def report_of(found: dict[str, t.Any]) -> Report:
    """From its fields.

    :raises ValueError: one is missing or wrong; the message says which.
    """
    macs = _fields.texts(found, "macs", _MOST)
    addresses = _fields.texts(found, "addresses", _MOST)
    secure_boot = None if found.get("secure_boot") is None else _fields.boolean(found, "secure_boot")
    return Report(
        macs=tuple(map(_mac, macs)),
        addresses=tuple(map(_address, addresses)),
        ssh_host_key=_host_key(found),
        dmi={name: _fields.text(_fields.mapping(found, "dmi"), name) for name in _DMI},
        firmware=_fields.choice(found, "firmware", ("uefi", "bios")),
        secure_boot=secure_boot,
        memory=_fields.integer(found, "memory", 0, 1 << 60),
        disks=tuple(map(_disk, _fields.mappings(found, "disks", _MOST))),
        boot_env=_fields.text(found, "boot_env"),
    )


def _mac(text: str) -> str:
    try:
        return normal_mac(text)
    except UsageError as error:
        raise ValueError(error.message) from error


def _address(text: str) -> str:
    """An address that a controller may connect to."""
    netaddr = need("netaddr")
    try:
        return str(netaddr.IPAddress(text))
    except (netaddr.AddrFormatError, ValueError) as error:
        raise ValueError(f"{text[:60]!r} is no address") from error


def _host_key(found: dict[str, t.Any]) -> str:
    key = _fields.text(found, "ssh_host_key")
    if not _fields.is_ssh_key(key):
        raise ValueError("ssh_host_key is no key as known_hosts has it")
    return key


def _disk(item: dict[str, t.Any]) -> dict[str, t.Any]:
    texts = {name: _fields.optional_text(item, name) for name in _DISK}
    return {**texts, "size": _fields.integer(item, "size", 0, 1 << 60)}
