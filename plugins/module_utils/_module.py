# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. How a module runs its verb, and how errors become its result. Nothing else ends a module."""

from __future__ import annotations

import hashlib
import json
import typing as t
from functools import partial

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values

from ._errors import GoldenError
from ._job.control import Jobs
from ._job.model import DONE, Order, Work
from ._job.worker import attempt
from ._progress import Silent
from ._units import parse_duration


def run_verb(module: AnsibleModule, verb: t.Callable[[AnsibleModule], dict[str, t.Any]]) -> None:
    """Run a quick verb and end the module with what it returns."""
    try:
        result = verb(module)
    except GoldenError as error:
        module.fail_json(**{**error.facts, "msg": error.message})
    else:
        module.exit_json(**result)


def run_long_work(module: AnsibleModule, prepare: t.Callable[[AnsibleModule], Work], *, collect: bool = False) -> None:
    """Run a verb that takes minutes, and end the module with what it returns.

    Where the action plugin asks for it, the work goes on in a process of its own: the module returns its job.

    :param prepare: checks all that can be checked at once; what it raises fails the task with nothing begun.
    :param collect: the same work, done within the last hour and seen by nobody, is as good as doing it again.
    """
    if module.params["_job"]:
        run_verb(module, partial(_begin, prepare=prepare, collect=collect))
    else:
        run_verb(module, partial(_do, prepare=prepare))


def _do(module: AnsibleModule, prepare: t.Callable[[AnsibleModule], Work]) -> dict[str, t.Any]:
    timeout = parse_duration(module.params["timeout"])
    outcome = attempt(prepare(module), Silent(), _title(module), timeout)
    return {**outcome.result, "failed": outcome.state != DONE}


def _begin(module: AnsibleModule, prepare: t.Callable[[AnsibleModule], Work], collect: bool) -> dict[str, t.Any]:
    jobs = Jobs()
    order = Order(
        id=module.params["_job"],
        key=_key(module),
        title=_title(module),
        timeout=parse_duration(module.params["timeout"]),
        check=module.check_mode,
        scrub=partial(remove_values, no_log_strings=module.no_log_values),
    )
    # First: work that is under way may make what prepare() looks at, such as its disk, look unfit.
    status = jobs.attach(order.key, collect) or jobs.start(order, prepare(module))
    return {"changed": False, "job": status.as_dict()}


def _title(module: AnsibleModule) -> str:
    return str(module._name).rpartition(".")[2]


def _key(module: AnsibleModule) -> str:
    asked = {name: value for name, value in module.params.items() if name not in {"_job", "timeout"}}
    asked = remove_values(asked, module.no_log_values)
    text = json.dumps([_title(module), module.check_mode, module._diff, asked], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
