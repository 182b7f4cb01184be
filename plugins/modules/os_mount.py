#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: os_mount
short_description: Mount the operating system of a deployed disk, so that it can be customized before its first boot
version_added: 0.1.0
description:
  - Finds the only operating system on a disk that is not in use, and mounts all of it in a folder.
  - Of a Linux that is the root filesystem, and what C(/etc/fstab) names on the same disk, by UUID, label or device;
    logical volumes, subvolumes of btrfs and the EFI system partition among it. Of a Windows it is the volume
    that holds it.
  - A Windows that is hibernated, was not shut down, or is marked dirty is refused, and so is a disk on which a
    Linux is hibernated; writing to it would destroy data.
  - Programs, devices and privileges of the deployed system do not count in there, unless O(exec=true). Links of it
    that would lead a mount point out of the folder do not.
  - Usually runs in the boot environment, after M(golden.fleet.image_apply). Unmount it again in any case, in the
    C(always) of a block.
extends_documentation_fragment:
  - golden.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - It looks at the system, for which it is mounted for a moment, read-only.
      - Where an interrupted task has left something that has to be undone first, only RV(disk) and RV(root) are
        returned.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(mounted) mounts it, read-write. What an interrupted task has left is undone first.
      - V(unmounted) undoes everything, from whatever state, and waits until all is on the disk. Nothing to undo is
        no error. Only what this module has mounted is unmounted.
      - V(probed) only returns what V(mounted) would; nothing stays mounted.
    type: str
    choices: [mounted, unmounted, probed]
    default: mounted
  disk:
    description: Which disk is meant, as for M(golden.fleet.image_apply). With O(state=unmounted) it says nothing.
    type: raw
    default: auto
  root:
    description: Where to mount it. The folder is made, or is empty.
    type: path
    default: /run/golden.fleet/os
  partition:
    description:
      - Which operating system is meant, where a disk has several. The error that says so lists them.
      - The number of a partition, or names of a volume group and a logical volume, as V(vg0/root). The name of a
        subvolume may follow, as V(2:@).
    type: str
  exec:
    description:
      - Let programs of the deployed Linux run, with devices and with privileges. It also gets C(/dev), C(/proc) and
        C(/sys) of the running system, for C(chroot).
      - A system from an image that others have made may then do what it likes with this machine.
    type: bool
    default: false
seealso:
  - module: golden.fleet.image_apply
  - module: golden.fleet.deployed_info
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Look what was deployed
  golden.fleet.os_mount:
    disk: auto
    state: probed

- name: Mount it
  golden.fleet.os_mount:
    disk: auto
  register: deployed

- name: Say what it is
  ansible.builtin.debug:
    msg: "{{ deployed.release.name }} is at {{ deployed.root }}"

- name: Unmount it, in the "always" of the block that customizes it
  golden.fleet.os_mount:
    state: unmounted
"""

RETURN = r"""
root:
  description: Where it is mounted, or would be.
  returned: success
  type: str
  sample: /run/golden.fleet/os
disk:
  description: Path of the disk; null if nothing was mounted that could be unmounted.
  returned: success
  type: str
  sample: /dev/nvme0n1
partition:
  description: Where its root filesystem is, as O(partition) would say it.
  returned: O(state) is V(mounted) or V(probed)
  type: str
  sample: "2"
family:
  description: Kind of the operating system, V(linux) or V(windows).
  returned: O(state) is V(mounted) or V(probed)
  type: str
  sample: linux
release:
  description: What its C(os-release) says; empty for Windows.
  returned: O(state) is V(mounted) or V(probed)
  type: dict
  sample: {id: debian, version: "12", name: Debian GNU/Linux 12 (bookworm)}
windows:
  description:
    - What the registry of a Windows says of it; null for Linux.
    - RV(windows.generalized) tells whether it was prepared by Sysprep, so that it will be set up at its first boot.
    - RV(windows.registry) says why the registry cannot be read, and is null where it can.
  returned: O(state) is V(mounted) or V(probed)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: success
    edition:
      description: Its edition.
      type: str
      returned: success
    version:
      description: Its version, as people say it.
      type: str
      returned: success
    build:
      description: Its build, with that of its updates.
      type: str
      returned: success
    architecture:
      description: The processors it is for, as answer files have it.
      type: str
      returned: success
    hostname:
      description: Its computer name.
      type: str
      returned: success
    generalized:
      description: Whether it was prepared by Sysprep.
      type: bool
      returned: success
    fast_startup:
      description: Whether it hibernates when it is shut down.
      type: bool
      returned: success
    registry:
      description: Why nothing is known; null where all is well.
      type: str
      returned: success
  sample:
    name: Windows 11 Pro
    edition: Professional
    version: 23H2
    build: "22631.4460"
    architecture: amd64
    hostname: REFERENCE
    generalized: true
    fast_startup: false
    registry: null
firmware:
  description: The kinds of firmware, V(uefi) and V(bios), that the disk can be booted by; empty if that cannot be told.
  returned: O(state) is V(mounted) or V(probed)
  type: list
  elements: str
  sample: [uefi]
objection:
  description: Why it must not be mounted read-write, and what to do about it; null if there is no reason.
  returned: O(state) is V(mounted) or V(probed)
  type: str
  sample: null
mounts:
  description: What is mounted, each where the deployed system has it.
  returned: O(state) is V(mounted) or V(probed)
  type: list
  elements: dict
  contains:
    path:
      description: Where the deployed system has it.
      type: str
      returned: success
    source:
      description: Number of the partition, or names of volume group and logical volume.
      type: str
      returned: success
    type:
      description: Kind of the filesystem.
      type: str
      returned: success
    subvolume:
      description: Of a btrfs, as an option of C(mount); null for the default one.
      type: str
      returned: success
  sample:
    - {path: /, source: vg0/root, type: ext4, subvolume: null}
    - {path: /boot, source: "2", type: ext4, subvolume: null}
    - {path: /boot/efi, source: "1", type: vfat, subvolume: null}
skipped:
  description: What its C(/etc/fstab) names that is not mounted, and why.
  returned: O(state) is V(mounted) or V(probed)
  type: list
  elements: dict
  contains:
    path:
      description: Where the deployed system has it.
      type: str
      returned: success
    source:
      description: What its C(/etc/fstab) calls it.
      type: str
      returned: success
    reason:
      description: Why it is not mounted.
      type: str
      returned: success
  sample:
    - path: /srv
      source: LABEL=archive
      reason: It is on no filesystem of this disk that can be mounted.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import TREE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.deployed import (
    MountRequest,
    ensure_mounted,
    ensure_unmounted,
    probe,
)

SPEC = TREE_SPEC.merge(
    ArgSpec(
        {
            "state": {"type": "str", "choices": ["mounted", "unmounted", "probed"], "default": "mounted"},
            "disk": {"type": "raw", "default": "auto"},
            "partition": {"type": "str"},
            "exec": {"type": "bool", "default": False},
        }
    )
)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    asked = module.params
    if asked["state"] == "unmounted":
        return ensure_unmounted(asked["root"], module.check_mode)
    request = MountRequest(
        parse_hint(asked["disk"]), asked["root"], asked["partition"], asked["exec"], module.check_mode
    )
    return probe(request) if asked["state"] == "probed" else ensure_mounted(request)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
