#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_tag
short_description: Set, move and remove tags of images
version_added: 0.1.0
description:
  - A tag is a movable name for a version of an image, for example V(stable). A version with a tag is never pruned.
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_store
  - golden.fleet.store
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  image:
    description:
      - The image that gets the tags, as V(name:version) or V(name:tag).
      - For O(state=absent) its name is enough; a version is ignored.
    type: str
    required: true
  tags:
    description: Names of the tags. None of them may be the name of a version.
    type: list
    elements: str
    required: true
  state:
    description: Whether the tags point to this image, or are gone.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: golden.fleet.image_info
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Release a version to everybody
  golden.fleet.image_tag:
    store: https://imaging.example/golden
    image: lab-a:2026.11
    tags: [stable]

- name: Make what is in testing now stable
  golden.fleet.image_tag:
    store: https://imaging.example/golden
    image: lab-a:testing
    tags: [stable]

- name: Remove a tag
  golden.fleet.image_tag:
    store: https://imaging.example/golden
    image: lab-a
    tags: [testing]
    state: absent
"""

RETURN = r"""
image:
  description: Name and version of the image; only the name for O(state=absent).
  returned: success
  type: str
  sample: lab-a:2026.11
digest:
  description: BLAKE3 digest of the image's manifest.
  returned: success, when O(state=present)
  type: str
  sample: 3f0c9d6f8a0d1b7f5f2c6f0e9c3a4f1f8c8d8a5c1a2b3c4d5e6f708192a3b4c5
tags:
  description: All tags of this image's name, each with its version, as they are now.
  returned: success
  type: dict
  sample: {stable: "2026.11"}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import STORE_SPEC, ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef, check_name, parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.tag import TagRequest, tag
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb
from ansible_collections.golden.fleet.plugins.module_utils._store.location import location_of, open_store

SPEC = ArgSpec(
    {
        "image": {"type": "str", "required": True},
        "tags": {"type": "list", "elements": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
).merge(STORE_SPEC)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    present = params["state"] == "present"
    ref = parse_ref(params["image"]) if present else ImageRef(check_name(params["image"].partition(":")[0]), "")
    request = TagRequest(ref, tuple(params["tags"]), present, module.check_mode)
    return tag(open_store(location_of(params)), request)


def main() -> None:
    run_verb(create_module(SPEC), work)


if __name__ == "__main__":
    main()
