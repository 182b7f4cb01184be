# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    NetbootError,
    NetbootUnreachable,
    PowerError,
    PowerIgnored,
    PowerUnsupported,
)
from ansible_collections.golden.fleet.plugins.plugin_utils import _network_boot
from ansible_collections.golden.fleet.plugins.plugin_utils._network_boot import NetworkBoot

CHECKIN = {"address": "10.77.0.50"}


class Clock:
    """Time passes only while somebody waits for the server."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Server:
    """An imaging server that sees what the script says, one stage after the other, each for as long as it is asked."""

    def __init__(self, clock: Clock, stages: list[str]) -> None:
        self._clock = clock
        self._stages = stages
        self.calls: list[str] = []
        self.entry_id = ""

    def make_entry(self, entry_id: str, lifetime: int) -> dict[str, t.Any]:
        self.calls.append(f"entry for {lifetime} s")
        self.entry_id = entry_id
        return {"id": entry_id}

    def wait(self, entry_id: str, timeout: int, beyond: str | None) -> dict[str, t.Any]:
        assert entry_id == self.entry_id
        stage = self._stages.pop(0) if len(self._stages) > 1 else self._stages[0]
        self._clock.now += timeout
        if beyond is None and stage != "checked_in":
            raise NetbootError("it has not checked in", stage=stage)
        return {"stage": stage, "checkin": CHECKIN if stage == "checked_in" else None}

    def remove_entry(self, entry_id: str) -> bool:
        assert entry_id == self.entry_id
        self.calls.append("remove")
        return True


class Replaced(Server):
    """One where another run has made an entry for the machine meanwhile."""

    def wait(self, entry_id: str, timeout: int, beyond: str | None) -> dict[str, t.Any]:
        raise NetbootError(f"another run has replaced {entry_id}: {timeout}, {beyond}")

    def remove_entry(self, entry_id: str) -> bool:
        super().remove_entry(entry_id)
        return False


class Unreachable(Server):
    """One that is away when the entry is to be removed."""

    def remove_entry(self, entry_id: str) -> bool:
        assert entry_id == self.entry_id
        raise NetbootError("imaging cannot be reached")


class Away(Server):
    """One that is away for so many polls, from the second one on; each fails at once."""

    def __init__(self, clock: Clock, stages: list[str], away: int) -> None:
        super().__init__(clock, ["dhcp", *stages])
        self._away = away
        self._asked = False

    def wait(self, entry_id: str, timeout: int, beyond: str | None) -> dict[str, t.Any]:
        if self._asked and self._away:
            self._away -= 1
            raise NetbootUnreachable("imaging cannot be reached: Connection reset by peer")
        self._asked = True
        return super().wait(entry_id, timeout, beyond)


class Silent(Server):
    """One that makes the entry, and whose answer is lost."""

    def make_entry(self, entry_id: str, lifetime: int) -> dict[str, t.Any]:
        super().make_entry(entry_id, lifetime)
        raise NetbootUnreachable("imaging cannot be reached")


class Hand:
    """A machine's power."""

    def __init__(self, can_force: bool = True, can_choose: bool = True) -> None:
        self._can_force = can_force
        self._can_choose = can_choose
        self.calls: list[str] = []

    def boot_from(self, target: str) -> None:
        if not self._can_choose:
            raise PowerUnsupported("no boot device can be chosen")
        self.calls.append(target)

    def start(self, force: bool) -> str:
        if force and not self._can_force:
            raise PowerUnsupported("nobody can switch it off")
        self.calls.append("forced" if force else "start")
        return "switched on"


class Stubborn(Hand):
    """A machine whose operating system does not end when it is asked to."""

    def start(self, force: bool) -> str:
        if not force:
            raise PowerIgnored("still on", seen="on")
        return super().start(force)


class Switch(Hand):
    """A machine whose controller can take its power away, and not ask its operating system to end."""

    def start(self, force: bool) -> str:
        if not force:
            raise PowerUnsupported("no GracefulShutdown")
        return super().start(force)


class Dead(Switch):
    """One whose controller can do neither."""

    def __init__(self) -> None:
        super().__init__(can_force=False)


class Once(Hand):
    """A machine that can be reached only while its operating system runs, as with the providers ssh and winrm."""

    def boot_from(self, target: str) -> None:
        if target == "network" and self.calls:
            raise PowerError("pc-1 cannot be reached by SSH")
        super().boot_from(target)


class Broken(Hand):
    """A machine that cannot be started."""

    def start(self, force: bool) -> str:
        raise PowerError(f"the BMC is on fire ({force})")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_network_boot, "time", clock)
    return clock


def test_every_stage_is_told_once(clock: Clock) -> None:
    server, hand, said = Server(clock, ["dhcp", "dhcp", "kernel", "checked_in"]), Hand(), list[str]()
    boot = NetworkBoot(server, hand, said.append, 600).go()
    assert said == [
        "switched on", "it asks for an address", "it fetches the boot environment", "checked in from 10.77.0.50",
    ]  # fmt: skip
    assert (boot.forced, boot.waited["checkin"]) == (False, CHECKIN)
    assert (server.calls, hand.calls) == (["entry for 630 s"], ["network", "start"])


def test_one_forced_power_cycle_after_half_of_the_time(clock: Clock) -> None:
    server, hand, said = Server(clock, ["nothing"] * 11 + ["checked_in"]), Hand(), list[str]()
    assert NetworkBoot(server, hand, said.append, 600).go().forced
    assert hand.calls == ["network", "start", "network", "forced"]
    assert said[1] == "no check-in for 5 min 0 s; switching it off and on"


