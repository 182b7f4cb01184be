#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: next_boot
short_description: Choose what a machine boots next
version_added: 0.1.0
description:
  - Sets the device that a machine boots from next, once where the machine can, and reads it back until it is so. The
    machine is not restarted; M(golden.fleet.power) does that.
  - Firmware may ignore it all the same. Only what the machine boots tells.
  - Some controllers keep the device instead of using it once. Set it to V(disk) when you are done with the network.
  - Usually runs on the controller, with C(delegate_to=localhost).
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_power
  - golden.fleet.power
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - Except with V(ipmi) controllers that never call their boot device valid; OpenIPMI's simulator is one.
options:
  target:
    description: What to boot. Without it, nothing is set, and RV(next_boot) tells what is.
    type: str
    choices: [network, disk]
seealso:
  - module: golden.fleet.power
  - module: golden.fleet.pxe_reboot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Boot from the network next
  golden.fleet.next_boot:
    power: "{{ golden_power }}"
    target: network
  delegate_to: localhost

- name: Restart the machine
  golden.fleet.power:
    power: "{{ golden_power }}"
    state: reset
  delegate_to: localhost
"""

RETURN = r"""
next_boot:
  description:
    - What the machine boots next, V(network), V(disk), V(none) where that is left to its firmware, or V(unknown) where
      it is something else or cannot be told.
  returned: success
  type: str
  sample: network
before:
  description: What it would have booted before.
  returned: success
  type: str
  sample: none
unsupported:
  description: The task failed because this O(power.provider) cannot do that.
  returned: failure for this reason
  type: bool
  sample: true
"""

import typing as t
from contextlib import closing

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import POWER_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._power.options import power_options
from ansible_collections.golden.fleet.plugins.module_utils._power.orders import choose_next_boot
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power

SPEC = ArgSpec({"target": {"type": "str", "choices": ["network", "disk"]}}).merge(POWER_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    with closing(open_power(power_options(module.params["power"]))) as power:
        return choose_next_boot(power, module.params["target"], module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
