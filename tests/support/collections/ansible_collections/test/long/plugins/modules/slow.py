# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that does nothing, slowly: everything about long work can be tried with it."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.golden.fleet.plugins.module_utils._argspec import (
    LONG_WORK_SPEC,
    STORE_SPEC,
    ArgSpec,
    create_module,
)
from ansible_collections.golden.fleet.plugins.module_utils._errors import DiskError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Work
from ansible_collections.golden.fleet.plugins.module_utils._module import run_long_work
from ansible_collections.golden.fleet.plugins.module_utils._progress import Progress

SPEC = LONG_WORK_SPEC.merge(
    STORE_SPEC,
    ArgSpec(
        {
            "seconds": {"type": "float", "required": True},
            "marks": {"type": "path", "required": True},
            "subject": {"type": "str"},
            "end": {"type": "str", "choices": ["well", "error", "crash", "leak", "die"], "default": "well"},
        }
    ),
)


def prepare(module: AnsibleModule) -> Work:
    if module.params["seconds"] < 0:
        raise UsageError("Nobody can work for less than no time.")
    return Work(lambda progress: work(module, progress), module.params["subject"])


def work(module: AnsibleModule, progress: Progress) -> dict[str, t.Any]:
    marks = Path(module.params["marks"])
    marks.mkdir(parents=True, exist_ok=True)
    (marks / f"began-{os.getpid()}").touch()
    try:
        progress.phase("looking")
        progress.note("a note for people")
        toil(module.params["seconds"], marks / "enough", progress)
    finally:
        (marks / "cleaned-up").touch()
    finish(module)
    return {
        "changed": not module.check_mode,
        "checked": module.check_mode,
        "store": module.params["store"],
        "worker": os.getpid(),
        "warnings": ["slow work is slow"],
        "diff": {"before": "undone\n", "after": "done\n"},
    }


def toil(seconds: float, enough: Path, progress: Progress) -> None:
    """:param enough: when it is there, the rest takes no time."""
    progress.phase("toiling", 100_000_000)
    for _each in range(100):
        time.sleep(0 if enough.exists() else seconds / 100)
        progress.advance(1_000_000)


def finish(module: AnsibleModule) -> None:
    end, secret = module.params["end"], module.params["store_password"]
    if end == "error":
        raise DiskError("The disk /dev/null holds nothing.", disk="/dev/null")
    if end == "leak":
        raise DiskError(f"The store refused {secret}.", url=f"https://user:{secret}@store")
    if end == "crash":
        raise ValueError(f"nobody expected {secret}")
    if end == "die":
        os.kill(os.getpid(), 9)


def main() -> None:
    run_long_work(create_module(SPEC), prepare, collect=True)


if __name__ == "__main__":
    main()
