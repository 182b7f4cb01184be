#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All of it is the action plugin of the same name.
from __future__ import annotations

DOCUMENTATION = r"""
module: wait_for_system
short_description: Wait until a machine runs its own system, and prove that it is the right one
version_added: 0.1.0
description:
  - Asks a machine over the host's own connection, SSH or WinRM, until it shows the marker of what was deployed, or at
    least is not the boot environment any more.
  - M(ansible.builtin.wait_for_connection) is content with whatever answers, such as the system that is about to go
    down. This is not.
  - A Windows may let Ansible in while its setup is at work, which restarts it then. So it is waited for until it says
    that its setup is done.
  - Nothing is needed on the machine, not even Python.
extends_documentation_fragment:
  - golden.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - There is nothing to wait for, so nothing is done.
  diff_mode:
    support: N/A
    details:
      - This changes nothing.
  idempotent:
    support: full
  platform:
    platforms: linux, windows
options:
  timeout:
    description: How long to wait.
    type: str
    default: 15m
  digest:
    description: Digest that the marker of the machine must have, see M(golden.fleet.deployed_marker).
    type: str
  deploy:
    description: Name of the deploy that the marker of the machine must have.
    type: str
  old_boot_id:
    description:
      - What RV(boot_id) was before the reboot; of a Linux, what C(/proc/sys/kernel/random/boot_id) had. As long as the
        machine shows the same, it has not restarted.
    type: str
seealso:
  - module: golden.fleet.deployed_marker
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Wait until the machine has booted what was deployed
  golden.fleet.wait_for_system:
    digest: "{{ applied.digest }}"
    deploy: "{{ boot.entry.id }}"
"""

RETURN = r"""
boot_id:
  description: Names this boot; of a Windows, it is when it started, as a C(FILETIME).
  returned: success
  type: str
  sample: 2bd5f8c1-5d0f-4a3c-9c39-0f4b7d3b1f77
setup:
  description: How far the setup of a Windows is, as its registry says in C(ImageState); null for Linux.
  returned: success
  type: str
  sample: IMAGE_STATE_COMPLETE
marker:
  description: The marker that the machine shows; null if it has none.
  returned: success
  type: dict
  sample:
    image: lab-a:2026.11
    digest: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
    deploy: 5f0c9d6f8a0d1b7f
    at: "2026-11-01T12:00:00Z"
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 34.2
"""
