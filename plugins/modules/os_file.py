#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_file
short_description: Place a file, folder or link in a deployed operating system before it boots
version_added: 0.1.0
description:
  - Puts a file from the controller, a template or a text beneath the root of a deployed Linux or Windows; or makes a
    folder or a link there, or takes something away.
  - Links in the deployed system are followed as it would follow them itself, and never lead out of it. Something else
    in the place of a file, such as a folder or a fifo, is an error.
  - A file appears whole, or not at all. Missing folders above it are made.
  - On a Windows, what is written belongs to Administrators and SYSTEM, whatever the folder above allows.
  - In diff mode, texts are shown that everybody on the deployed system may read. What is in other files, or comes from
    a file encrypted with Ansible Vault, is not; set C(no_log) on the task to show nothing at all.
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
  dest:
    description:
      - Absolute path, as the deployed system has it, such as V(/etc/motd) or V(C:\\ProgramData\\site\\motd.txt).
      - Of a Windows, only the drive of the system is there. Upper and lower case do not matter for what exists.
    type: str
    required: true
  state:
    description:
      - With V(file), the content comes from O(src) or O(content).
      - With V(directory), a folder is made; what is in one that exists is left alone.
      - With V(link), a symbolic link to O(src) takes the place of a file or another link. For Linux.
      - With V(absent), a file, a link, or a folder with all that is in it, is taken away.
    type: str
    choices: [file, directory, link, absent]
    default: file
  src:
    description:
      - File on the controller, looked for in the folders where M(ansible.builtin.copy), or with O(template) also
        M(ansible.builtin.template), look. One that is encrypted with Ansible Vault is decrypted.
      - With O(remote_src), a file on the machine where the module runs.
      - With O(state=link), what the link says. An absolute path is one of the deployed system.
    type: str
  content:
    description: The content itself.
    type: str
  template:
    description: Whether O(src) is a Jinja2 template.
    type: bool
    default: false
  remote_src:
    description: Whether O(src) lies on the machine where the module runs already.
    type: bool
    default: false
  mode:
    description:
      - Permissions in octal, in quotes, such as V("0600"). For Linux.
      - By default what exists keeps its own; a new file gets V("0644"), a new folder V("0755").
    type: raw
  owner:
    description:
      - User that it belongs to; a name as the deployed system has it, or a number. For Linux.
      - By default what exists keeps its own; what is new belongs to root.
    type: str
  group:
    description: Group that it belongs to, as O(owner).
    type: str
  acl:
    description:
      - Who may do what. For Windows. Administrators and SYSTEM may do everything; with V(readable), users may read and
        run it.
      - By default a file and a new folder are V(private), and a folder that exists is left as it is.
    type: str
    choices: [private, readable]
  _secret:
    description: Internal. The action plugin of this module says that the file was encrypted on the controller.
    type: bool
    default: false
seealso:
  - module: golden.fleet.os_mount
  - module: golden.fleet.os_first_boot
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: A note on each machine
  golden.fleet.os_file:
    dest: /etc/motd
    content: "This is {{ inventory_hostname }}, in room 101.\n"

- name: A key that only one service may read
  golden.fleet.os_file:
    dest: /etc/exam/exam.key
    content: "{{ vault_exam_key }}"
    mode: "0640"
    owner: root
    group: games
  no_log: true

- name: A name that stays the same
  golden.fleet.os_file:
    dest: /etc/exam/current
    state: link
    src: exam.key

- name: Nobody's shell history comes along
  golden.fleet.os_file:
    dest: /root/.bash_history
    state: absent
"""

RETURN = r"""
dest:
  description: Its path beneath the root.
  returned: success
  type: str
  sample: /etc/motd
state:
  description: What is there now.
  returned: success
  type: str
  sample: file
mode:
  description: Its permissions. On Linux, of files and folders.
  returned: when there is one
  type: str
  sample: "0644"
owner:
  description: Number of the user that it belongs to. On Linux, of files and folders.
  returned: when there is one
  type: int
  sample: 0
group:
  description: Number of the group that it belongs to. On Linux, of files and folders.
  returned: when there is one
  type: int
  sample: 0
target:
  description: Where the link leads.
  returned: when it is a link
  type: str
  sample: exam.key
acl:
  description: Who may do what, as O(acl). On Windows.
  returned: when it is one of ours
  type: str
  sample: private
"""

import io
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import OS_FILE_SPEC, create_module
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.files import FILE, FileRequest, apply, mode_of
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import open_tree

SPEC = OS_FILE_SPEC


def _source(params: t.Mapping[str, t.Any]) -> t.BinaryIO:
    if params["content"] is not None:
        return io.BytesIO(params["content"].encode())
    try:
        return open(params["src"], "rb")
    except OSError as error:
        raise UsageError(f"{params['src']} cannot be read on this machine: {error.strerror}.") from error


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    request = FileRequest(
        dest=params["dest"],
        state=params["state"],
        source=(lambda: _source(params)) if params["state"] == FILE else None,
        target=params["src"],
        mode=mode_of(params["mode"]),
        owner=params["owner"],
        group=params["group"],
        access=params["acl"],
        secret=params["_secret"],
    )
    return apply(open_tree(params["root"]), request, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
