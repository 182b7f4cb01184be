# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Waiting for something that is read again and again."""

from __future__ import annotations

import time
import typing as t

Value = t.TypeVar("Value")

_PAUSE = 1.0  # seconds between two looks


class Overdue(Exception):
    """What was waited for did not come.

    :ivar seen: the last that was seen instead.
    """

    def __init__(self, seen: t.Any) -> None:
        super().__init__(f"still {seen}")
        self.seen = seen


class Deadline:
    """A time until which to wait; it runs from the moment it is made."""

    def __init__(
        self,
        seconds: float,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    def until(self, look: t.Callable[[], Value], wanted: t.Container[Value]) -> Value:
        """The first of the wanted values that is seen. Whatever else is seen, unknown ones too, is not it.

        There is a look at the very end, too.

        :raises Overdue: none was seen in time.
        """
        while True:
            over = self._clock() >= self._end
            seen = look()
            if seen in wanted:
                return seen
            if over:
                raise Overdue(seen)
            self._sleep(max(0.0, min(_PAUSE, self._end - self._clock())))
