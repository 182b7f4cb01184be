# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Store options that the environment of the controller sets, as the credentials of AWX do."""

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._argspec import STORE_SPEC


def with_environment(args: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The arguments of a task, with store options that it leaves out taken from the environment here.

    The module looks into the environment too, but that is the one of the machine it runs on.
    """
    found = dict(args)
    for option, spec in STORE_SPEC.options.items():
        names = spec["fallback"][1] if "fallback" in spec else ()
        value = next((os.environ[name] for name in names if os.environ.get(name)), None)
        if found.get(option) is None and value is not None:
            found[option] = value
    return found


class StoreAction(ActionBase):
    """Base of the action plugins of quick modules that use a store."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result.update(self._perform(task_vars or {}))
        return result

    def _perform(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Execute the module once, with core's own means in the background where the task says ``async``."""
        answer: dict[str, t.Any] = self._execute_module(
            module_args=with_environment(self._task.args),
            task_vars=task_vars,
            wrap_async=bool(self._task.async_val and not self._connection.has_native_async),
        )
        return answer
