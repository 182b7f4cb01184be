#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_hostname
short_description: Give a deployed operating system its host name, before it boots
version_added: 0.1.0
description:
  - On Linux it is C(/etc/hostname), and the names of this computer in C(/etc/hosts); other lines and aliases there
    stay as they are. A Debian, and every Linux that is given a O(domain), has a line for C(127.0.1.1).
  - A cloud-init is told to leave the name alone.
  - On Windows it is the computer name in the registry. That is for an image that was not generalized with Sysprep;
    a generalized one gets its name from its answer file.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the computer, by RFC 1123. On Linux it may have dots.
    type: str
    required: true
  domain:
    description:
      - What the full name ends in, V(lab.example) for V(pc-017.lab.example). Only for C(/etc/hosts) of a Linux.
      - A computer that joins an Active Directory domain should be told.
    type: str
  allow_long:
    description:
      - Let a Linux have a name that has dots, or more than 15 characters. No domain, and no Windows, knows a computer
        by such a name; cut off, two of them may be the same.
    type: bool
    default: false
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Name the computer as the inventory does
  golden.fleet.os_hostname:
    name: "{{ inventory_hostname_short }}"
    domain: lab.example
"""

RETURN = r"""
hostname:
  description: The name.
  returned: success
  type: str
  sample: pc-017
family:
  description: Kind of the operating system, V(linux) or V(windows).
  returned: success
  type: str
  sample: linux
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os import hostnames
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import hostname as linux
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS, open_tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import hostname as windows

SPEC = ArgSpec(
    {
        "name": {"type": "str", "required": True},
        "domain": {"type": "str"},
        "allow_long": {"type": "bool", "default": False},
    }
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    name, domain = module.params["name"], module.params["domain"]
    tree = open_tree(module.params["root"])
    if tree.family == WINDOWS:
        return {"family": tree.family, **windows.apply(tree, name, module.check_mode)}
    hostnames.check_linux_name(name, domain, module.params["allow_long"])
    return {"family": tree.family, **linux.apply(tree, name, domain, module.check_mode)}


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
