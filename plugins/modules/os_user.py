#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_user
short_description: Make, change or take away a user of a deployed Linux, before it boots
version_added: 0.1.0
description:
  - Works on the files of the deployed system alone, and runs none of its programs. What C(login.defs) and
    C(/etc/default/useradd) of that system say of new users, is done.
  - Other users and groups stay as they are, byte for byte. If it is interrupted, the system can be used nevertheless,
    and running it again does the rest.
  - The local users of a Windows are in its answer file.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Hashes of passwords are not shown.
  idempotent:
    support: full
options:
  name:
    description: Name of the user.
    type: str
    required: true
  state:
    description:
      - Whether there shall be such a user.
      - With V(absent), the user's memberships, subordinate ids and C(sudo) rule go, too; and so does the group of the
        same name, if nobody else is in it.
    type: str
    choices: [present, absent]
    default: present
  password:
    description:
      - The password. It is hashed on the machine on which the module runs, as the deployed system itself would do it
        (C(yescrypt) or C(sha512)).
      - A new user without O(password) and O(password_hash) cannot log in by password.
    type: str
  password_hash:
    description: The hash of a password as C(/etc/shadow) has it. V(!) locks the user.
    type: str
  update_password:
    description:
      - V(always) gives a user who is there already this password, V(on_create) only a new one.
    type: str
    choices: [always, on_create]
    default: always
  uid:
    description:
      - Number of the user. A user who is there with another number is an error.
      - By default a new user gets one above the highest that ordinary users have.
    type: int
  group:
    description:
      - Name or number of the primary group, which must be there. By default that which the deployed system gives to new
        users, usually one of the same name.
    type: str
  groups:
    description: Other groups that the user is to be in, too. They must be there.
    type: list
    elements: str
    default: []
  admin:
    description:
      - Whether the user may become root with C(sudo). It is done as the distribution has it, by the group C(sudo) or
        C(wheel); and by a file in C(/etc/sudoers.d) where neither is there, or C(sudo) does not trust it.
      - By default it stays as it is.
    type: bool
  comment:
    description: Full name of the user.
    type: str
  home:
    description:
      - The home directory. Where there is none it is made, from the skeleton of the deployed system. A user who has
        another one gets this one; nothing is moved.
    type: str
  shell:
    description: The shell, which must be there. By default a new user has C(/bin/bash), or else C(/bin/sh).
    type: str
  authorized_keys:
    description:
      - Public SSH keys that the user may log in with, as lines of C(authorized_keys). One that is there already gets
        these options and this comment.
    type: list
    elements: str
  exclusive_keys:
    description: Take away all other keys.
    type: bool
    default: false
  remove_home:
    description:
      - With O(state=absent), take away the home directory, too. It must belong to the user, and nobody else may live in
        it.
    type: bool
    default: false
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: A teacher, who administers the computer
  golden.fleet.os_user:
    name: teacher
    comment: Teacher of lab A
    password: "{{ vault_teacher }}"
    admin: true
    authorized_keys:
      - "{{ lookup('ansible.builtin.file', 'teacher.pub') }}"

- name: The account that the image was prepared with
  golden.fleet.os_user:
    name: setup
    state: absent
    remove_home: true
"""

RETURN = r"""
name:
  description: Name of the user.
  returned: success
  type: str
  sample: teacher
uid:
  description: Number of the user; null if there is none.
  returned: success
  type: int
  sample: 1000
gid:
  description: Number of the user's primary group; null if there is none.
  returned: success
  type: int
  sample: 1000
home:
  description: The home directory; null if there is none.
  returned: success
  type: str
  sample: /home/teacher
notes:
  description: What somebody should know.
  returned: success
  type: list
  elements: str
  sample: [The deployed system has no sudo; teacher is an administrator once it is installed.]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.accounts import UserRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, open_tree

SPEC = ArgSpec(
    {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "password": {"type": "str", "no_log": True},
        "password_hash": {"type": "str", "no_log": True},
        "update_password": {"type": "str", "choices": ["always", "on_create"], "default": "always", "no_log": False},
        "uid": {"type": "int"},
        "group": {"type": "str"},
        "groups": {"type": "list", "elements": "str", "default": []},
        "admin": {"type": "bool"},
        "comment": {"type": "str"},
        "home": {"type": "str"},
        "shell": {"type": "str"},
        "authorized_keys": {"type": "list", "elements": "str", "no_log": False},
        "exclusive_keys": {"type": "bool", "default": False, "no_log": False},
        "remove_home": {"type": "bool", "default": False},
    },
    mutually_exclusive=(("password", "password_hash"),),
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    asked = module.params
    keys = asked["authorized_keys"]
    request = UserRequest(
        present=asked["state"] == "present",
        groups=tuple(asked["groups"]),
        authorized_keys=None if keys is None else tuple(keys),
        **{name: asked[name] for name in UserRequest._fields if name not in {"present", "groups", "authorized_keys"}},
    )
    tree = open_tree(asked["root"])
    tree.need(LINUX, "os_user (the users of a Windows are in its answer file, by golden.fleet.os_unattend)")
    return apply(tree, request, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
