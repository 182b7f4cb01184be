# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._argspec import PXE_REBOOT_SPEC
from ..module_utils._errors import GoldenError
from ..module_utils._netboot.entry import new_id
from ..module_utils._netboot.mac import normal_mac
from ..module_utils._units import parse_duration
from ..plugin_utils._network_boot import NetworkBoot
from ..plugin_utils._orderly_end import orderly_end
from ..plugin_utils._remote import Modules, ServerModules, hand_for
from ..plugin_utils._reporter import Reporter

display = Display()


class ActionModule(ActionBase):
    """Runs modules on the imaging server, and switches the machine from here or from there."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(dict(PXE_REBOOT_SPEC.options))
        try:
            with orderly_end():
                return {**result, **self._boot(args, task_vars or {})}
        except GoldenError as error:
            return {**result, **error.facts, "failed": True, "msg": error.message}

    def _boot(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        host = args["host"] or task_vars["inventory_hostname"]
        modules = Modules(self, task_vars)
        server = ServerModules(modules, normal_mac(args["mac"]), host, args["config"])
        timeout = parse_duration(args["timeout"])
        if self._task.check_mode:
            return {"changed": True, "entry": server.make_entry(new_id(), timeout)}
        reporter = Reporter(f"{host} | pxe_reboot", display.display, interval=0)
        power = {**args["power"], "mac": args["power"]["mac"] or args["mac"]}
        with hand_for(power, modules, args["force"]) as hand:
            boot = NetworkBoot(server, hand, reporter.say, timeout).go()
        waited = {name: boot.waited[name] for name in ("entry", "checkin", "stage")}
        return {"changed": True, **waited, "forced": boot.forced, "seconds": round(boot.seconds, 1)}
