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
  - Sets the next boot device, once where the machine can, and reads it back. The machine is not restarted.
  - Firmware may ignore it all the same. Only what the machine boots tells.
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
    support: full
options:
  target:
    description: What to boot.
    type: str
    choices: [network, disk]
    required: true
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
"""

RETURN = r"""
target:
  description: What the machine says that it boots next.
  returned: success
  type: str
  sample: network
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
from ansible_collections.golden.fleet.plugins.module_utils._power.orders import choose_next_boot
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power, power_options

SPEC = ArgSpec({"target": {"type": "str", "required": True, "choices": ["network", "disk"]}}).merge(POWER_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    with closing(open_power(power_options(module.params["power"]))) as power:
        return choose_next_boot(power, module.params["target"], module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
