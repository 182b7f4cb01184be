#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_verify
short_description: Check that a store holds what it says it holds
version_added: 0.1.0
description:
  - Reads every pack that the images need and checks each chunk in it against its digest, and each pack against its
    name.
  - Fails when anything is damaged, and says exactly which images that breaks.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_store
  - golden.fleet.store
  - golden.fleet.long_work
attributes:
  check_mode:
    support: full
    details:
      - Repairs nothing and writes nothing down then.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  image:
    description:
      - The image to check, as V(name:version) or V(name:tag).
      - By default all images of the store.
    type: str
  deep:
    description:
      - Whether the content of all chunks is read and checked.
      - If V(false), only that every pack is there and has a valid table of contents.
    type: bool
    default: true
  repair:
    description:
      - Whether C(locations) of images, which say in which packs their chunks lie, are made anew from the packs where
        they are lost or damaged, or lead to lost packs or damaged chunks of which the store has a sound copy.
      - With O(deep), it is also written down in the store which chunks are damaged. A capture does not rely on those,
        but sends them again. The note goes when a pack is found to be sound, or is pruned.
      - So damage heals in three steps. Verify with O(repair=true). Capture the disk again as a new version, which
        sends what is damaged and uses again what is sound. Verify with O(repair=true) once more, which makes the older
        versions use the chunks that were sent. What no disk has any more cannot be healed.
      - A damaged pack of which images still use sound chunks is reported as damaged until M(golden.fleet.image_prune)
        replaces it.
      - Fails if somebody prunes the store, or repairs it, at that moment.
    type: bool
    default: false
seealso:
  - module: golden.fleet.image_prune
  - module: golden.fleet.image_capture
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Check everything in the store, for example every weekend
  golden.fleet.image_verify:
    store: https://imaging.example/golden

- name: See quickly whether an image is complete
  golden.fleet.image_verify:
    store: /srv/golden
    image: lab-a:stable
    deep: false

- name: Note what is damaged, and mend images with what captures have sent since
  golden.fleet.image_verify:
    store: https://imaging.example/golden
    repair: true
"""

RETURN = r"""
ok:
  description: Whether nothing is damaged.
  returned: always
  type: bool
  sample: true
images:
  description: What was found out about each image.
  returned: always
  type: list
  elements: dict
  contains:
    image:
      description: Name and version.
      returned: always
      type: str
      sample: lab-a:2026.11
    ok:
      description: Whether the image can be applied.
      returned: always
      type: bool
      sample: true
    digest:
      description: Digest of the manifest, if it can be read.
      returned: always
      type: str
      sample: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
    problems:
      description: What is wrong with it.
      returned: always
      type: list
      elements: str
      sample: []
    damaged_chunks:
      description: How many of its chunks are lost.
      returned: always
      type: int
      sample: 0
    repaired:
      description: Whether its locations were made anew.
      returned: always
      type: bool
      sample: false
packs:
  description: The damaged packs.
  returned: always
  type: list
  elements: dict
  contains:
    pack:
      description: Its name.
      returned: always
      type: str
      sample: 0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c53f0c9d6f8a
    problem:
      description: What is wrong with it.
      returned: always
      type: str
      sample: 2 of 71 chunks are damaged
    images:
      description: The images that use it. RV(images[].damaged_chunks) says which of them are broken by it.
      returned: always
      type: list
      elements: str
      sample: ["lab-a:2026.11"]
bytes:
  description: Numbers of bytes - RV(ignore:read) from packs.
  returned: always
  type: dict
  sample: {read: 1910000000}
seconds:
  description: How long it took.
  returned: always
  type: float
  sample: 9.1
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import (
    LONG_WORK_SPEC,
    STORE_SPEC,
    ArgSpec,
    create_module,
)
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.verify import VerifyRequest, advice, verify
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Work
from ansible_collections.golden.fleet.plugins.module_utils._module import run_long_work
from ansible_collections.golden.fleet.plugins.module_utils._progress import Progress
from ansible_collections.golden.fleet.plugins.module_utils._store.location import location_of, open_store

SPEC = ArgSpec(
    {
        "image": {"type": "str"},
        "deep": {"type": "bool", "default": True},
        "repair": {"type": "bool", "default": False},
    }
).merge(STORE_SPEC, LONG_WORK_SPEC)


def prepare(module: AnsibleModule) -> Work:
    params = module.params
    request = VerifyRequest(
        ref=parse_ref(params["image"]) if params["image"] else None,
        deep=params["deep"],
        repair=params["repair"] and not module.check_mode,
    )
    store = open_store(location_of(params))

    def work(progress: Progress) -> dict[str, t.Any]:
        found = verify(store, request, progress)
        if not found["ok"]:
            broken = [image["image"] for image in found["images"] if not image["ok"]]
            raise ImageDamaged(
                f"{store.url} is damaged. Broken images: {', '.join(broken) or 'none'}. "
                f"Damaged packs: {len(found['packs'])}. See images and packs in this result. "
                f"{advice(bool(broken), request)}",
                **found,
            )
        return found

    return Work(work)


def main() -> None:
    run_long_work(create_module(SPEC), prepare)


if __name__ == "__main__":
    main()
