# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._power.waiting import Deadline, Overdue


class Clock:
    """Time passes only while somebody sleeps, or looks."""

    def __init__(self) -> None:
        self.now = 50.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_is_so_already_is_not_waited_for(clock: Clock) -> None:
    assert Deadline(10, clock.time, clock.sleep).until(lambda: "on", {"on"}) == "on"
    assert clock.slept == []


def test_unknown_is_not_done(clock: Clock) -> None:
    seen = iter(["off", "unknown", "unknown", "on"])
    assert Deadline(10, clock.time, clock.sleep).until(lambda: next(seen), {"on"}) == "on"
    assert clock.slept == [1, 1, 1]


def test_at_the_end_there_is_a_last_look(clock: Clock) -> None:
    looks: list[float] = []

    def look() -> str:
        looks.append(clock.now)
        return "off"

    with pytest.raises(Overdue) as caught:
        Deadline(2.5, clock.time, clock.sleep).until(look, {"on"})
    assert caught.value.seen == "off"
    assert looks == [50, 51, 52, 52.5]


def test_a_look_may_take_longer_than_there_is_time(clock: Clock) -> None:
    def look() -> str:
        clock.now += 60
        return "on" if clock.now > 150 else "off"

    assert Deadline(30, clock.time, clock.sleep).until(look, {"on"}) == "on", "asked once more after the end"


def test_time_runs_from_the_beginning(clock: Clock) -> None:
    deadline = Deadline(10, clock.time, clock.sleep)
    clock.now += 20
    with pytest.raises(Overdue):
        deadline.until(lambda: "off", {"on"})
    assert clock.slept == []
