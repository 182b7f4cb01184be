# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What action plugins share that send a file of the controller along with their module."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils._argspec import ArgSpec
from ..module_utils._errors import GoldenError


class TransferAction(ActionBase):
    """Base of those plugins. What is sent lies in the task's own folder there, which nobody else can enter, and which
    goes away with the task.
    """

    TRANSFERS_FILES = True
    _supports_check_mode = True
    SPEC: ArgSpec

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(
            dict(self.SPEC.options),
            mutually_exclusive=list(self.SPEC.mutually_exclusive),
            required_if=list(self.SPEC.required_if),
        )
        try:
            return {**result, **self._perform(args, task_vars or {})}
        except GoldenError as error:
            return {**result, **error.facts, "failed": True, "msg": error.message}
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)

    def _perform(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Send what there is to send, and execute the module."""
        raise NotImplementedError

    def _there(self) -> str:
        """Where a file can be sent to."""
        return str(self._connection._shell.join_path(self._connection._shell.tmpdir, "source"))

    def _sent(self, local: str) -> str:
        """A file of the controller, on the machine."""
        return self._admitted(self._transfer_file(local, self._there()))

    def _sent_text(self, text: str) -> str:
        """A text, as a file on the machine."""
        return self._admitted(self._transfer_data(self._there(), text))

    def _admitted(self, remote: str) -> str:
        self._fixup_perms2((self._connection._shell.tmpdir, remote))
        return remote

    def _execute(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        given = {name: value for name, value in args.items() if value is not None}
        answer: dict[str, t.Any] = self._execute_module(module_args=given, task_vars=task_vars)
        return answer
