#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_unattend
short_description: Tell Windows Setup what it would ask when a deployed Windows starts for the first time
version_added: 0.1.0
description:
  - Writes the answer file of a generalized Windows that is mounted, C(C:\Windows\Panther\Unattend\unattend.xml); name,
    domain, users, language, time zone. The same options make the same file. Others that Windows would find are removed.
  - Only administrators can read it. At the end of the first boot it is removed, by a few lines in C(SetupComplete.cmd).
    Windows leaves these out where it has an OEM's product key, except for some editions; then use
    M(golden.fleet.os_first_boot) with O(golden.fleet.os_first_boot#module:way=run_once).
  - A Windows that is not generalized reads no answer file, and so is an error. C(sysprep /generalize) does it, on the
    reference computer.
  - What has been tried, and what only a real Windows can prove, is told in C(docs/windows.md).
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows stars in the place of passwords, of the product key, of the blob and of commands.
  idempotent:
    support: full
requirements:
  - libhivex (Debian package C(libhivex0)) and the Python library tzlocal; the role golden.fleet.tools installs them,
    and the boot environment has them.
options:
  computer_name:
    description: Name of the computer. Without it, Windows makes one up.
    type: str
  timezone:
    description: An IANA time zone, such as V(Europe/Berlin), or one of Windows, such as V(W. Europe Standard Time).
    type: str
  locale:
    description:
      - How numbers and dates look, and programs that know no Unicode; as V(de_DE) or V(de-DE).
      - Without it, Windows asks whoever sits before it.
    type: str
  language:
    description: Language of Windows itself, which the image must have. By default the one of O(locale).
    type: str
  keyboard:
    description:
      - A locale whose keyboard is meant, V(de-CH); language and layout as V(0407:00000407); or a layout as Linux calls
        it, V(ch). By default the one of O(locale).
    type: str
  product_key:
    description: Five times five letters and digits. Not needed with a key management server, or a key in the firmware.
    type: str
  owner:
    description: Whom Windows names as its owner.
    type: str
  organization:
    description: The owner's organization.
    type: str
  administrator_password:
    description:
      - Password of the built-in administrator, whom Windows then lets log on, as well as remotely.
    type: str
  users:
    description: Local accounts. A Windows that is in no domain asks for one when it is told of none.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name to log on with.
        type: str
        required: true
      password:
        description: Its password. Without it, anybody can log on at the machine itself.
        type: str
      admin:
        description: Whether it is an administrator.
        type: bool
        default: false
      groups:
        description: Groups it is in, which must be there. By default C(Users), unless it is an administrator.
        type: list
        elements: str
        default: []
      full_name:
        description: Name for people.
        type: str
      description:
        description: What it is for.
        type: str
  domain:
    description: The domain that the computer joins. Either O(domain.blob), or all else.
    type: dict
    suboptions:
      blob:
        description:
          - The blob of an offline join, RV(golden.fleet.ad_computer#module:blob). The computer account in it must be
            called as O(computer_name). No password of a domain gets onto the machine.
        type: str
      name:
        description: DNS name of the domain.
        type: str
      username:
        description: Who may join computers. Who has the disk until the first boot is done has the password, too.
        type: str
      password:
        description: That one's password.
        type: str
      ou:
        description: Where the computer account shall be, as V(OU=Lab A,DC=lab,DC=example).
        type: str
  oobe:
    description: What Windows asks whoever sits before it first.
    type: dict
    suboptions:
      hide_license:
        description: Do not show the license; you have accepted it.
        type: bool
        default: true
      hide_network:
        description: Do not ask for a wireless network.
        type: bool
        default: true
      hide_online_account:
        description: Do not ask for an account at Microsoft.
        type: bool
        default: true
      send_diagnostics:
        description: Take Microsoft's recommended settings, which send it more than is necessary.
        type: bool
        default: false
  first_logon_commands:
    description:
      - One line each. They run, in order, when somebody logs on for the first time. What needs nobody to log on belongs
        to M(golden.fleet.os_first_boot).
    type: list
    elements: str
    default: []
  winrm:
    description:
      - Let Ansible in at the end of the first boot. Without it, nothing is changed about it.
      - V(http), for members of a domain. Kerberos proves who is there and encrypts what is said.
      - V(https), for all others, with a certificate that the machine makes itself; local administrators keep their
        rights when they come over the network.
      - Neither lets anybody in without encryption.
    type: str
    choices: [http, https]
notes:
  - Nobody is logged on automatically, and it is turned off where the image does so.
  - Passwords of local accounts are written as Microsoft's own tools do, which is no encryption. The file is protected
    by its access rights until it is removed.
seealso:
  - module: golden.fleet.os_hostname
  - module: golden.fleet.os_first_boot
  - module: golden.fleet.os_drivers
  - module: golden.fleet.ad_computer
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: A machine of the lab, with an account of its own
  golden.fleet.os_unattend:
    computer_name: "{{ inventory_hostname_short }}"
    timezone: Europe/Berlin
    locale: de_DE
    users:
      - name: teacher
        password: "{{ vault_teacher }}"
        admin: true
    winrm: https

- name: A member of a domain, joined by a blob that was made on the server
  golden.fleet.os_unattend:
    computer_name: "{{ inventory_hostname_short }}"
    timezone: Europe/Berlin
    locale: de_DE
    administrator_password: "{{ vault_administrator }}"
    domain:
      blob: "{{ account.blob }}"
    winrm: http
"""

RETURN = r"""
file:
  description: The answer file, as the deployed system sees it.
  returned: success
  type: str
  sample: /Windows/Panther/Unattend/unattend.xml
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS, open_tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.answers import Answers, Join, Oobe, User
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.unattend import apply
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.zones import windows_zone

_PLAIN = ("computer_name", "locale", "language", "keyboard", "owner", "organization")
_SECRET = ("product_key", "administrator_password")
SPEC = ArgSpec(
    {
        "timezone": {"type": "str"},
        **{name: {"type": "str"} for name in _PLAIN},
        **{name: {"type": "str", "no_log": True} for name in _SECRET},
        "users": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "name": {"type": "str", "required": True},
                "password": {"type": "str", "no_log": True},
                "admin": {"type": "bool", "default": False},
                "groups": {"type": "list", "elements": "str", "default": []},
                "full_name": {"type": "str"},
                "description": {"type": "str"},
            },
        },
        "domain": {
            "type": "dict",
            "options": {
                "blob": {"type": "str", "no_log": True},
                "name": {"type": "str"},
                "username": {"type": "str"},
                "password": {"type": "str", "no_log": True},
                "ou": {"type": "str"},
            },
            "mutually_exclusive": [("blob", "name"), ("blob", "ou")],
            "required_one_of": [("blob", "name")],
            "required_together": [("name", "username", "password")],
        },
        "oobe": {
            "type": "dict",
            "apply_defaults": True,
            "options": {
                "hide_license": {"type": "bool", "default": True},
                "hide_network": {"type": "bool", "default": True},
                "hide_online_account": {"type": "bool", "default": True},
                "send_diagnostics": {"type": "bool", "default": False},
            },
        },
        "first_logon_commands": {"type": "list", "elements": "str", "default": [], "no_log": True},
        "winrm": {"type": "str", "choices": ["http", "https"]},
    }
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    tree = open_tree(module.params["root"])
    tree.need(WINDOWS, "golden.fleet.os_unattend")
    return apply(tree, _answers(module.params), module.check_mode, module.params["winrm"])


def _answers(params: dict[str, t.Any]) -> Answers:
    return Answers(
        **{name: params[name] for name in (*_PLAIN, *_SECRET)},
        timezone=windows_zone(params["timezone"]) if params["timezone"] else None,
        users=tuple(User(**{**user, "groups": tuple(user["groups"])}) for user in params["users"]),
        join=Join(**params["domain"]) if params["domain"] else None,
        oobe=Oobe(**params["oobe"]),
        first_logon_commands=tuple(params["first_logon_commands"]),
    )


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
