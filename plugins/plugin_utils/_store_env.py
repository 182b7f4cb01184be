# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Store options that the environment of the controller sets, as the credentials of AWX do."""

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._argspec import STORE_SPEC


def with_environment(args: t.Mapping[str, t.Any], local: bool = True) -> dict[str, t.Any]:
    """The arguments of a task, with store options that it leaves out taken from the environment here.

    The module looks into the environment too, but that is the one of the machine it runs on. Credentials are for
    the store that the environment names beside them: a task that names another one does not get them.

    :param local: the module runs on this machine, where the path of the CA file means something.
    """
    found = {name: value for name, value in _environment().items() if local or name != "store_ca"}
    if args.get("store") and found.get("store", args["store"]) != args["store"]:
        found = {}
    return {**found, **{name: value for name, value in args.items() if value is not None}}


def _environment() -> dict[str, str]:
    found = {}
    for option, spec in STORE_SPEC.options.items():
        for name in spec["fallback"][1]:
            if os.environ.get(name):
                found[option] = os.environ[name]
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

    def _arguments(self) -> dict[str, t.Any]:
        return with_environment(self._task.args, local=self._connection.transport == "local")

    def _perform(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Execute the module once, with core's own means in the background where the task says ``async``."""
        answer: dict[str, t.Any] = self._execute_module(
            module_args=self._arguments(),
            task_vars=task_vars,
            wrap_async=bool(self._task.async_val and not self._connection.has_native_async),
        )
        return answer
