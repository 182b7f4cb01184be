# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. How far a machine came, from what dnsmasq and nginx logged. Pure.

The logs name a MAC address only where the machine asks for an address, and in the names of its own boot files. The
rest is told apart by the IP address that it got, or asked from.
"""

from __future__ import annotations

import json
import re
import typing as t

from .mac import with_hyphens

NOTHING, DHCP, BOOT_LOADER, ENTRY, KERNEL, CHECKED_IN = STAGES = (
    "nothing", "dhcp", "boot_loader", "entry", "kernel", "checked_in",
)  # fmt: skip

# dnsmasq-dhcp[7]: 3804 DHCPACK(br0) 10.77.0.50 52:54:00:aa:bb:cc pc-1
# dnsmasq-dhcp[7]: 3804 PXE(br0) 52:54:00:aa:bb:cc proxy
_DHCP = re.compile(
    r"dnsmasq-dhcp\[\d+\]: (?:\d+ )?(DHCP[A-Z]+|PXE)\([^)]*\) (?:([0-9.]+) )?([0-9a-f]{2}(?::[0-9a-f]{2}){5})\b"
)
# dnsmasq-tftp[7]: sent /srv/golden/tftp/snponly.efi to 10.77.0.50
_TFTP = re.compile(r"dnsmasq-tftp\[\d+\]: sent (/\S+) to ([0-9.]+)")


def furthest(mac: str, dhcp_log: t.Iterable[str], http_log: t.Iterable[str]) -> str:
    """The last stage before the check-in that this machine has reached, by the lines logged since its entry was made.

    :param http_log: JSON objects with address, uri and status.
    :return: one of STAGES.
    """
    reached, addresses = NOTHING, set[str]()
    for line in dhcp_log:
        if found := _DHCP.search(line):
            if found[3] == mac:
                addresses.update(filter(None, [found[2]]))
                reached = _later(reached, DHCP)
        elif found := _TFTP.search(line):
            if f"/by-mac/{mac}.cfg" in found[1] or f"/grub/{mac}.cfg" in found[1]:
                addresses.add(found[2])
            if found[2] in addresses:
                reached = _later(reached, _stage_of(found[1], mac))
    for asked in _requests(http_log):
        if with_hyphens(mac) in asked.uri:
            addresses.add(asked.address)
        if asked.address in addresses and asked.status < 400:
            reached = _later(reached, _stage_of(asked.uri, mac))
    return reached


class _Request(t.NamedTuple):
    address: str
    uri: str
    status: int


def _requests(lines: t.Iterable[str]) -> t.Iterator[_Request]:
    for line in lines:
        try:
            found = json.loads(line)
            yield _Request(str(found["address"]), str(found["uri"]), int(found["status"]))
        except (ValueError, KeyError, TypeError):
            continue  # a line that is being written right now


def _stage_of(file: str, mac: str) -> str:
    if file.endswith((f"{with_hyphens(mac)}.ipxe", f"{mac}.cfg")):
        return ENTRY
    if file.endswith(("/vmlinuz", "/initrd.img")):
        return KERNEL
    return BOOT_LOADER


def _later(one: str, other: str) -> str:
    return max(one, other, key=STAGES.index)
