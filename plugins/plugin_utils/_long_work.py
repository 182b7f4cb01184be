# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Base of the action plugins of modules that take minutes: start, poll, show, cancel."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t
import uuid

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils._argspec import LONG_WORK_SPEC
from ..module_utils._errors import UsageError
from ..module_utils._job.model import DONE, RUNNING
from ..module_utils._units import parse_duration, show_duration
from ._answer import answer_within
from ._orderly_end import orderly_end
from ._reporter import Reporter
from ._store_env import StoreAction

display = Display()

_JOB_MODULE = "golden.fleet.job"
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
# The worker stops itself when its time is over. If it cannot, it is stopped from here, so much later.
_SLACK = 60

_SHORTEST_PATIENCE = 10.0


class LongWorkAction(StoreAction):
    """Runs the module's work as a job on the machine, and shows how it gets on."""

    def _perform(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        if self._task.async_val:
            return super()._perform(task_vars)
        host, title = task_vars["inventory_hostname"], str(self._task.action).rpartition(".")[2]
        interval = self._seconds(task_vars, "golden_progress_interval", 10)
        reporter = Reporter(f"{host} | {title}", display.display, interval)
        patience = self._seconds(task_vars, "golden_reconnect_timeout", 300)
        return _LongWork(self, task_vars, reporter, patience).run(self._arguments())

    def _seconds(self, task_vars: dict[str, t.Any], name: str, default: int) -> int:
        try:
            return parse_duration(self._templar.template(task_vars.get(name, default)))
        except UsageError as error:
            raise AnsibleActionFail(f"The variable {name}: {error.message}") from error


class _Abandoned(BaseException):
    """The controller is gone. Nobody is left to report to, but a later run may attach to the job."""


class _LongWork:
    """One job, from its start to its result."""

    def __init__(self, action: ActionBase, task_vars: dict[str, t.Any], reporter: Reporter, patience: int) -> None:
        """:param patience: seconds without an answer, after which the machine counts as unreachable."""
        self._action = action
        self._task_vars = task_vars
        self._reporter = reporter
        self._patience = patience
        self._controller = os.getppid()
        self._job = uuid.uuid4().hex
        self._notes = 0
        self._may_run = False  # there may be a job which nobody but us would stop

    def run(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        """Carry the work out; whatever interrupts it, cancels it."""
        with orderly_end():
            try:
                return self._start_and_follow(args)
            finally:
                if self._may_run:
                    self._cancel()

    def _start_and_follow(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        self._may_run = True
        answer = self._execute({**args, "_job": self._job})
        if answer.get("failed") or "job" not in answer:
            # No answer of the module itself: what became of it, nobody knows.
            self._may_run = "module_stdout" in answer
            return answer
        self._forget_arguments()
        status = answer.pop("job")
        self._job = status["id"]
        if status["attached"]:
            self._reporter.say("an earlier run has begun this very work; following it")
        timeout = parse_duration(args.get("timeout") or LONG_WORK_SPEC.options["timeout"]["default"])
        return _combine(answer, self._follow(status, timeout))

    def _follow(self, status: dict[str, t.Any], timeout: int) -> dict[str, t.Any]:
        deadline = time.monotonic() + timeout + _SLACK if timeout else None
        pause = _FIRST_PAUSE
        while True:
            self._notes += len(status["notes"])
            self._reporter.report(status)
            if status["state"] != RUNNING:
                self._may_run = False
                return status
            if deadline and time.monotonic() > deadline:
                self._cancel()
                return _overdue(timeout)
            self._wait(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            status = self._poll()

    def _poll(self) -> dict[str, t.Any]:
        """The status of the job. No answer says nothing about the job: ask again while patience lasts."""
        lost: float | None = None
        while True:
            asked = time.monotonic()
            status, trouble = self._ask()
            if status:
                if lost:
                    self._reporter.say("connected again")
                return status
            if lost is None:
                lost = asked
                self._reporter.say(
                    f"the connection is lost, the work goes on; trying for {show_duration(self._patience)} "
                    f"to reach the machine again ({str(trouble)[:200]})"
                )
            if time.monotonic() - lost >= self._patience:
                self._may_run = False
                raise AnsibleConnectionFailure(
                    f"The machine has not answered for {show_duration(self._patience)}: {trouble}. "
                    "The work may still be going on there; run the task again to attach to it."
                ) from trouble
            self._reset_connection()
            self._wait(_LONGEST_PAUSE / 2)

    def _ask(self) -> tuple[dict[str, t.Any] | None, AnsibleError | None]:
        try:
            answer = self._execute_job({"id": self._job, "seen": self._notes})
        except AnsibleError as error:
            return None, error
        if answer.get("failed") or "job" not in answer:
            return None, AnsibleError(str(answer.get("msg", "the module gave no answer")))
        return answer["job"], None

    def _cancel(self) -> None:
        self._may_run = False
        self._reporter.say("stopping the work on the machine")
        try:
            answer = self._execute_job({"id": self._job, "operation": "cancel"})
        except AnsibleError as error:
            answer = {"msg": str(error)}
        if "job" in answer and not answer.get("failed"):
            self._reporter.say(f"the work has stopped ({answer['job']['state']})")
        else:
            self._reporter.say(f"it could not be stopped; if it had begun, it goes on: {answer.get('msg')}")

    def _wait(self, seconds: float) -> None:
        if os.getppid() != self._controller:
            self._may_run = False
            raise _Abandoned
        time.sleep(seconds)

    def _execute(self, args: dict[str, t.Any], module: str | None = None) -> dict[str, t.Any]:
        answer: dict[str, t.Any] = self._action._execute_module(
            module_name=module, module_args=args, task_vars=self._task_vars
        )
        return answer

    def _execute_job(self, args: dict[str, t.Any]) -> dict[str, t.Any]:
        with answer_within(max(self._patience / 2, _SHORTEST_PATIENCE)):
            return self._execute(args, _JOB_MODULE)

    def _forget_arguments(self) -> None:
        """Remove the transferred module now: it holds the credentials, and the work may take hours."""
        with contextlib.suppress(AnsibleConnectionFailure):
            self._action._remove_tmp_path(self._action._connection._shell.tmpdir)

    def _reset_connection(self) -> None:
        # After a restart of the machine the temporary folder is gone, and every transfer into it would fail.
        self._action._connection._shell.tmpdir = None
        with contextlib.suppress(AnsibleError):
            self._action._connection.reset()


def _combine(answer: dict[str, t.Any], status: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the start said about the execution as such, and what the work said about itself."""
    result = {**answer, **(status["result"] or {}), "failed": status["state"] != DONE}
    answer.get("invocation", {}).get("module_args", {}).pop("_job", None)
    for kind in ("warnings", "deprecations"):
        said = [*answer.get(kind, []), *(status["result"] or {}).get(kind, [])]
        if said:
            result[kind] = said
    return result


def _overdue(timeout: int) -> dict[str, t.Any]:
    message = f"The work was not done after {show_duration(timeout + _SLACK)}, and did not stop by itself."
    return {"state": "failed", "result": {"msg": message, "timed_out": True}}
