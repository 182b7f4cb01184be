# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Trying again what failed for a moment."""

from __future__ import annotations

import random
import time
import typing as t

from .._errors import StoreError

Answer = t.TypeVar("Answer")


class Passing(Exception):
    """It failed, but may work in a moment.

    :ivar error: what to tell the user if it does not.
    """

    def __init__(self, error: StoreError) -> None:
        super().__init__(error.message)
        self.error = error


class Patience:
    """How often and how long to try again: delays double; jitter keeps a fleet from coming back as one.

    :param first: seconds before the second try.
    :param longest: seconds between two tries, at most.
    :param tries: how often altogether.
    """

    def __init__(
        self,
        tries: int = 8,
        first: float = 0.5,
        longest: float = 10.0,
        sleep: t.Callable[[float], None] = time.sleep,
        jitter: t.Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.tries = tries
        self._first = first
        self._longest = longest
        self.sleep = sleep
        self._jitter = jitter

    def delays(self, tries: int) -> t.Iterator[float]:
        """How long to wait between so many tries."""
        for count in range(tries - 1):
            usual = min(self._first * 2**count, self._longest)
            yield self._jitter(usual / 2, usual)

    def run(self, attempt: t.Callable[[], Answer], tries: int | None = None) -> Answer:
        """What attempt returns, as soon as it does not raise Passing."""
        for delay in self.delays(tries or self.tries):
            try:
                return attempt()
            except Passing:
                self.sleep(delay)
        try:
            return attempt()
        except Passing as passing:
            raise passing.error from passing
