#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_capture
short_description: Capture a disk as an image into a store
version_added: 0.1.0
description:
  - Reads every byte that a filesystem on the disk uses, and whatever else a computer needs to boot from it, and
    puts it into a store as one version of an image. Nothing on the disk is changed.
  - Chunks of the disk that the store knows already, from any version of the same image or from the images in
    O(dedupe_from), are neither compressed nor sent again.
  - The image becomes visible in the store all at once, at the very end. A capture that was interrupted leaves
    nothing visible, and the next attempt goes on with what had been stored.
  - Its tags are set right after that. Where that was interrupted, the error of the next attempt names those that are
    missing; M(golden.fleet.image_tag) sets them.
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
      - Reads the structure of the disk and says how much would be captured, but not how much of it the store has.
  diff_mode:
    support: full
  idempotent:
    support: none
    details:
      - An image never changes. Capturing a version that exists already is an error.
options:
  image:
    description:
      - Name of the image, for example V(lab-a).
      - At most 64 of C(a-z), C(0-9), C(.), C(_) and C(-), beginning and ending with a letter or digit.
    type: str
    required: true
  version:
    description:
      - The version that this capture becomes, for example V(2026.11). It must not exist yet.
      - At most 64 letters, digits, C(.), C(_), C(+) and C(-), beginning and ending with a letter or digit.
    type: str
    required: true
  tags:
    description: Tags that are set to this version when it is complete, for example V(stable).
    type: list
    elements: str
    default: []
  dedupe_from:
    description: Names of other images in the store whose chunks need not be stored again.
    type: list
    elements: str
    default: []
  compression_level:
    description:
      - Level of zstd, from 1 (fastest) to 19 (smallest).
      - High levels need more memory for each thread, so fewer threads are used then.
    type: int
    default: 3
  chunk_size:
    description:
      - Size of a chunk, a power of two from V(64KiB) to V(16MiB).
      - By default that of the newest version of this image, or else V(2MiB); more for an image that keeps over 2 TiB.
      - Two images share chunks only if their chunk sizes are the same.
    type: str
  unreadable_filesystems:
    description:
      - What to do with a filesystem that cannot be captured by its used blocks, because it is damaged, was not
        unmounted cleanly, is hibernated or locked by BitLocker.
      - V(fail) ends with an error that says what to do about it.
      - V(raw) captures every byte of its partition, in the state it is in. The image says so.
    type: str
    choices: [fail, raw]
    default: fail
seealso:
  - module: golden.fleet.image_apply
  - module: golden.fleet.image_info
  - module: golden.fleet.image_tag
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Capture the reference computer, booted from another disk or from the network
  golden.fleet.image_capture:
    disk:
      serial: S4EVNX0R
    store: https://imaging.example/golden
    image: lab-a
    version: "2026.11"
    tags: [stable]

- name: Capture the only disk of this machine, sharing chunks with another image
  golden.fleet.image_capture:
    disk: auto
    store: /srv/golden
    image: office
    version: "1"
    dedupe_from: [lab-a]
  register: captured

- name: Say how much that was
  ansible.builtin.debug:
    msg: "{{ captured.bytes.stored }} bytes are new in the store"
"""

RETURN = r"""
image:
  description: Name and version of the image.
  returned: success
  type: str
  sample: lab-a:2026.11
digest:
  description: BLAKE3 digest of the image's manifest, which names everything in the image.
  returned: success, not in check mode
  type: str
  sample: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
tags:
  description: The tags that were set.
  returned: success, not in check mode
  type: list
  elements: str
  sample: [stable]
missing_tags:
  description: Tags in O(tags) that do not point to this version, although it is complete in the store.
  returned: failure, because the version exists already or its tags could not be set
  type: list
  elements: str
  sample: [stable]
disk:
  description: The disk that was chosen, described as by M(golden.fleet.disk_info).
  returned: success
  type: dict
  sample: {path: /dev/sda, size: 500107862016, sector_size: 512, serial: S4EVNX0R, model: Samsung SSD 870}
seconds:
  description: How long it took.
  returned: success, not in check mode
  type: float
  sample: 92.5
bytes:
  description: Numbers of bytes.
  returned: success
  type: dict
  contains:
    used:
      description: What the image keeps of the disk.
      returned: success
      type: int
      sample: 6120000000
    read:
      description: What was, or would be, read from the disk.
      returned: success
      type: int
      sample: 6300000000
    known:
      description: What of it the store had already, or twice.
      returned: success, not in check mode
      type: int
      sample: 5900000000
    stored:
      description: What was added to the store, compressed.
      returned: success, not in check mode
      type: int
      sample: 110000000
chunks:
  description: Numbers of chunks - RV(ignore:total), RV(ignore:new), RV(ignore:known) and RV(ignore:zero).
  returned: success
  type: dict
  sample: {total: 6012, new: 320, known: 5690, zero: 2}
packs:
  description: Names of the packs that were added to the store.
  returned: success, not in check mode
  type: list
  elements: str
  sample: [0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c53f0c9d6f8a]
notes:
  description: What is worth knowing about this image, for example a partition that was captured whole.
  returned: success, not in check mode
  type: list
  elements: str
  sample: ["partition 3: nothing known, captured whole"]
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
from ansible_collections.golden.fleet.plugins.module_utils._image.capture import CaptureRequest, capture
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Work
from ansible_collections.golden.fleet.plugins.module_utils._module import run_long_work
from ansible_collections.golden.fleet.plugins.module_utils._store.location import location_of, open_store
from ansible_collections.golden.fleet.plugins.module_utils._units import parse_size

SPEC = ArgSpec(
    {
        "image": {"type": "str", "required": True},
        "version": {"type": "str", "required": True},
        "tags": {"type": "list", "elements": "str", "default": []},
        "dedupe_from": {"type": "list", "elements": "str", "default": []},
        "compression_level": {"type": "int", "default": 3},
        "chunk_size": {"type": "str"},
        "unreadable_filesystems": {"type": "str", "choices": ["fail", "raw"], "default": "fail"},
    }
).merge(DISK_SPEC, STORE_SPEC, LONG_WORK_SPEC)


def prepare(module: AnsibleModule) -> Work:
    params = module.params
    request = CaptureRequest(
        disk=select(parse_hint(params["disk"])),
        ref=ImageRef(params["image"], params["version"]),
        tags=tuple(params["tags"]),
        dedupe_from=tuple(params["dedupe_from"]),
        level=params["compression_level"],
        chunk_size=parse_size(params["chunk_size"]) if params["chunk_size"] else None,
        unreadable=params["unreadable_filesystems"],
        check=module.check_mode,
    )
    request.validate()
    store = open_store(location_of(params))
    return Work(lambda progress: capture(store, request, progress), f"disk {request.disk.path}")


def main() -> None:
    run_long_work(create_module(SPEC), prepare, collect=True)


if __name__ == "__main__":
    main()
