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
  - Talks to a machine's management controller, wakes it, or tells its running operating system.
  - What was asked for is done when it can be seen, and an error if it cannot within O(power.timeout), whatever a
    controller answers. Wake-on-LAN is the exception, where nothing can be seen.
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
    support: partial
    details:
      - V(on) and V(off) are, except that V(wol) cannot see whether a machine is on. V(reset) always restarts.
options:
  state:
    description:
      - V(on) and V(off) say how the machine shall be. In YAML, write them between quotes.
      - V(reset) makes it boot, whether it is on or off.
      - Without it, nothing is done, and RV(state) tells how the machine is.
    type: str
    choices: ["on", "off", reset]
  force:
    description:
      - Take the power away, instead of asking the operating system to end. Files that are being written may be lost.
      - Without it, an operating system that does not end within O(power.timeout) is an error.
      - Some management controllers cannot ask for it. Then O(state=off) gives the machine so much time to switch itself
        off, as it does when its operating system was shut down in another way.
    type: bool
    default: false
seealso:
  - module: golden.fleet.next_boot
  - module: golden.fleet.pxe_reboot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Switch a machine on
  golden.fleet.power:
    power:
      provider: redfish
      address: bmc-07.example
      username: admin
      password: "{{ vault_bmc }}"
    state: "on"
  delegate_to: localhost

- name: Restart one that does not react any more; how it is switched stands in the inventory
  golden.fleet.power:
    power: "{{ golden_power }}"
    state: reset
    force: true
  delegate_to: localhost

- name: See which machines are on
  golden.fleet.power:
    power: "{{ golden_power }}"
  delegate_to: localhost
  register: power
"""

RETURN = r"""
state:
  description: How the machine is, V(on), V(off), or V(unknown) where that cannot be seen.
  returned: success
  type: str
  sample: "on"
before:
  description: How it was before.
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
from ansible_collections.golden.fleet.plugins.module_utils._power.options import power_options
from ansible_collections.golden.fleet.plugins.module_utils._power.orders import switch
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power

SPEC = ArgSpec(
    {
        "state": {"type": "str", "choices": ["on", "off", "reset"]},
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
