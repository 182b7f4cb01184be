#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: power
short_description: Switch a machine on and off, or restart it
version_added: 0.1.0
description:
  - Talks to a machine's management controller, wakes it, or tells its running system.
  - It is done when it is seen. An order that was accepted counts for nothing, and one that was refused may have been
    obeyed.
  - Usually runs on the controller, with C(delegate_to=localhost).
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.power
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - V(on) and V(off) are, where the state can be asked. V(reset) always restarts.
options:
  state:
    description:
      - V(on) and V(off) say how the machine shall be.
      - V(reset) lets it boot, whether it is on or off.
    type: str
    choices: ["on", "off", reset]
    required: true
  force:
    description: Do not ask the operating system first.
    type: bool
    default: false
seealso:
  - module: golden.fleet.next_boot
  - module: golden.fleet.pxe_reboot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Switch it on
  golden.fleet.power:
    power:
      provider: redfish
      address: bmc-07.example
      username: admin
      password: "{{ vault_bmc }}"
    state: "on"
  delegate_to: localhost

- name: The same, for a fleet that says in its inventory how each machine is switched
  golden.fleet.power:
    power: "{{ golden_power }}"
    state: "on"
  delegate_to: localhost
"""

RETURN = r"""
state:
  description: How the machine was before, V(on), V(off) or V(unknown).
  returned: success
  type: str
  sample: "off"
msg:
  description: What was done, for people.
  returned: success
  type: str
  sample: switched on
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
from ansible_collections.golden.fleet.plugins.module_utils._power.orders import switch
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power, power_options

SPEC = ArgSpec(
    {
        "state": {"type": "str", "required": True, "choices": ["on", "off", "reset"]},
        "force": {"type": "bool", "default": False},
    }
).merge(POWER_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    with closing(open_power(power_options(params["power"]))) as power:
        return switch(power, params["state"], params["force"], module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
