#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_apply
short_description: Bring an image onto a disk
version_added: 0.1.0
description:
  - Compares the disk with the image and fetches and writes only the chunks that differ, so that putting a newer version
    over an older one moves only what has changed, and an interrupted apply goes on where it stopped.
  - Every chunk is verified by its digest before it is written, and read back after.
  - The old partition table is taken away first and the new one is written last, with the GPT's backup at the real end
    of the disk. A disk that is half written does not boot.
  - Needs the programs and libraries that the role P(golden.fleet.tools#role) installs on the machine.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_store
  - golden.fleet.disk
  - golden.fleet.store
  - golden.fleet.long_work
attributes:
  check_mode:
    support: full
    details:
      - Compares the disk with the image and returns the plan; nothing is written.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A disk that holds the image already is left as it is, and nothing is fetched.
options:
  image:
    description:
      - The image, as V(name:version) or V(name:tag), for example V(lab-a:stable).
      - With V(@) and a digest behind it, only an image with exactly this digest is taken.
    type: str
    required: true
  erase:
    description:
      - Whether whatever else the disk holds may be destroyed.
      - Without it, a disk that holds anything but this very image is an error that lists what is there.
      - Anything is what can be seen. A partition table, a filesystem, or data at the disk's ends and in some dozens of
        places between.
      - An apply that was interrupted leaves data without a partition table, which nobody can tell from somebody's data.
        It takes V(true) to go on with it, also where the disk was blank before.
    type: bool
    default: false
  delta:
    description:
      - Whether the disk is compared with the image first, so that only what differs is fetched and written.
      - A disk that is blank, or that holds nothing of the image in a few dozen samples, is written without comparing.
    type: bool
    default: true
  verify:
    description:
      - What is read back from the disk and compared with the image.
      - V(written) reads back every chunk after it was written, V(full) all chunks of the image after all were written,
        V(none) nothing. What is fetched is always verified.
    type: str
    choices: [written, full, none]
    default: written
seealso:
  - module: golden.fleet.image_capture
  - module: golden.fleet.disk_info
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Put the stable image onto the only disk of this machine
  golden.fleet.image_apply:
    disk: auto
    store: https://imaging.example/golden
    image: lab-a:stable
    erase: true
  register: applied

- name: See what would happen to a certain disk
  golden.fleet.image_apply:
    disk:
      model: "Samsung SSD 870*"
      min_size: 240GB
    store: /srv/golden
    image: lab-a:2026.11
    erase: true
  check_mode: true
  diff: true
"""

RETURN = r"""
image:
  description: Name and version of the image.
  returned: success
  type: str
  sample: lab-a:2026.11
digest:
  description: BLAKE3 digest of the image's manifest.
  returned: success
  type: str
  sample: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
disk:
  description: The disk that was chosen, described as by M(golden.fleet.disk_info).
  returned: success
  type: dict
  sample: {path: /dev/sda, size: 500107862016, sector_size: 512, serial: S4EVNX0R, model: Samsung SSD 870}
seconds:
  description: How long it took.
  returned: success
  type: float
  sample: 92.5
plan:
  description: What there was to do, and in check mode what there would be.
  returned: success
  type: dict
  contains:
    holds:
      description: What the disk held, for people. Empty when it was blank.
      returned: success
      type: list
      elements: str
      sample: ["a partition table (gpt)", "partition 1: vfat 'EFI', 536.9 MB"]
    table:
      description: Whether the partition table is kept as it is (V(keep)) or written (V(write)).
      returned: success
      type: str
      sample: write
    chunks:
      description: How many chunks are to be written.
      returned: success
      type: int
      sample: 320
    fetch:
      description: How many bytes are to be fetched from the store.
      returned: success
      type: int
      sample: 110000000
    write:
      description: How many bytes are to be written to the disk.
      returned: success
      type: int
      sample: 335544320
bytes:
  description: Numbers of bytes.
  returned: success
  type: dict
  contains:
    used:
      description: What the image keeps of its disk.
      returned: success
      type: int
      sample: 6120000000
    read:
      description: What was read from the disk to compare it with the image.
      returned: success
      type: int
      sample: 6300000000
    skipped:
      description: What did not have to be written, because it was there already.
      returned: success
      type: int
      sample: 5968000000
    fetched:
      description: What was fetched from the store, compressed.
      returned: success
      type: int
      sample: 110000000
    written:
      description: What was written to the disk.
      returned: success
      type: int
      sample: 335544320
    verified:
      description: What was read back from the disk and found to be as the image says.
      returned: success
      type: int
      sample: 335544320
chunks:
  description: Numbers of chunks - RV(ignore:total), RV(ignore:present) and RV(ignore:written).
  returned: success
  type: dict
  sample: {total: 6012, present: 5692, written: 320}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import (
    DISK_SPEC,
    LONG_WORK_SPEC,
    STORE_SPEC,
    ArgSpec,
    create_module,
)
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint, select
from ansible_collections.golden.fleet.plugins.module_utils._image.apply import ApplyRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Work
from ansible_collections.golden.fleet.plugins.module_utils._module import run_long_work
from ansible_collections.golden.fleet.plugins.module_utils._store.location import location_of, open_store

SPEC = ArgSpec(
    {
        "image": {"type": "str", "required": True},
        "erase": {"type": "bool", "default": False},
        "delta": {"type": "bool", "default": True},
        "verify": {"type": "str", "choices": ["written", "full", "none"], "default": "written"},
    }
).merge(DISK_SPEC, STORE_SPEC, LONG_WORK_SPEC)


def prepare(module: AnsibleModule) -> Work:
    params = module.params
    request = ApplyRequest(
        disk=select(parse_hint(params["disk"])),
        ref=parse_ref(params["image"]),
        erase=params["erase"],
        delta=params["delta"],
        verify=params["verify"],
        check=module.check_mode,
    )
    store = open_store(location_of(params))
    return Work(lambda progress: apply(store, request, progress), f"disk {request.disk.path}")


def main() -> None:
    run_long_work(create_module(SPEC), prepare)


if __name__ == "__main__":
    main()
