#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_first_boot
short_description: Leave commands that a deployed operating system runs once, at its first boot
version_added: 0.1.0
description:
  - The commands run in their order, one at a time, at the next boot of the deployed system, as root or SYSTEM.
  - On Linux they are a unit of systemd, C(golden-first-boot.service), whose output goes to the journal. When the last
    one has succeeded, it takes itself and the commands away, so that no password in one of them stays on the disk. The
    first one that fails is the last.
  - On Linux, what ends a boot in the middle does no harm. A command that was running, or has failed, is run again at
    the next boot, and then those behind it; the ones before it are not. A command that has ended the boot three times
    counts as failed and is not run again, so that none restarts the machine for ever. Use O(reboot) for that.
  - On Linux, C(/etc/ansible/facts.d/golden_first_boot.fact) tells how far it has come, as
    C(ansible_local.golden_first_boot) with C(state) (V(pending), V(running), V(failed) or V(done)), C(total), C(done)
    and C(rc), the exit code.
  - On Windows they run at the end of Setup, or see O(way). One that fails does not keep the others from being run. What
    they say is in C(C:\ProgramData\golden.fleet\first-boot.log), with their exit codes, for administrators.
  - On Linux they wait until M(golden.fleet.os_domain_join) has joined, or has given up, and until the locale of
    M(golden.fleet.os_locale) is there.
  - The module knows of commands that wait, and not of those that were run before. Called again after that boot, it
    leaves them once more.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Tells how many commands there are, and never what they are.
  idempotent:
    support: full
options:
  commands:
    description:
      - On Linux one or more lines each, for C(/bin/sh); on Windows one line each, for C(cmd.exe), as one would type it
        there.
      - They take the place of those that wait already. An empty list takes those away.
      - Files that only root or administrators can read. Nothing shows them; a command should not show its passwords
        either.
    type: list
    elements: str
    required: true
  network:
    description: Wait until the network is up before the first one. For Linux; on a Windows it is up by then.
    type: bool
    default: false
  reboot:
    description: Restart the machine when the last one has succeeded. For Linux.
    type: bool
    default: false
  way:
    description:
      - What runs them. For Windows.
      - With V(setup_complete), C(SetupComplete.cmd), as SYSTEM. Where Windows has an OEM's product key, it leaves that
        out, except for some editions.
      - With V(run_once), the first administrator who logs on, as that user.
    type: str
    choices: [setup_complete, run_once]
    default: setup_complete
seealso:
  - module: golden.fleet.os_mount
  - module: golden.fleet.os_file
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: What only the running system can do
  golden.fleet.os_first_boot:
    commands:
      - hostnamectl set-chassis desktop
      - |
        set -e
        timedatectl set-ntp true
        date >/var/log/imaged

- name: With a password, and the network
  golden.fleet.os_first_boot:
    commands:
      - register-computer --token '{{ vault_token }}'
    network: true
"""

RETURN = r"""
commands:
  description: How many commands wait.
  returned: success
  type: int
  sample: 2
family:
  description: Kind of the operating system, V(linux) or V(windows).
  returned: success
  type: str
  sample: linux
path:
  description: The file that runs them. On Windows.
  returned: on Windows
  type: str
  sample: /Windows/Setup/Scripts/SetupComplete.cmd
unit:
  description: The unit of systemd that runs them. On Linux.
  returned: on Linux
  type: str
  sample: golden-first-boot.service
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import first_boot as linux
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, WINDOWS, open_tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import first_boot as windows

SPEC = ArgSpec(
    {
        "commands": {"type": "list", "elements": "str", "required": True, "no_log": True},
        "network": {"type": "bool", "default": False},
        "reboot": {"type": "bool", "default": False},
        "way": {"type": "str", "choices": ["setup_complete", "run_once"], "default": "setup_complete"},
    }
).merge(TREE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    commands = params["commands"]
    tree = open_tree(params["root"])
    if tree.family == WINDOWS:
        if params["reboot"]:
            tree.need(LINUX, "The option reboot")
        done = windows.apply(tree, commands, module.check_mode, params["way"])
        done = {**done, "commands": len(commands), "diff": _counted(done["diff"])}
    else:
        done = linux.apply(tree, commands, module.check_mode, network=params["network"], reboot=params["reboot"])
    return {"family": tree.family, **done}


def _counted(diff: dict[str, dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """How many lines there are of each kind: they may hold passwords, also those that were there before."""
    return {
        when: {name: value if name == "started_by" else len(value) for name, value in said.items()}
        for when, said in diff.items()
    }


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
