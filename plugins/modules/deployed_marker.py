#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployed_marker
short_description: Leave a note beside a deployed operating system that says which image it is from
version_added: 0.1.0
description:
  - Writes a small file into the only operating system on a disk that is not in use. After the next boot it proves
    that the machine runs what was deployed, and not what was there before.
  - On Linux it is C(/etc/ansible/facts.d/golden.fact), so that C(ansible_local.golden) has it, too. On Windows it is
    C(C:\ProgramData\golden.fleet\golden.fact).
  - Usually runs in the boot environment, right after M(golden.fleet.image_apply); and before
    M(golden.fleet.image_capture) with O(state=absent), so that no image brings along what was said of another.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.disk
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description: Whether there shall be a marker. With V(present), the other options are required.
    type: str
    choices: [present, absent]
    default: present
  image:
    description: Name and version of the image, RV(golden.fleet.image_apply#module:image).
    type: str
  digest:
    description: Its digest, RV(golden.fleet.image_apply#module:digest).
    type: str
  deploy:
    description: A name for this one deploy, such as the id of the entry that M(golden.fleet.pxe_reboot) returns.
    type: str
  at:
    description: When it was deployed, in UTC, as V(2026-11-01T12:00:00Z).
    type: str
seealso:
  - module: golden.fleet.deployed_info
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Take it away from a computer that is to be captured
  golden.fleet.deployed_marker:
    disk: auto
    state: absent

- name: Leave a note about what was applied
  golden.fleet.deployed_marker:
    disk: "{{ {'path': applied.disk.path} }}"
    image: "{{ applied.image }}"
    digest: "{{ applied.digest }}"
    deploy: "{{ boot.entry.id }}"
    at: "{{ now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ') }}"
"""

RETURN = r"""
marker:
  description: The marker; null if there is none any more.
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
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.marker import mark, marker_of

_FIELDS = ("image", "digest", "deploy", "at")
SPEC = ArgSpec(
    {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        **{name: {"type": "str"} for name in _FIELDS},
    },
    required_if=(("state", "present", _FIELDS),),
).merge(DISK_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    try:
        marker = marker_of(module.params) if module.params["state"] == "present" else None
    except ValueError as error:
        raise UsageError(f"This cannot be a marker: {error}.") from error
    return mark(select(parse_hint(module.params["disk"])), marker, module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
