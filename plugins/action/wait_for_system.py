# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._argspec import WAIT_FOR_SYSTEM_SPEC
from ..module_utils._errors import GoldenError
from ..module_utils._units import parse_duration
from ..plugin_utils._system_wait import SystemWait


class ActionModule(ActionBase):
    """Waits over the host's own connection; nothing is needed on the machine."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(dict(WAIT_FOR_SYSTEM_SPEC.options))
        if self._task.check_mode:
            return {**result, "changed": False, "skipped": True, "msg": "There is nothing to wait for in check mode."}
        began = time.monotonic()
        expected = {name: args[name] for name in ("digest", "deploy") if args[name]}
        try:
            seen = SystemWait(self, expected, args["old_boot_id"]).go(parse_duration(args["timeout"]))
        except GoldenError as error:
            return {**result, **error.facts, "failed": True, "msg": error.message}
        return {**result, "changed": False, **seen._asdict(), "seconds": round(time.monotonic() - began, 1)}
