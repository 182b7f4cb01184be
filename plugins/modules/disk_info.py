#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_info
short_description: Show the disks of a machine
version_added: 0.1.0
description:
  - Returns the facts by which M(golden.fleet.image_capture) and M(golden.fleet.image_apply) choose a disk, and
    for each disk whether it may be chosen.
  - Nothing is written to any disk.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.info_module
options:
  disk:
    description:
      - Return only the disks that this fits, whether they may be chosen or not. All disks by default.
      - The values are those of O(golden.fleet.image_apply#module:disk).
    type: raw
  contents:
    description:
      - Also look what each disk holds, as RV(disks[].contents). This reads a few MiB from each disk.
    type: bool
    default: false
author:
  - golden.fleet contributors (@golden-fleet)
seealso:
  - module: golden.fleet.image_capture
  - module: golden.fleet.image_apply
"""

EXAMPLES = r"""
- name: Look at the disks of this machine
  golden.fleet.disk_info:
  register: here

- name: Show those that an image could be applied to
  ansible.builtin.debug:
    msg: "{{ here.disks | selectattr('eligible') | map(attribute='path') }}"

- name: See what is on all disks of at least 200 GB
  golden.fleet.disk_info:
    disk:
      min_size: 200GB
    contents: true
"""

RETURN = r"""
disks:
  description:
    - The disks, ordered by path. Sizes are bytes.
  returned: success
  type: list
  elements: dict
  sample:
    - path: /dev/nvme0n1
      size: 512110190592
      sector_size: 512
      physical_sector_size: 4096
      kind: disk
      serial: S4EVNX0R123456
      wwn: eui.002538d521b00ab1
      model: SAMSUNG MZVLB512HBJQ-000L7
      vendor: null
      transport: nvme
      rotational: false
      removable: false
      read_only: false
      links:
        - /dev/disk/by-path/pci-0000:02:00.0-nvme-1
      in_use: []
      device: "259:0#7"
      eligible: true
      reasons: []
      contents:
        - a partition table (gpt)
        - "partition 1: vfat 'EFI', 536.9 MB"
        - "partition 2: ext4, 511.6 GB"
  contains:
    path:
      description: Where the disk is now. It may be elsewhere after the next boot.
      type: str
    size:
      description: Bytes.
      type: int
    sector_size:
      description: Bytes of a logical sector. An image fits only disks with the same.
      type: int
    physical_sector_size:
      description: Bytes of a physical sector.
      type: int
    kind:
      description:
        - V(disk), or V(mpath) for multipath, V(raid) for Linux software RAID, V(loop), V(file), V(virtual)
          for network block devices and the like.
      type: str
    serial:
      description: What the maker, or the hypervisor, calls this very disk.
      type: str
    wwn:
      description: World wide name.
      type: str
    model:
      description: What the maker calls disks like this.
      type: str
    vendor:
      description: Who made it, where the disk tells.
      type: str
    transport:
      description: How it is connected, such as V(sata), V(nvme), V(sas), V(usb), V(virtio), V(mmc).
      type: str
    rotational:
      description: Whether it turns; virtual disks often say so too. V(null) for plain files.
      type: bool
    removable:
      description: Whether it, or its medium, can be taken out.
      type: bool
    read_only:
      description: Whether it cannot be written.
      type: bool
    links:
      description: Its names in C(/dev/disk/by-path) and C(/dev/disk/by-id).
      type: list
      elements: str
    in_use:
      description: Why it is not free, a sentence for each reason.
      type: list
      elements: str
    device:
      description: What tells this disk from another that comes later in its place, until the machine boots again.
      type: str
    eligible:
      description: Whether a task with this O(disk) may choose it.
      type: bool
    reasons:
      description: Why it is not eligible, a sentence for each reason.
      type: list
      elements: str
    contents:
      description:
        - What it holds, a line each. A disk that cannot be read says so.
        - Empty if nothing can be seen, which is no partition table, no filesystem, and only zeros at the disk's ends
          and in some dozens of places between.
      returned: if O(contents=true)
      type: list
      elements: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._disk.info import disk_info
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb

SPEC = ArgSpec({"disk": {"type": "raw"}, "contents": {"type": "bool", "default": False}})


def look(module: AnsibleModule) -> dict[str, t.Any]:
    return disk_info(parse_hint(module.params["disk"] or "auto"), module.params["contents"])


def main() -> None:
    run_verb(create_module(SPEC), look)


if __name__ == "__main__":
    main()
