# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A management controller is read back, whatever it says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import PowerError, PowerIgnored, PowerRefused
from ansible_collections.golden.fleet.plugins.module_utils._power.base import DISK, NETWORK, NONE, OFF, ON
from ansible_collections.golden.fleet.plugins.module_utils._power.controller import SHUTDOWN, Controller
from ansible_collections.golden.fleet.plugins.module_utils._power.options import PowerOptions
from ansible_collections.golden.fleet.plugins.module_utils._power.waiting import Deadline


class Machine(Controller):
    """Does what it is told after so many looks; reports what the script says before."""

    name = "redfish"

    def __init__(self, delay: int = 0, ignores: t.Container[str] = (), complains: PowerError | None = None) -> None:
        self.now = 0.0
        super().__init__(PowerOptions("redfish", address="bmc", timeout=5), self._make_deadline)
        self.is_on = ON
        self.device = NONE
        self.asked: list[str] = []
        self.errors: list[PowerError] = []
        self._delay = delay
        self._ignores = ignores
        self._complains = complains
        self._pending: list[tuple[int, str, str]] = []

    def _make_deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def state(self) -> str:
        self._look()
        return self.is_on

    def next_boot(self) -> str:
        self._look()
        return self.device

    def _look(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        due = [each for each in self._pending if each[0] <= 0]
        self._pending = [(left - 1, what, value) for left, what, value in self._pending if left > 0]
        for _left, what, value in due:
            setattr(self, what, value)

    def _press(self, button: str) -> None:
        self._later("is_on", button, ON if button == ON else OFF)

    def _choose(self, target: str) -> None:
        self._later("device", target, target)

    def _later(self, what: str, request: str, value: str) -> None:
        self.asked.append(request)
        if request not in self._ignores:
            self._pending.append((self._delay, what, value))
        if self._complains:
            raise self._complains


def test_a_reset_is_off_and_on() -> None:
    machine = Machine(delay=2)
    machine.reset()
    assert (machine.asked, machine.is_on) == ([SHUTDOWN, ON], ON)
    machine.reset(force=True)
    assert machine.asked[2:] == [OFF, ON]


def test_nothing_is_asked_of_a_machine_that_is_so_already() -> None:
    machine = Machine()
    machine.on()
    machine.is_on = OFF
    machine.off()
    assert machine.asked == []


def test_start_switches_on_or_restarts() -> None:
    machine = Machine()
    assert machine.start() == "restarted"
    assert machine.start(force=True) == "switched off and on by force"
    machine.is_on = OFF
    assert machine.start() == "switched on"


def test_an_operating_system_that_does_not_end_is_never_forced() -> None:
    machine = Machine(ignores={SHUTDOWN})
    with pytest.raises(PowerIgnored, match="bmc was told to shut down, but after 5 s reads 'on'") as caught:
        machine.reset()
    assert machine.asked == [SHUTDOWN]
    assert caught.value.facts == {"provider": "redfish", "address": "bmc", "seen": "on"}


def test_a_complaint_does_not_count_if_it_obeyed() -> None:
    Machine(delay=3, complains=PowerError("HTTP 400")).set_next_boot(NETWORK)


def test_a_complaint_is_told_if_it_did_not() -> None:
    machine = Machine(ignores={NETWORK}, complains=PowerError("HTTP 400: no such device."))
    with pytest.raises(PowerIgnored, match=r"reads 'none'. It said: HTTP 400: no such device. Does its firmware"):
        machine.set_next_boot(NETWORK)


def test_wrong_credentials_are_not_waited_for() -> None:
    machine = Machine(complains=PowerRefused("who are you?"))
    with pytest.raises(PowerRefused):
        machine.set_next_boot(DISK)
    assert machine.now == 0


def test_credentials_that_become_wrong_are_not_waited_for() -> None:
    machine = Machine(delay=2)
    machine.errors = []
    machine.device = NETWORK
    machine.errors.append(PowerRefused("locked out"))
    with pytest.raises(PowerRefused):
        machine.set_next_boot(DISK)


def test_a_controller_that_is_busy_meanwhile_is_waited_for() -> None:
    machine = Machine()
    machine.errors = [PowerError("HTTP 503")] * 3
    machine.set_next_boot(DISK)
    assert machine.now == 3


def test_a_controller_that_stays_silent() -> None:
    machine = Machine()
    machine.errors = [PowerError("HTTP 503")] * 30
    with pytest.raises(PowerIgnored, match="reads 'unknown'. It said: HTTP 503"):
        machine.set_next_boot(DISK)
