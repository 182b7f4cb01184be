# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ..module_utils._argspec import OS_DRIVERS_SPEC
from ..plugin_utils._bundles import bundle_of
from ..plugin_utils._transfer import TransferAction


class ActionModule(TransferAction):
    """Asks the machine which folder it needs, and sends that one."""

    SPEC = OS_DRIVERS_SPEC

    def _perform(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if args["remote_src"]:
            return self._execute(args, task_vars)
        found = self._execute({**args, "_only_match": True}, task_vars)
        if found.get("failed") or found.get("match") is None:
            return found
        folder = self._find_needle("files", args["drivers"][found["match"]])
        return self._execute({**args, "_bundle": self._sent(bundle_of(folder))}, task_vars)