def test_a_machine_that_never_comes(clock: Clock) -> None:
    server, hand = Server(clock, ["nothing", "dhcp"]), Hand()
    with pytest.raises(NetbootError, match="it has not checked in") as caught:
        NetworkBoot(server, hand, lambda _text: None, 600).go()
    assert caught.value.facts["stage"] == "dhcp"
    assert clock.now == 1600
    assert server.calls == ["entry for 630 s", "remove"]
    assert hand.calls == ["network", "start", "network", "forced", "disk"]


def test_an_operating_system_that_does_not_end_is_not_waited_for(clock: Clock) -> None:
    server, hand, said = Server(clock, ["checked_in"]), Stubborn(), list[str]()
    assert NetworkBoot(server, hand, said.append, 600).go().forced
    assert hand.calls == ["network", "network", "forced"]
    assert said[:2] == ["still on", "switched on"]


def test_what_cannot_be_forced_is_waited_for(clock: Clock) -> None:
    server, hand, said = Server(clock, ["nothing"] * 11 + ["checked_in"]), Hand(can_force=False), list[str]()
    assert not NetworkBoot(server, hand, said.append, 600).go().forced
    assert "that did not work, so waiting goes on: nobody can switch it off" in said


def test_a_second_start_that_fails_does_not_end_the_first_one(clock: Clock) -> None:
    server, hand, said = Server(clock, ["kernel"] * 11 + ["checked_in"]), Once(), list[str]()
    assert not NetworkBoot(server, hand, said.append, 600).go().forced
    assert (server.calls, hand.calls) == (["entry for 630 s"], ["network", "start"])
    assert "that did not work, so waiting goes on: pc-1 cannot be reached by SSH" in said


def test_the_error_tells_how_far_it_came_although_the_second_start_failed(clock: Clock) -> None:
    with pytest.raises(NetbootError, match="it has not checked in") as caught:
        NetworkBoot(Server(clock, ["kernel"]), Once(), lambda _text: None, 600).go()
    assert caught.value.facts["stage"] == "kernel"


def test_what_cannot_be_asked_to_end_is_switched_off(clock: Clock) -> None:
    server, hand, said = Server(clock, ["checked_in"]), Switch(), list[str]()
    assert NetworkBoot(server, hand, said.append, 600).go().forced
    assert hand.calls == ["network", "network", "forced"]
    assert said[0] == "no GracefulShutdown"


def test_what_cannot_be_started_at_all_is_not_waited_for(clock: Clock) -> None:
    server = Server(clock, ["nothing"])
    with pytest.raises(PowerUnsupported, match="nobody can switch it off"):
        NetworkBoot(server, Dead(), lambda _text: None, 600).go()
    assert clock.now == 1000
    assert server.calls == ["entry for 630 s", "remove"]


def test_a_server_that_is_away_for_a_moment_is_asked_again(clock: Clock) -> None:
    server, hand, said = Away(clock, ["kernel", "checked_in"], 3), Hand(), list[str]()
    assert NetworkBoot(server, hand, said.append, 600).go().waited["checkin"] == CHECKIN
    assert server.calls == ["entry for 630 s"]
    assert [each for each in said if "does not answer" in each] == [
        "the imaging server does not answer, asking again: imaging cannot be reached: Connection reset by peer"
    ]


def test_a_server_that_is_away_in_half_of_the_time_is_no_reason_for_force(clock: Clock) -> None:
    hand = Hand()
    assert not NetworkBoot(Away(clock, ["checked_in"], 70), hand, lambda _text: None, 600).go().forced
    assert 1300 < clock.now < 1600


def test_a_server_that_stays_away(clock: Clock) -> None:
    server, hand = Away(clock, [], 1000), Hand()
    with pytest.raises(NetbootUnreachable):
        NetworkBoot(server, hand, lambda _text: None, 600).go()
    assert 1600 <= clock.now < 1610
    assert (server.calls[1:], hand.calls) == (["remove"], ["network", "start", "disk"])


def test_an_entry_whose_making_got_no_answer_is_removed(clock: Clock) -> None:
    server, hand = Silent(clock, []), Hand()
    with pytest.raises(NetbootUnreachable):
        NetworkBoot(server, hand, lambda _text: None, 600).go()
    assert server.calls == ["entry for 630 s", "remove"]
    assert hand.calls == [], "nobody has touched the machine"


def test_a_boot_device_that_cannot_be_chosen_must_be_in_the_boot_order(clock: Clock) -> None:
    server, hand, said = Server(clock, ["checked_in"]), Hand(can_choose=False), list[str]()
    NetworkBoot(server, hand, said.append, 600).go()
    assert said[0] == "the network must come first in its boot order: no boot device can be chosen"


def test_whatever_goes_wrong_the_entry_is_gone(clock: Clock) -> None:
    server, hand = Server(clock, ["nothing"]), Broken()
    with pytest.raises(PowerError, match="on fire"):
        NetworkBoot(server, hand, lambda _text: None, 600).go()
    assert server.calls == ["entry for 630 s", "remove"]
    assert hand.calls == ["network", "disk"]


def test_the_machine_of_another_run_is_left_alone(clock: Clock) -> None:
    hand = Hand()
    with pytest.raises(NetbootError, match="another run"):
        NetworkBoot(Replaced(clock, []), hand, lambda _text: None, 600).go()
    assert hand.calls == ["network", "start"]


def test_the_boot_device_is_taken_back_although_the_entry_is_not(clock: Clock) -> None:
    hand, said = Hand(), list[str]()
    with pytest.raises(NetbootError, match="has not checked in"):
        NetworkBoot(Unreachable(clock, ["nothing"]), hand, said.append, 600).go()
    assert hand.calls[-1] == "disk"
    assert "the entry could not be removed: imaging cannot be reached" in said
