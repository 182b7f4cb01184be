# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._argspec import DOMAIN_SPEC


class ActionModule(ActionBase):
    """Gives ad_computer the credentials that the controller knows, and keeps what it returns out of all output."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        given = {name: value for name, value in self._task.args.items() if value is not None}
        answer = self._execute_module(module_args={**_environment(), **given}, task_vars=task_vars)
        if answer.get("one_time_password") or answer.get("blob"):
            # The result says it to newer cores, the task to older ones. Errors stay to be seen.
            self._task.no_log = True
            answer["_ansible_no_log"] = True
        return {**result, **answer}


def _environment() -> dict[str, str]:
    """The module looks into the environment, too, but that is the one of the machine it runs on."""
    found = {}
    for option, spec in DOMAIN_SPEC.options.items():
        for name in spec["fallback"][1] if "fallback" in spec else ():
            if os.environ.get(name):
                found[option] = os.environ[name]
    return found
