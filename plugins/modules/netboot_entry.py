#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netboot_entry
short_description: Prepare a machine's next network boot
version_added: 0.1.0
description:
  - An entry says what the machine with one MAC address boots when it asks the imaging server. Machines without
    an entry start from their own disk.
  - It counts once. When the machine checks in, or the time to live is over, it is gone, and the machine's next
    boot is from its disk again.
  - Runs on the imaging server, which the playbook C(golden.fleet.server) makes; usually with C(delegate_to).
  - M(golden.fleet.pxe_reboot) makes an entry, boots the machine, waits for its check-in and removes the entry,
    all in one task.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_netboot
  - golden.fleet.netboot
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - An entry that waits already stays, as long as half of O(lifetime) is left. Not so with O(renew=true).
options:
  mac:
    description:
      - MAC address of the network card that the machine boots from, in any of the usual forms. Put it in quotes.
      - An address for which a boot of another O(host) is prepared is an error.
    type: str
    required: true
  host:
    description: The machine's name, which messages, logs and the boot loader's screen show.
    type: str
    default: unnamed
  action:
    description:
      - V(boot_env) boots the boot environment, once.
      - V(local) starts from the disk, as machines without an entry do.
    type: str
    choices: [boot_env, local]
    default: boot_env
  lifetime:
    description: How long the entry counts, such as V(30m).
    type: str
    default: 1h
  renew:
    description: Make a new entry even where one waits. The machine cannot check in for the old one any more.
    type: bool
    default: false
  id:
    description:
      - With O(state=absent), remove only the entry with this RV(entry.id), not a newer one.
      - With O(state=present), the RV(entry.id) that a new entry gets, 16 hexadecimal digits; by default a random one.
        It names one boot, so use none twice.
    type: str
  state:
    description: Whether there is an entry.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: golden.fleet.netboot_info
  - module: golden.fleet.netboot_wait
  - module: golden.fleet.pxe_reboot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Let pc-07 boot the boot environment when somebody switches it on within this day
  golden.fleet.netboot_entry:
    mac: "52:54:00:12:34:56"
    host: pc-07
    lifetime: 24h
  delegate_to: imaging

- name: Change your mind
  golden.fleet.netboot_entry:
    mac: "52:54:00:12:34:56"
    state: absent
  delegate_to: imaging
"""

RETURN = r"""
entry:
  description:
    - The entry, or the one that was removed; null if there was none. It does not tell the token.
  returned: success
  type: dict
  sample:
    id: 5f0c9d6f8a0d1b7f
    mac: "52:54:00:12:34:56"
    host: pc-07
    action: boot_env
    created: 1795600000
    expires: 1795603600
    state: waiting
  contains:
    id:
      description: Names this one boot.
      type: str
    mac:
      description: MAC address.
      type: str
    host:
      description: The machine's name.
      type: str
    action:
      description: What the machine boots.
      type: str
    created:
      description: When it was made, in seconds since 1970 by the server's clock.
      type: int
    expires:
      description: When it ceases to count, in seconds since 1970 by the server's clock.
      type: int
    state:
      description: V(waiting), V(used) after the check-in, or V(expired).
      type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import NETBOOT_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._netboot.config import read_config
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import ACTIONS
from ansible_collections.golden.fleet.plugins.module_utils._netboot.mac import normal_mac
from ansible_collections.golden.fleet.plugins.module_utils._netboot.prepare import (
    EntryRequest,
    ensure_entry,
    remove_entry,
)
from ansible_collections.golden.fleet.plugins.module_utils._units import parse_duration

SPEC = ArgSpec(
    {
        "mac": {"type": "str", "required": True},
        "host": {"type": "str", "default": "unnamed"},
        "action": {"type": "str", "choices": list(ACTIONS), "default": "boot_env"},
        "lifetime": {"type": "str", "default": "1h"},
        "renew": {"type": "bool", "default": False},
        "id": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
).merge(NETBOOT_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    mac, lifetime = normal_mac(params["mac"]), parse_duration(params["lifetime"])
    config = read_config(params["config"])
    if params["state"] == "absent":
        return remove_entry(config, mac, params["id"], module.check_mode)
    request = EntryRequest(
        mac, params["host"], params["action"], lifetime, params["renew"], module.check_mode, params["id"]
    )
    return ensure_entry(config, request)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
