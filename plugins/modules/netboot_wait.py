#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netboot_wait
short_description: Wait until a machine has checked in
version_added: 0.1.0
description:
  - Waits until the boot environment has started on the machine with this MAC address and has checked in at the
    imaging server, and returns what it said of itself.
  - If it does not, the task fails and says how far the machine came, as far as DHCP, TFTP and HTTP show it.
  - Runs on the imaging server.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_netboot
  - golden.fleet.attributes.info_module
  - golden.fleet.netboot
options:
  mac:
    description: MAC address for which M(golden.fleet.netboot_entry) has made an entry.
    type: str
    required: true
  id:
    description: RV(golden.fleet.netboot_entry#module:entry.id) of the boot that is meant. By default, the newest.
    type: str
  timeout:
    description: How long to wait.
    type: str
    default: 15m
  beyond:
    description:
      - Return as soon as the machine has come beyond this RV(stage), too, and without an error at the end of
        O(timeout). For showing how it gets on.
    type: str
    choices: [nothing, dhcp, boot_loader, entry, kernel]
seealso:
  - module: golden.fleet.pxe_reboot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Wait until somebody has switched pc-07 on
  golden.fleet.netboot_wait:
    mac: "52:54:00:12:34:56"
    timeout: 8h
  delegate_to: imaging
  register: boot

- name: Show what it is
  ansible.builtin.debug:
    msg: "{{ boot.checkin.dmi.vendor }} {{ boot.checkin.dmi.model }}, {{ boot.checkin.disks | length }} disks"
"""

RETURN = r"""
entry:
  description: The entry, as M(golden.fleet.netboot_entry) returns it.
  returned: success
  type: dict
  sample:
    id: 5f0c9d6f8a0d1b7f
    mac: "52:54:00:12:34:56"
    host: pc-07
    action: boot_env
    created: 1795600000
    expires: 1795603600
    state: used
stage:
  description:
    - How far the machine has come.
    - V(nothing) was seen of it, it asked for an address (V(dhcp)), has fetched a V(boot_loader), its own boot file
      (V(entry)), the V(kernel) of the boot environment, or it has V(checked_in).
  returned: success, and failure to check in
  type: str
  sample: checked_in
meaning:
  description: The same in words, with what to look at.
  returned: success, and failure to check in
  type: str
  sample: It has checked in.
refusals:
  description: Check-ins that were refused since the entry was made and named this machine.
  returned: success, and failure to check in
  type: list
  elements: dict
  sample: []
checkin:
  description:
    - What the machine says of itself; null as long as it has not checked in. It is as trustworthy as the network.
  returned: success, and failure to check in
  type: dict
  sample:
    address: 10.77.0.50
    at: 1795600042
    macs: ["52:54:00:12:34:56"]
    addresses: [10.77.0.50]
    ssh_host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz
    dmi: {vendor: Dell Inc., model: OptiPlex 7010, serial: ABC123, uuid: 4c4c4544-0042-3510-8051-c4c04f4d3132}
    firmware: uefi
    secure_boot: false
    memory: 8589934592
    disks:
      - path: /dev/sda
        size: 512110190592
        serial: S4EVNX0R123456
        model: SAMSUNG MZVLB512
        wwn: eui.002538d521b00ab1
    boot_env: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
  contains:
    address:
      description: Where the check-in came from.
      type: str
    at:
      description: When, in seconds since 1970 by the server's clock.
      type: int
    macs:
      description: MAC addresses of its network cards.
      type: list
      elements: str
    addresses:
      description: Its addresses.
      type: list
      elements: str
    ssh_host_key:
      description: Its SSH host key, made at this boot, as C(known_hosts) has it.
      type: str
    dmi:
      description: Vendor, model, serial number and UUID that its firmware tells.
      type: dict
    firmware:
      description: How it was booted, V(uefi) or V(bios).
      type: str
    secure_boot:
      description: Whether Secure Boot is on; null where there is none.
      type: bool
    memory:
      description: Bytes.
      type: int
    disks:
      description: Its disks; sizes are bytes. M(golden.fleet.disk_info) tells more.
      type: list
      elements: dict
    boot_env:
      description: Digest of the boot environment.
      type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import NETBOOT_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._netboot.config import read_config
from ansible_collections.golden.fleet.plugins.module_utils._netboot.follow import WaitRequest, wait
from ansible_collections.golden.fleet.plugins.module_utils._netboot.mac import normal_mac
from ansible_collections.golden.fleet.plugins.module_utils._netboot.traces import CHECKED_IN, STAGES
from ansible_collections.golden.fleet.plugins.module_utils._units import parse_duration

SPEC = ArgSpec(
    {
        "mac": {"type": "str", "required": True},
        "id": {"type": "str"},
        "timeout": {"type": "str", "default": "15m"},
        "beyond": {"type": "str", "choices": [each for each in STAGES if each != CHECKED_IN]},
    }
).merge(NETBOOT_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    timeout = parse_duration(params["timeout"])
    request = WaitRequest(normal_mac(params["mac"]), params["id"], timeout, params["beyond"])
    return wait(read_config(params["config"]), request)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
