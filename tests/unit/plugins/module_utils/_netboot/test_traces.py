# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._netboot.traces import furthest

MAC = "52:54:00:77:00:01"
DHCP_LOG = (Path(__file__).parent / "transcripts/dnsmasq-2.90-uefi-ipxe.log").read_text(encoding="utf-8").splitlines()
ADDRESS = "10.77.0.80"


def asked(uri: str, address: str = ADDRESS, status: int = 200) -> str:
    return json.dumps({"at": 1795600000.123, "address": address, "uri": uri, "status": status, "bytes": 1})


SCRIPT = f"/netboot/{MAC.replace(':', '-')}.ipxe"
KERNEL = f"/boot-env/{'d' * 64}/vmlinuz"


@pytest.mark.parametrize(
    ("dhcp", "http", "stage"),
    [
        ([], [], "nothing"),
        (DHCP_LOG[:1], [], "dhcp"),
        (DHCP_LOG, [], "boot_loader"),
        (DHCP_LOG, [asked("/boot.ipxe")], "boot_loader"),
        (DHCP_LOG, [asked("/boot.ipxe"), asked(SCRIPT, status=404)], "boot_loader"),
        (DHCP_LOG, [asked(SCRIPT)], "entry"),
        (DHCP_LOG, [asked(SCRIPT), asked(KERNEL)], "kernel"),
        (DHCP_LOG, [asked(SCRIPT), asked(KERNEL, status=404)], "entry"),
        # beside a site's own DHCP server, which tells us no address
        ([f"dnsmasq-dhcp[7]: 3804 PXE(eth0) {MAC} proxy"], [asked("/boot.ipxe")], "dhcp"),
        ([f"dnsmasq-dhcp[7]: 3804 PXE(eth0) {MAC} proxy"], [asked(SCRIPT), asked(KERNEL)], "kernel"),
        ([], [asked(SCRIPT), asked(KERNEL)], "kernel"),
        # another machine
        ([], [asked("/boot.ipxe"), asked(KERNEL)], "nothing"),
        (DHCP_LOG, [asked(KERNEL, address="10.77.0.81")], "boot_loader"),
        ([line.replace(MAC, "52:54:00:77:00:02") for line in DHCP_LOG], [], "nothing"),
        # a line that is being written, and what is no line of ours
        (["dnsmasq-dhcp[7]: 3804 DHCPACK(lan0) 10."], [asked(SCRIPT)[:40], "[]", "null", ""], "nothing"),
    ],
)
def test_how_far_a_machine_came(dhcp: list[str], http: list[str], stage: str) -> None:
    assert furthest(MAC, dhcp, http) == stage


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("/srv/golden/tftp/shimx64.efi", "boot_loader"),
        (f"/srv/golden/tftp/grub/by-mac/{MAC}.cfg", "entry"),
        (f"/srv/golden/tftp/boot-env/{'d' * 64}/vmlinuz", "kernel"),
    ],
)
def test_secure_boot_has_nothing_but_tftp(file: str, stage: str) -> None:
    assert furthest(MAC, [*DHCP_LOG[:4], f"dnsmasq-tftp[7]: sent {file} to {ADDRESS}"], []) == stage
