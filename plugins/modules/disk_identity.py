#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_identity
short_description: Give a deployed disk ids of its own
version_added: 0.1.0
description:
  - Disks that an image was applied to have the same ids, and that is no harm as long as each is in a computer of its
    own. Two of them in one computer collide. This module gives a disk others, of the disk itself, of its partitions and
    of its filesystems, and changes what names them on this disk.
  - The new ids follow from O(seed) and from the serial of the disk. So another run changes nothing, a run that was
    interrupted is completed by the next one, and a computer that is imaged again gets the same ids again.
  - Changed are the GUIDs of a GPT, the signature of a DOS partition table, and the ids of ext2, ext3, ext4, XFS, btrfs,
    FAT, NTFS and swap.
  - What follows are C(/etc/fstab), C(/etc/crypttab), kernel parameters, configurations of boot loaders on all
    filesystems of the disk, ids inside programs of boot loaders and inside the core image of GRUB for a BIOS, each
    initramfs that has an id in it (its own system makes it anew), and, on the side of Windows, the boot configuration
    (BCD), drive letters, and the place of the recovery environment.
  - A disk with LVM, LUKS, BitLocker, RAID, ZFS, a hibernated system, or a filesystem of another kind is refused before
    anything is changed. So is one with a signed program that names an id, and one whose BCD names partitions that it
    does not have.
  - Usually runs in the boot environment, before M(golden.fleet.os_mount). A firmware knows a boot partition by its id,
    so the boot menu of a computer with UEFI may name the old one; C(EFI/BOOT/BOOTX64.EFI) is found nevertheless, and
    RV(notes) says if there is none.
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
  seed:
    description:
      - What the ids are made of, and what must be another for each computer, such as its name.
      - By default the UUID by which the firmware knows the computer. Where it has none, or one of those that makers of
        boards forget to replace, this is required.
    type: str
notes:
  - A power failure in the very moment in which xfs_admin empties the log of an XFS, which takes milliseconds, can leave
    that one damaged. Apply the image again then, as after any deploy that was interrupted.
  - A core image of GRUB that is changed loses the redundancy by which it repairs what other programs write into its
    place. The next C(grub-install) gives it back.
  - Snapshots of a btrfs keep the ids that they were made with.
seealso:
  - module: golden.fleet.os_identity
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Have no id in common with other computers
  golden.fleet.disk_identity:
    disk: auto
    seed: "{{ inventory_hostname }}"
"""

RETURN = r"""
disk:
  description: Path of the disk.
  returned: success
  type: str
  sample: /dev/nvme0n1
ids:
  description: >-
    All ids of the disk, as they were and as they are now, by what has them: V(table) is the disk itself, V(partition 2)
    and V(filesystem 2) are of its second partition.
  returned: success
  type: dict
  sample:
    filesystem 2: {before: 6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e01, after: 3b430482-c4c1-5e8e-a6d2-d1c0f1d18615}
files:
  description: Files that name old ids and were changed, or made anew, with the filesystem that they are on.
  returned: success
  type: list
  elements: str
  sample: ["partition 2: /etc/fstab", "partition 2: /boot/grub/grub.cfg"]
notes:
  description: What somebody else has to see to.
  returned: success
  type: list
  elements: str
  sample:
    - "partition 1 has no EFI/BOOT/BOOTX64.EFI: a firmware that has been told of this disk finds it no more under its
      new id, and has to be told again."
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import DISK_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.renew import renew

SPEC = ArgSpec({"seed": {"type": "str"}}).merge(DISK_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    return renew(parse_hint(module.params["disk"]), module.params["seed"], module.check_mode)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
