#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_prune
short_description: Remove old versions of images and free their space
version_added: 0.1.0
description:
  - Removes versions that no rule keeps. A version with a tag is always kept, and so is the newest version of each
    image. Only O(remove) takes the newest.
  - Fails before it removes anything if an image that stays lacks chunks. M(golden.fleet.image_verify) with
    O(golden.fleet.image_verify#module:repair=true) finds them again; if it does not, give that image to O(remove).
  - Then removes packs that no image needs any more, and rewrites packs of which only a small part is in use.
  - Rewrites packs, too, that M(golden.fleet.image_verify) with O(golden.fleet.image_verify#module:repair=true) found
    damaged, unless an image needs a damaged chunk of which there is no other copy.
  - Without O(keep_last), O(keep_within) and O(remove), no version is removed, but space that nobody uses is freed, for
    example what an interrupted capture left behind.
  - A capture that is under way is never broken. Versions are removed at once, but packs stay until a later run (see
    RV(deferred)).
extends_documentation_fragment:
  - golden.fleet.attributes
  - golden.fleet.attributes.actiongroup_store
  - golden.fleet.store
  - golden.fleet.long_work
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  images:
    description:
      - Names of the images to which the rules apply; all by default.
      - It is an error if there is no image of such a name.
    type: list
    elements: str
    default: []
  keep_last:
    description: Keep so many of the newest versions of each image; at least 1.
    type: int
  keep_within:
    description: Keep versions that are not older than this, for example V(90d), and the newest one however old it is.
    type: str
  remove:
    description:
      - Remove these versions (V(name:version)), whatever the rules say.
      - It is an error if one of them has a tag.
    type: list
    elements: str
    default: []
  repack_below:
    description: Rewrite packs of which less than so many percent are in use; with V(0) only damaged ones.
    type: int
    default: 50
  leftovers_after:
    description: What an interrupted capture left is kept so long, so that it can be gone on with.
    type: str
    default: 7d
seealso:
  - module: golden.fleet.image_tag
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Keep the last three versions of every image, and whatever is younger than 90 days or has a tag
  golden.fleet.image_prune:
    store: https://imaging.example/golden
    keep_last: 3
    keep_within: 90d

- name: Take back a capture that went wrong
  golden.fleet.image_prune:
    store: /srv/golden
    remove: ["lab-a:2026.11"]
"""

RETURN = r"""
removed:
  description: The versions that were removed.
  returned: success
  type: list
  elements: str
  sample: ["lab-a:2026.08"]
kept:
  description: The versions that were kept, each with the reasons.
  returned: success
  type: dict
  sample: {"lab-a:2026.11": ["tag stable", "among the last 3"]}
leftovers:
  description: Interrupted captures whose leftovers were removed.
  returned: success
  type: list
  elements: str
  sample: []
packs:
  description: Names of packs that were removed or rewritten, and of those written anew.
  returned: success
  type: dict
  contains:
    removed:
      description: Packs that are gone.
      returned: success
      type: list
      elements: str
      sample: []
    rewritten:
      description:
        - Packs that were little used or damaged. They are among the removed ones too, unless RV(deferred).
        - A damaged pack of which all chunks are in use is replaced under its own name, and not removed.
      returned: success
      type: list
      elements: str
      sample: []
    written:
      description: Packs that hold what was used of those.
      returned: success
      type: list
      elements: str
      sample: []
bytes:
  description: Numbers of bytes - RV(ignore:freed) by removed packs, and RV(ignore:written) into new ones.
  returned: success
  type: dict
  sample: {freed: 1720000000, written: 31000000}
deferred:
  description: Whether packs were left alone because a capture is under way.
  returned: success
  type: bool
  sample: false
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import (
    LONG_WORK_SPEC,
    STORE_SPEC,
    ArgSpec,
    create_module,
)
from ansible_collections.golden.fleet.plugins.module_utils._image.names import check_name, parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.prune import PruneRequest, prune
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Work
from ansible_collections.golden.fleet.plugins.module_utils._module import run_long_work
from ansible_collections.golden.fleet.plugins.module_utils._store.location import location_of, open_store
from ansible_collections.golden.fleet.plugins.module_utils._units import parse_duration

SPEC = ArgSpec(
    {
        "images": {"type": "list", "elements": "str", "default": []},
        "keep_last": {"type": "int"},
        "keep_within": {"type": "str"},
        "remove": {"type": "list", "elements": "str", "default": []},
        "repack_below": {"type": "int", "default": 50},
        "leftovers_after": {"type": "str", "default": "7d"},
    }
).merge(STORE_SPEC, LONG_WORK_SPEC)


def prepare(module: AnsibleModule) -> Work:
    params = module.params
    request = PruneRequest(
        images=tuple(check_name(name) for name in params["images"]),
        keep_last=params["keep_last"],
        keep_within=parse_duration(params["keep_within"]) if params["keep_within"] else None,
        remove=tuple(parse_ref(text) for text in params["remove"]),
        repack_below=params["repack_below"],
        leftovers_after=parse_duration(params["leftovers_after"]),
        check=module.check_mode,
    )
    request.validate()
    store = open_store(location_of(params))
    return Work(lambda progress: prune(store, request, progress), f"store {store.url}")


def main() -> None:
    run_long_work(create_module(SPEC), prepare)


if __name__ == "__main__":
    main()
