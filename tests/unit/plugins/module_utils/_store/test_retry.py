# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import StoreBroken
from ansible_collections.golden.fleet.plugins.module_utils._store._retry import Passing, Patience


class Flaky:
    """Fails so many times, then works."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.failures:
            raise Passing(StoreBroken(f"failure {self.calls}"))
        return "done"


def _patience(slept: list[float], tries: int = 5) -> Patience:
    return Patience(tries, first=1.0, longest=3.0, sleep=slept.append, jitter=lambda _low, high: high)


def test_what_works_at_once_does_not_wait() -> None:
    slept: list[float] = []
    assert _patience(slept).run(Flaky(0)) == "done"
    assert slept == []


def test_delays_double_up_to_the_longest() -> None:
    slept: list[float] = []
    assert _patience(slept).run(Flaky(4)) == "done"
    assert slept == [1.0, 2.0, 3.0, 3.0]


def test_the_last_error_is_the_one_that_is_told() -> None:
    slept: list[float] = []
    flaky = Flaky(99)
    with pytest.raises(StoreBroken, match="failure 5"):
        _patience(slept).run(flaky)
    assert (flaky.calls, len(slept)) == (5, 4)


def test_fewer_tries_where_asked() -> None:
    flaky = Flaky(99)
    with pytest.raises(StoreBroken, match="failure 2"):
        _patience([]).run(flaky, tries=2)
    assert flaky.calls == 2


def test_other_errors_are_not_tried_again() -> None:
    calls = []

    def attempt() -> None:
        calls.append(1)
        raise StoreBroken("for good")

    with pytest.raises(StoreBroken, match="for good"):
        _patience([]).run(attempt)
    assert calls == [1]


def test_jitter_is_between_half_and_all_of_the_delay() -> None:
    asked: list[tuple[float, float]] = []

    def jitter(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    patience = Patience(4, first=1.0, longest=60.0, sleep=lambda _seconds: None, jitter=jitter)
    patience.run(Flaky(3))
    assert asked == [(0.5, 1.0), (1.0, 2.0), (2.0, 4.0)]
