# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The imaging server and a machine's power, as an action plugin reaches them: by modules, or from here."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._errors import (
    NetbootError,
    NetbootUnreachable,
    PowerError,
    PowerIgnored,
    PowerUnsupported,
)
from ..module_utils._power.base import Power
from ..module_utils._power.options import power_options
from ..module_utils._power.provider import open_power
from ._answer import answer_within

_LONGEST_SILENCE = 60.0  # seconds for what takes a module no time


class Modules:
    """Runs modules on the machine of the task: where it is delegated to."""

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any]) -> None:
        self._action = action
        self._task_vars = task_vars
        self._host = action._task.delegate_to or task_vars["inventory_hostname"]

    def run(self, name: str, args: t.Mapping[str, t.Any], longest: float | None = None) -> dict[str, t.Any]:
        """What a module returns, also when it failed.

        :param longest: seconds after which there will be no answer any more.
        :raises NetbootUnreachable: that machine is away, perhaps for a moment. The host of the task is another one, so
            it is no unreachable host, which Ansible would drop without cleaning up.
        """
        given = {key: value for key, value in args.items() if value is not None}
        try:
            with answer_within(longest) if longest else contextlib.nullcontext():
                answer: dict[str, t.Any] = self._action._execute_module(
                    module_name=f"golden.fleet.{name}", module_args=given, task_vars=self._task_vars
                )
        except AnsibleConnectionFailure as error:
            self._connect_anew()
            raise NetbootUnreachable(f"{self._host} cannot be reached: {error}") from error
        return answer

    def _connect_anew(self) -> None:
        connection = self._action._connection
        connection._shell.tmpdir = None  # a restart has removed it
        with contextlib.suppress(AnsibleError):
            connection.reset()


class ServerModules:
    """The netboot modules, for one machine."""

    def __init__(self, modules: Modules, mac: str, host: str, config: str) -> None:
        self._modules = modules
        self._common = {"mac": mac, "config": config}
        self._host = host

    def make_entry(self, entry_id: str, lifetime: int) -> dict[str, t.Any]:
        args = {"id": entry_id, "host": self._host, "lifetime": f"{lifetime}s", "renew": True}
        return t.cast("dict[str, t.Any]", self._run("netboot_entry", args)["entry"])

    def wait(self, entry_id: str, timeout: int, beyond: str | None) -> dict[str, t.Any]:
        return self._run("netboot_wait", {"id": entry_id, "timeout": f"{timeout}s", "beyond": beyond}, timeout)

    def remove_entry(self, entry_id: str) -> bool:
        """:return: whether it was there."""
        return bool(self._run("netboot_entry", {"id": entry_id, "state": "absent"})["changed"])

    def _run(self, name: str, args: dict[str, t.Any], takes: int = 0) -> dict[str, t.Any]:
        answer = self._modules.run(name, {**self._common, **args}, takes + _LONGEST_SILENCE)
        if answer.get("failed"):
            facts = {key: answer[key] for key in ("mac", "entry", "stage", "refusals") if key in answer}
            raise NetbootError(str(answer.get("msg")), **facts)
        return answer


class _Here:
    """Switches the machine from the controller."""

    def __init__(self, power: Power, force: bool) -> None:
        self._power = power
        self._force = force

    def boot_from(self, target: str) -> None:
        self._power.set_next_boot(target)

    def start(self, force: bool) -> str:
        return self._power.start(force or self._force)


class _There:
    """Switches the machine from the imaging server."""

    def __init__(self, modules: Modules, options: dict[str, t.Any], force: bool) -> None:
        self._modules = modules
        self._options = options
        self._force = force

    def boot_from(self, target: str) -> None:
        self._run("next_boot", target=target)

    def start(self, force: bool) -> str:
        answer = self._run("power", state="reset", force=force or self._force)
        return str(answer["msg"])

    def _run(self, name: str, **args: t.Any) -> dict[str, t.Any]:
        try:
            answer = self._modules.run(name, {"power": self._options, **args})
        except NetbootUnreachable as error:
            raise PowerError(error.message) from error
        if answer.get("failed"):
            ignored = PowerIgnored if "seen" in answer else PowerError
            kind = PowerUnsupported if answer.get("unsupported") else ignored
            raise kind(str(answer.get("msg")))
        return answer


@contextlib.contextmanager
def hand_for(options: dict[str, t.Any], modules: Modules, force: bool) -> t.Iterator[_Here | _There]:
    """What switches a machine with these options of the module power."""
    from_server = "server" if options["provider"] == "wol" else "controller"
    if (options["run_from"] or from_server) == "server":
        yield _There(modules, options, force)
    else:
        with contextlib.closing(open_power(power_options(options))) as power:
            yield _Here(power, force)
