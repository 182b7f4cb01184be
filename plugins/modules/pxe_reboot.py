#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All of it is the action plugin of the same name.
from __future__ import annotations

DOCUMENTATION = r"""
module: pxe_reboot
short_description: Restart a machine into the boot environment
version_added: 0.1.0
description:
  - Makes a netboot entry, sets the machine's next boot device to the network, restarts it or switches it on, and waits
    until its boot environment has checked in.
  - If it has not after half of O(timeout), the machine is switched off and on once, by force, where that can be done.
    If it still does not come, the entry is removed, the next boot is from the disk again, and the task fails and says
    how far the machine came.
  - The machine may ignore all this and start from its disk. Only a check-in counts as success.
  - Runs on the imaging server, so give it C(delegate_to). The commands for the machine's power go out from the
    controller, or from the imaging server with O(power.run_from=server).
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_netboot
  - golden.fleet.netboot
  - golden.fleet.power
attributes:
  check_mode:
    support: partial
    details:
      - Says whether the entry can be made. The machine is left alone.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Every run restarts the machine.
options:
  mac:
    description: MAC address of the network card that the machine boots from. Put it in quotes.
    type: str
    required: true
  host:
    description: The machine's name for messages and logs. By default its name in the inventory.
    type: str
  timeout:
    description: How long to wait for the check-in.
    type: str
    default: 15m
  force:
    description:
      - Switch off hard at once, instead of asking the operating system to end.
      - One that does not end within O(power.timeout), or that cannot be asked to, is switched off hard anyway, where
        that can be done.
    type: bool
    default: false
seealso:
  - module: golden.fleet.netboot_entry
  - module: golden.fleet.netboot_wait
  - module: golden.fleet.power
  - module: golden.fleet.next_boot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Into the boot environment
  golden.fleet.pxe_reboot:
    mac: "{{ golden_mac }}"
    power: "{{ golden_power }}"
  delegate_to: imaging
  register: boot

- name: Show where it is now
  ansible.builtin.debug:
    msg: "{{ boot.checkin.address }}, host key {{ boot.checkin.ssh_host_key }}"
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
checkin:
  description: What the machine says of itself, as M(golden.fleet.netboot_wait) returns it.
  returned: success
  type: dict
  sample:
    address: 10.77.0.50
    ssh_host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz
stage:
  description: How far the machine came, as M(golden.fleet.netboot_wait) returns it.
  returned: success, and failure to check in
  type: str
  sample: checked_in
forced:
  description: Whether the machine had to be switched off and on.
  returned: success
  type: bool
  sample: false
seconds:
  description: Time from the beginning to the check-in.
  returned: success
  type: float
  sample: 52.4
"""
