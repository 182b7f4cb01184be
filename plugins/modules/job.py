#!/usr/bin/python
# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Follow or cancel long work on a machine
version_added: 0.1.0
description:
  - M(golden.fleet.image_capture), M(golden.fleet.image_apply) and other modules that take minutes leave their
    work to a process of its own on the machine, a I(job). Their action plugins use this module to follow it.
  - People need it seldom. When the controller dies in the middle, running the same task again attaches to the
    job that it left behind. To get rid of that job instead, cancel it with this module. Its id is in the
    error message that any other task on the same disk gives.
extends_documentation_fragment:
  - golden.fleet.attributes
attributes:
  check_mode:
    support: full
    details:
      - In check mode only a job that was itself begun in check mode is really cancelled.
  diff_mode:
    support: N/A
    details:
      - There is nothing to compare.
  idempotent:
    support: full
options:
  id:
    description: Which job.
    type: str
    required: true
  operation:
    description:
      - V(poll) says where the job stands.
      - V(cancel) asks it to stop, waits until it has cleaned up, and kills it if it does not. A job that has
        ended already stays as it ended.
    type: str
    choices: [poll, cancel]
    default: poll
  seen:
    description: How many notes are known already and need not be returned again.
    type: int
    default: 0
seealso:
  - module: golden.fleet.image_capture
  - module: golden.fleet.image_apply
author:
  - golden.fleet contributors (@golden-fleet)
"""

EXAMPLES = r"""
- name: Stop the work that a dead controller has left behind
  golden.fleet.job:
    id: 0c5f3b0fd2a94a6f9e3a2ad1f5d5b8a1
    operation: cancel
"""

RETURN = r"""
job:
  description: Where the job stands.
  returned: success
  type: dict
  contains:
    id:
      description: The job.
      type: str
      returned: success
      sample: 0c5f3b0fd2a94a6f9e3a2ad1f5d5b8a1
    state:
      description:
        - One of V(running), V(done), V(failed), V(cancelled) and V(lost).
        - V(lost) means that the process is gone and has left no result.
      type: str
      returned: success
      sample: running
    attached:
      description: Only of use to action plugins; here it is always V(false).
      type: bool
      returned: success
      sample: false
    progress:
      description: The phase that the job is in; empty before the first.
      type: dict
      returned: success
      sample:
        number: 2
        phase: writing
        done: 1204000000
        total: 2800000000
        rate: 210000000
        remaining: 7.6
    notes:
      description: What a person should know, in order, without the first O(seen) ones.
      type: list
      elements: str
      returned: success
      sample: ["partition 3 has no filesystem that partclone knows and is taken whole"]
    result:
      description: What the module would have returned; V(null) while the job is running.
      type: dict
      returned: success
      sample: null
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import ArgSpec, create_module
from ansible_collections.golden.fleet.plugins.module_utils._job.control import Jobs
from ansible_collections.golden.fleet.plugins.module_utils._job.model import RUNNING
from ansible_collections.golden.fleet.plugins.module_utils._module import run_verb

SPEC = ArgSpec(
    {
        "id": {"type": "str", "required": True},
        "operation": {"type": "str", "choices": ["poll", "cancel"], "default": "poll"},
        "seen": {"type": "int", "default": 0},
    }
)


def follow(module: AnsibleModule) -> dict[str, t.Any]:
    jobs, job_id = Jobs(), module.params["id"]
    status = jobs.poll(job_id, module.params["seen"])
    if module.params["operation"] == "poll":
        return {"changed": False, "job": status.as_dict()}
    ran = status.state == RUNNING
    return {"changed": ran, "job": jobs.cancel(job_id, check=module.check_mode).as_dict()}


def main() -> None:
    run_verb(create_module(SPEC), follow)


if __name__ == "__main__":
    main()
