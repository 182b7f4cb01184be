#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ad_computer
short_description: Prepare the account of a computer in Active Directory
version_added: 0.1.0
description:
  - Makes the account of a computer in its organizational unit, with which the computer joins the domain by itself. No
    password of the domain ever comes near it.
  - A Linux joins with a password that counts once, see M(golden.fleet.os_domain_join). A Windows joins with the blob of
    an offline domain join, which goes into its answer file.
  - An account that exists is an error, unless O(reuse) is set.
  - Runs on the controller or on the imaging server, usually with C(delegate_to).
  - Each time it runs, what an earlier run returned ceases to count.
  - The task's result is hidden as with C(no_log), because it holds a secret. Errors are shown.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.domain
attributes:
  check_mode:
    support: full
    details:
      - Says whether the account exists and may be reused, whether O(ou) is there, and whether accounts may be made in
        it. It cannot say whether one that exists may be reset or removed.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - V(absent) is. With V(present), an account gets a new secret each time, with O(reuse=true), or is an error.
options:
  name:
    description:
      - Name of the computer. At most 15 letters, digits and hyphens, and not only digits.
    type: str
    required: true
  state:
    description:
      - V(present) makes an account or, with O(reuse), resets it.
      - V(absent) removes the account of a retired computer, with all that is beneath it, such as BitLocker recovery
        keys. DNS records stay.
      - Accounts of domain controllers and managed service accounts are neither reset nor removed.
    type: str
    choices: [present, absent]
    default: present
  ou:
    description:
      - Distinguished name of the organizational unit that the account is made in. It must exist.
      - By default where the domain puts computers, usually C(CN=Computers).
      - With O(reuse), an account that is elsewhere is an error. Without O(ou) it is reused wherever it is.
    type: str
  method:
    description: What the computer joins with, V(one_time_password) for Linux or V(offline_blob) for Windows.
    type: str
    choices: [one_time_password, offline_blob]
    default: one_time_password
  reuse:
    description:
      - Take the account where one exists, for a computer that is imaged again. It stays the same account, with its
        groups and policies. A computer that uses it now loses the domain.
      - A disabled account is an error all the same.
    type: bool
    default: false
requirements:
  - net (Debian package samba-common-bin), at least of Samba 4.15, for O(method=offline_blob)
seealso:
  - module: golden.fleet.os_domain_join
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Prepare the account of a Linux computer, whether it was imaged before or not
  golden.fleet.ad_computer:
    domain: lab.example
    domain_username: joiner
    domain_password: "{{ vault_joiner }}"
    name: pc-17
    ou: OU=Lab A,DC=lab,DC=example
    reuse: true
  delegate_to: imaging
  register: account

- name: Prepare the one of a Windows computer that the domain does not know yet
  golden.fleet.ad_computer:
    domain: lab.example
    domain_username: joiner
    domain_password: "{{ vault_joiner }}"
    name: pc-18
    ou: OU=Lab A,DC=lab,DC=example
    method: offline_blob
  delegate_to: imaging
  register: windows_account

- name: Remove a retired one
  golden.fleet.ad_computer:
    domain: lab.example
    domain_username: joiner
    domain_password: "{{ vault_joiner }}"
    name: pc-18
    state: absent
  delegate_to: imaging
"""

RETURN = r"""
one_time_password:
  description: What the computer joins with. It counts until the join, or until the account is prepared again.
  returned: with O(method=one_time_password); null in check mode
  type: str
  sample: f0rS0meL1nux-aA1
blob:
  description: What C(djoin) takes, and C(AccountData) of an answer file.
  returned: with O(method=offline_blob); null in check mode
  type: str
  sample: ARAIAMzMzMzYAgAAAAAAAAAAAgABAAAAAQAAAAQAAgABAAAA
exists:
  description: The name is taken, and the account is not to be reused, or is elsewhere than in O(ou).
  returned: when the task fails for that
  type: bool
  sample: true
created:
  description: Whether the account was made; it was reused otherwise.
  returned: with O(state=present)
  type: bool
  sample: true
name:
  description: Name of the account, without the C($) at its end.
  returned: success
  type: str
  sample: PC-17
dn:
  description: Distinguished name of the account; null with O(state=absent) if there was none.
  returned: success
  type: str
  sample: CN=PC-17,OU=Lab A,DC=lab,DC=example
domain:
  description: DNS name of the domain.
  returned: success
  type: str
  sample: lab.example
server:
  description: The domain controller that was asked. Others may learn of the account some seconds later.
  returned: success
  type: str
  sample: dc1.lab.example
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._ad.computer import (
    BLOB,
    PASSWORD,
    ComputerRequest,
    ensure_computer,
    remove_computer,
)
from ansible_collections.golden.fleet.plugins.module_utils._ad.names import check_ou
from ansible_collections.golden.fleet.plugins.module_utils._ad.options import login_of
from ansible_collections.golden.fleet.plugins.module_utils._ad.session import logged_in
from ansible_collections.golden.fleet.plugins.module_utils._argspec import DOMAIN_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.hostnames import check_computer_name

SPEC = ArgSpec(
    {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "ou": {"type": "str"},
        "method": {"type": "str", "choices": [PASSWORD, BLOB], "default": PASSWORD},
        "reuse": {"type": "bool", "default": False},
    }
).merge(DOMAIN_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params, login = module.params, login_of(module.params)
    check_computer_name(params["name"])
    ou = check_ou(params["ou"], login.domain) if params["ou"] else None
    with logged_in(login) as session:
        if params["state"] == "absent":
            return remove_computer(session, params["name"], module.check_mode)
        request = ComputerRequest(params["name"], ou, params["method"], params["reuse"])
        return ensure_computer(session, request, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
