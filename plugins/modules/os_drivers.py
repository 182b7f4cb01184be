#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_drivers
short_description: Bring drivers for this model of a machine into a deployed operating system
version_added: 0.1.0
description:
  - Looks at vendor and model of the machine that it runs on, as its firmware tells them, and takes the folder of
    drivers that is meant for it.
  - On a Windows, all that is in the folder is laid into the tree. At the end of Setup, C(pnputil) installs every driver
    package there, and the files are removed.
  - On a Linux, what is in C(firmware) of the folder comes into C(/lib/firmware); kernel modules (C(.ko)) come to the
    kernel that they were built for; packages (C(.deb), C(.rpm)) are installed by the system's own tools, without a
    network, so with all that they need in the same folder. Then the initramfs is made anew.
  - For packages, kernel modules, and the initramfs, M(golden.fleet.os_mount) must have mounted it with its option
    C(exec).
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.tree
attributes:
  check_mode:
    support: full
    details:
      - The folder is sent to the machine all the same, to be compared.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - On a Windows that has not booted yet. One that has booted has removed the files.
options:
  drivers:
    description:
      - Folders of drivers, each under the name of what it is for, as V(Dell Inc./OptiPlex 7010). That is vendor and
        model, C(/sys/class/dmi/id/sys_vendor) and C(product_name); or, because some vendors put the name of the model
        there, C(product_version), as in V(LENOVO/ThinkPad T14 Gen 3).
      - V(*), V(?) and V([…]) stand for other characters, as in a shell. Upper and lower case, and how many spaces there
        are, do not matter.
      - A name without them that fits is taken before one with them; of several that fit, the first one.
      - A folder is looked for on the controller where M(ansible.builtin.copy) looks.
    type: dict
    required: true
  no_match:
    description: What to do where no name fits.
    type: str
    choices: [skip, fail]
    default: skip
  remote_src:
    description:
      - Whether the folders are on the machine already, such as in a mounted share.
      - Otherwise the one that is taken is sent there, as one file. Until it is in the tree, that needs twice its size
        of the machine's memory.
    type: bool
    default: false
  _only_match:
    description: Internal. The action plugin of this module asks which folder is needed.
    type: bool
    default: false
  _bundle:
    description: Internal. The file in which the action plugin has sent the folder.
    type: path
seealso:
  - module: golden.fleet.os_mount
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Drivers for the models of this lab
  golden.fleet.os_drivers:
    drivers:
      Dell Inc./OptiPlex 7010: drivers/optiplex-7010
      LENOVO/ThinkPad T14*: drivers/thinkpad-t14
      "*/*": drivers/common
    no_match: fail
"""

RETURN = r"""
vendor:
  description: Who made the machine.
  returned: success
  type: str
  sample: Dell Inc.
model:
  description: What its vendor calls it.
  returned: success
  type: str
  sample: OptiPlex 7010
match:
  description: The name in O(drivers) that fits; null where none does.
  returned: success
  type: str
  sample: Dell Inc./OptiPlex 7010
drivers:
  description:
    - What the deployed system has, or will have, of the folder. Of a Windows the C(.inf) files; of a Linux the
      packages, and the paths of firmware and kernel modules.
  returned: when a name fits
  type: list
  elements: str
  sample: [net/e1d.inf]
msg:
  description: Which machine there are no drivers for.
  returned: when no name fits
  type: str
  sample: There are no drivers for QEMU/Standard PC.
"""

import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import OS_DRIVERS_SPEC, create_module
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.bundle import unpack
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import drivers as linux
from ansible_collections.golden.fleet.plugins.module_utils._os.models import choose, this_model
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS, open_tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import drivers as windows

SPEC = OS_DRIVERS_SPEC


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    machine = this_model()
    match = choose(params["drivers"], machine)
    found = {"changed": False, "vendor": machine.vendor, "model": machine.model, "match": match}
    if match is None:
        text = f"There are no drivers for {machine.vendor or 'a machine without vendor'}/{machine.model}."
        if params["no_match"] == "fail":
            raise OsError(text, **found)
        return {**found, "msg": text}
    if params["_only_match"]:
        return found
    if params["_bundle"] is None:
        return {**found, **_apply(module, params["drivers"][match])}
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as folder:
        unpack(params["_bundle"], folder)
        os.unlink(params["_bundle"])
        return {**found, **_apply(module, folder)}


def _apply(module: AnsibleModule, folder: str) -> dict[str, t.Any]:
    tree = open_tree(module.params["root"])
    room = windows if tree.family == WINDOWS else linux
    return room.apply(tree, folder, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
