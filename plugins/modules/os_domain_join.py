#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_domain_join
short_description: Make a deployed Linux join an Active Directory domain
version_added: 0.1.0
description:
  - Puts into a deployed Linux what it needs to become a member of a domain without any password of the domain. It joins
    with a password that counts once, which M(golden.fleet.ad_computer) has prepared.
  - The programs adcli and sssd must be in the image.
  - At the first boot the machine joins, starts sssd, has home directories made, and takes all of this away again, the
    password first. It does so also where the join fails; C(systemctl status golden-join) then says why.
  - For a Windows, the blob of M(golden.fleet.ad_computer) goes into the answer file.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Names the files, and does not show what is in them.
  idempotent:
    support: full
options:
  name:
    description:
      - Name of the computer's account, RV(golden.fleet.ad_computer#module:name).
      - The host name may be another one; users are told apart from it by the domain all the same.
    type: str
    required: true
  domain:
    description: DNS name of the domain.
    type: str
    required: true
  one_time_password:
    description: RV(golden.fleet.ad_computer#module:one_time_password).
    type: str
    required: true
  when:
    description:
      - With V(first_boot), the machine joins when it boots. The password waits in a file that root alone can read.
      - With V(now), the boot environment joins in its place and leaves the machine's keys in C(/etc/krb5.keytab), so
        that a refusal is seen at once. The boot environment must reach the domain, and know its names.
    type: str
    choices: [first_boot, now]
    default: first_boot
  server:
    description:
      - DNS name of the domain controller to join at, such as RV(golden.fleet.ad_computer#module:server), which knows of
        the account already. By default one that DNS names.
    type: str
  configure:
    description:
      - Whether C(sssd.conf) is written, and PAM set up. Set it to V(false) for an image that has its own C(sssd.conf).
      - PAM and NSS are set up by the distribution's own means, C(pam-auth-update), C(authselect) or C(pam-config);
        where these leave it out, C(nsswitch.conf) is told of sssd.
    type: bool
    default: true
  sssd:
    description:
      - More options of the domain in C(sssd.conf), or other values for some, such as C(simple_allow_groups).
    type: dict
    default: {}
  timeout:
    description: How long the machine tries to join at its first boot, such as V(10m). Then it forgets the password.
    type: str
    default: 10m
requirements:
  - adcli, in the boot environment, for O(when=now)
seealso:
  - module: golden.fleet.ad_computer
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Have the machine join at its first boot
  golden.fleet.os_domain_join:
    name: "{{ account.name }}"
    domain: lab.example
    one_time_password: "{{ account.one_time_password }}"
    server: "{{ account.server }}"
    sssd:
      access_provider: simple
      simple_allow_groups: teachers, pupils
"""

RETURN = r"""
name:
  description: Name of the account.
  returned: success
  type: str
  sample: PC-17
domain:
  description: DNS name of the domain.
  returned: success
  type: str
  sample: lab.example
joined:
  description: Whether the machine is a member already, and need not join at its first boot.
  returned: success
  type: bool
  sample: false
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.join import FIRST_BOOT, NOW, JoinRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import open_tree
from ansible_collections.golden.fleet.plugins.module_utils._units import parse_duration

SPEC = ArgSpec(
    {
        "name": {"type": "str", "required": True},
        "domain": {"type": "str", "required": True},
        "one_time_password": {"type": "str", "required": True, "no_log": True},
        "when": {"type": "str", "choices": [FIRST_BOOT, NOW], "default": FIRST_BOOT},
        "server": {"type": "str"},
        "configure": {"type": "bool", "default": True},
        "sssd": {"type": "dict", "default": {}},
        "timeout": {"type": "str", "default": "10m"},
    }
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    request = JoinRequest(
        name=params["name"],
        domain=params["domain"],
        password=params["one_time_password"],
        when=params["when"],
        server=params["server"] or "",
        configure=params["configure"],
        sssd={str(name): str(value) for name, value in params["sssd"].items()},
        patience=parse_duration(params["timeout"]),
    )
    return apply(open_tree(params["root"]), request, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
