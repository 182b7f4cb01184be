#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_registry
short_description: Set or remove a value in the registry of a deployed Windows that does not run
version_added: 0.1.0
description:
  - Changes one value in a registry hive of a Windows that is mounted, before its first boot. Keys that are missing are
    made, with the access rights of the one above.
  - The hive is replaced as a whole, or stays as it is. It keeps its access rights.
  - A hive whose last changes are in its log still, because Windows was not shut down properly, is an error.
  - Usually runs in the boot environment, after M(golden.fleet.os_mount).
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
requirements:
  - libhivex (Debian package C(libhivex0)); the role golden.fleet.tools installs it, and the boot environment has it.
options:
  hive:
    description:
      - In which hive the key is. V(SYSTEM) and V(SOFTWARE) are C(HKLM\SYSTEM) and C(HKLM\SOFTWARE); V(NTUSER) is that
        of C(C:\Users\Default), which each new user gets a copy of; V(DEFAULT) is for who has none, the logon screen for
        one.
    type: str
    required: true
    choices: [SYSTEM, SOFTWARE, NTUSER, DEFAULT, SAM, SECURITY]
  path:
    description:
      - The key, from the top of the hive on, with backslashes; so without C(HKLM\SOFTWARE). In V(SYSTEM),
        C(CurrentControlSet) is the one that the Windows would start with.
    type: str
    required: true
  name:
    description: Name of the value. Without it, the default value of the key is meant.
    type: str
    default: ""
  type:
    description:
      - Its type, in the words of C(ansible.windows.win_regedit). In those of Windows, V(string) is C(REG_SZ),
        V(expandstring) C(REG_EXPAND_SZ), V(multistring) C(REG_MULTI_SZ), V(dword) C(REG_DWORD), V(qword) C(REG_QWORD),
        V(binary) C(REG_BINARY), V(none) C(REG_NONE).
    type: str
    choices: [string, expandstring, multistring, dword, qword, binary, none]
    default: string
  data:
    description:
      - What it holds; required with O(state=present), except for V(none). A text for V(string) and V(expandstring); a
        list of texts for V(multistring); a whole number for V(dword) and V(qword), or a text such as V(0x10);
        hexadecimal digits, such as V(00,0a,ff), for V(binary).
    type: raw
  state:
    description: Whether there shall be such a value.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The value is shown with C(--diff). Use C(no_log) on a task whose value is a secret.
seealso:
  - module: golden.fleet.os_mount
  - module: ansible.windows.win_regedit
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: No Fast Startup, so that the disk can be changed while the machine is off
  golden.fleet.os_registry:
    hive: SYSTEM
    path: CurrentControlSet\Control\Session Manager\Power
    name: HiberbootEnabled
    type: dword
    data: 0

- name: A policy for all new users
  golden.fleet.os_registry:
    hive: NTUSER
    path: Software\Policies\Microsoft\Windows\CloudContent
    name: DisableWindowsSpotlightFeatures
    type: dword
    data: 1

- name: What an old program left
  golden.fleet.os_registry:
    hive: SOFTWARE
    path: Microsoft\Windows\CurrentVersion\Run
    name: OldAgent
    state: absent
"""

RETURN = r"""
file:
  description: The file of the hive, as the deployed system sees it.
  returned: success
  type: str
  sample: /Windows/System32/config/SYSTEM
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS, open_tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.hive import PLACES, Edit, change, check_names
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import Value, value_of

SPEC = ArgSpec(
    {
        "hive": {
            "type": "str",
            "required": True,
            "choices": ["SYSTEM", "SOFTWARE", "NTUSER", "DEFAULT", "SAM", "SECURITY"],
        },
        "path": {"type": "str", "required": True},
        "name": {"type": "str", "default": ""},
        "type": {
            "type": "str",
            "choices": ["string", "expandstring", "multistring", "dword", "qword", "binary", "none"],
            "default": "string",
        },
        "data": {"type": "raw"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    tree = open_tree(params["root"])
    tree.need(WINDOWS, "golden.fleet.os_registry")
    check_names(params["path"], params["name"])
    edit = Edit(params["path"], params["name"], _value(params))
    return {**change(tree.root, params["hive"], [edit], module.check_mode), "file": PLACES[params["hive"]]}


def _value(params: dict[str, t.Any]) -> Value | None:
    if params["state"] == "absent":
        return None
    try:
        return value_of(params["type"], params["data"])
    except ValueError as error:
        raise UsageError(f"This cannot be a {params['type']}: {error}.") from error


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
