#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: netboot_info
short_description: Show what an imaging server is about to boot
version_added: 0.1.0
description:
  - Returns the entries with how far each machine has come, and the check-ins that were refused.
  - Runs on the imaging server.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_netboot
  - golden.fleet.attributes.info_module
  - golden.fleet.netboot
options:
  mac:
    description: Only what concerns this MAC address. Everything by default.
    type: str
seealso:
  - module: golden.fleet.netboot_entry
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Look what the imaging server waits for
  golden.fleet.netboot_info:
  delegate_to: imaging
  register: netboot

- name: Show the machines that have not come yet
  ansible.builtin.debug:
    msg: "{{ item.host }}: {{ item.meaning }}"
  loop: "{{ netboot.entries | selectattr('state', '==', 'waiting') }}"
"""

RETURN = r"""
boot_env:
  description: Digest of the boot environment that machines get.
  returned: success
  type: str
  sample: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
http_url:
  description: Where boot loaders find their files.
  returned: success
  type: str
  sample: http://10.77.0.1
checkin_url:
  description: Where boot environments check in.
  returned: success
  type: str
  sample: https://10.77.0.1/checkin
records:
  description: Folder of the records of captures and deploys on this server.
  returned: success
  type: str
  sample: /srv/golden/records
entries:
  description:
    - The entries, as M(golden.fleet.netboot_entry) returns them, each with
      RV(golden.fleet.netboot_wait#module:stage), RV(golden.fleet.netboot_wait#module:meaning),
      RV(golden.fleet.netboot_wait#module:checkin) and RV(golden.fleet.netboot_wait#module:refusals).
    - Those of the last week, used and expired ones too.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 5f0c9d6f8a0d1b7f
      mac: "52:54:00:12:34:56"
      host: pc-07
      action: boot_env
      created: 1795600000
      expires: 1795603600
      state: waiting
      stage: dhcp
      meaning: It asked for an address, but fetched no boot loader. …
      checkin: null
      refusals: []
refusals:
  description: The newest refused check-ins, oldest first.
  returned: success
  type: list
  elements: dict
  sample:
    - at: 1795600100
      address: 10.77.0.51
      reason: no entry has this token
      mac: null
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import NETBOOT_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._netboot.config import read_config
from ansible_collections.golden.fleet.plugins.module_utils._netboot.follow import look
from ansible_collections.golden.fleet.plugins.module_utils._netboot.mac import normal_mac

SPEC = ArgSpec({"mac": {"type": "str"}}).merge(NETBOOT_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    mac = normal_mac(module.params["mac"]) if module.params["mac"] else None
    return look(read_config(module.params["config"]), mac)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
