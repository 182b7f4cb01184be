#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: List the images in a store
version_added: 0.1.0
description:
  - Returns what the manifests in a store say about its images.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_store
  - golden.fleet.attributes.info_module
  - golden.fleet.store
options:
  image:
    description:
      - Only this image, as V(name) with all its versions, or V(name:version) or V(name:tag).
      - A version or tag that does not exist is an error; a name without versions gives an empty list.
    type: str
seealso:
  - module: golden.fleet.image_verify
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Which versions are there?
  golden.fleet.image_info:
    store: https://imaging.example/golden
    image: lab-a
  register: found

- name: Show them
  ansible.builtin.debug:
    msg: "{{ found.images | map(attribute='image') | list }}"
"""

RETURN = r"""
images:
  description: The images; of each name the newest version first.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: Name and version.
      returned: always
      type: str
      sample: lab-a:2026.11
    name:
      description: Its name.
      returned: always
      type: str
      sample: lab-a
    version:
      description: Its version.
      returned: always
      type: str
      sample: "2026.11"
    problem:
      description: Why nothing more can be said; only for an image whose manifest is damaged.
      returned: when the manifest cannot be read
      type: str
      sample: The manifest of image lab-a:2026.11 is damaged.
    tags:
      description: Its tags.
      returned: when the manifest can be read
      type: list
      elements: str
      sample: [stable]
    digest:
      description: BLAKE3 digest of the manifest.
      returned: when the manifest can be read
      type: str
      sample: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
    created:
      description: When it was captured, in UTC.
      returned: when the manifest can be read
      type: str
      sample: "2026-11-22T09:30:00Z"
    disk_size:
      description: Size of the captured disk in bytes.
      returned: when the manifest can be read
      type: int
      sample: 500107862016
    needed_size:
      description: Size in bytes that a disk must have at least.
      returned: when the manifest can be read
      type: int
      sample: 256060514304
    sector_size:
      description: Size of the disk's logical sectors in bytes.
      returned: when the manifest can be read
      type: int
      sample: 512
    used:
      description: How many bytes of the disk the image keeps.
      returned: when the manifest can be read
      type: int
      sample: 6120000000
    stored:
      description: How many bytes its chunks have in the store, compressed. Images share chunks.
      returned: when the manifest can be read
      type: int
      sample: 1910000000
    chunk_size:
      description: Size of its chunks in bytes.
      returned: when the manifest can be read
      type: int
      sample: 1048576
    table:
      description: The partition table; V(null) for a disk that is a single filesystem.
      returned: when the manifest can be read
      type: dict
      sample: {label: gpt, id: 6D3B6B3C-2F0D-4F57-8C6B-0F3B0D9A7E11, sector_size: 512, length: 128, partitions: []}
    volumes:
      description: What lies in each partition.
      returned: when the manifest can be read
      type: list
      elements: dict
      sample:
        - {partition: 1, type: ext4, label: root, size: 255000000000, used: 6100000000, method: partclone}
    firmware:
      description:
        - Which kinds of firmware find a boot loader on it, V(uefi), V(bios) or both. Empty where that cannot be told.
      returned: when the manifest can be read
      type: list
      elements: str
      sample: [uefi]
    os:
      description: The operating systems that were found on ext2/3/4 and NTFS filesystems.
      returned: when the manifest can be read
      type: list
      elements: dict
      sample:
        - {partition: 1, family: linux, id: debian, version: "12", name: Debian GNU/Linux 12 (bookworm)}
    source:
      description: The computer and disk it was captured from.
      returned: when the manifest can be read
      type: dict
      sample: {hostname: ref-pc, firmware: uefi}
    tools:
      description: Versions of the programs and libraries that captured it.
      returned: when the manifest can be read
      type: dict
      sample: {partclone: v0.3.23}
    notes:
      description: What is worth knowing about it.
      returned: when the manifest can be read
      type: list
      elements: str
      sample: []
captures:
  description: Captures that are under way or were interrupted.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: What is being captured.
      returned: always
      type: str
      sample: lab-a:2026.12
    name:
      description: Name of the image.
      returned: always
      type: str
      sample: lab-a
    host:
      description: Who is, or was, capturing it.
      returned: always
      type: str
      sample: ref-pc
    running:
      description: Whether it is under way.
      returned: always
      type: bool
      sample: true
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import STORE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._image.info import info
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._store.location import location_of, open_store

SPEC = ArgSpec({"image": {"type": "str"}}).merge(STORE_SPEC)


def look(module: AnsibleModule) -> dict[str, t.Any]:
    return {"changed": False, **info(open_store(location_of(module.params)), module.params["image"])}


def main() -> None:
    run_verb(create_module(SPEC), look)


if __name__ == "__main__":
    main()
