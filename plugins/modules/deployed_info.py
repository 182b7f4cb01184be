#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployed_info
short_description: Show which operating system lies on a disk, and which image it is from
version_added: 0.1.0
description:
  - Finds the only operating system on a disk that is not in use, and the marker that
    M(golden.fleet.deployed_marker) has left there.
  - Usually runs in the boot environment. The filesystem is mounted for a moment, read-only.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.info_module
  - golden.fleet.disk
seealso:
  - module: golden.fleet.deployed_marker
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Look which image this machine has
  golden.fleet.deployed_info:
    disk: auto
  register: deployed
"""

RETURN = r"""
marker:
  description: The marker as M(golden.fleet.deployed_marker) returns it; null if there is none that makes sense.
  returned: success
  type: dict
  sample:
    image: lab-a:2026.11
    digest: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
    deploy: 5f0c9d6f8a0d1b7f
    at: "2026-11-01T12:00:00Z"
disk:
  description: Path of the disk.
  returned: success
  type: str
  sample: /dev/nvme0n1
family:
  description: Kind of the operating system on it, V(linux) or V(windows).
  returned: success
  type: str
  sample: linux
release:
  description: What its C(os-release) says; empty for Windows.
  returned: success
  type: dict
  sample: {id: debian, version: "12", name: Debian GNU/Linux 12 (bookworm)}
path:
  description: Where the marker is, as the deployed system sees it.
  returned: success
  type: str
  sample: /etc/ansible/facts.d/golden.fact
ssh_host_keys:
  description: Public SSH host keys of the deployed Linux, as C(known_hosts) has them.
  returned: success
  type: list
  elements: str
  sample: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import DISK_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint, select
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.marker import deployed_info

SPEC = ArgSpec().merge(DISK_SPEC)


def look(module: AnsibleModule) -> dict[str, t.Any]:
    return deployed_info(select(parse_hint(module.params["disk"])))


def main() -> None:
    run_verb(create_module(SPEC), look)


if __name__ == "__main__":
    main()
