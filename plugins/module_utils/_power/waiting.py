# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Waiting with a deadline. What is unknown is not done."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """How to wait.

    :ivar timeout: seconds.
    :ivar pause: seconds between looks.
    """

    timeout: float
    pause: float = 2.0
    clock: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep

    def until(self, is_so: t.Callable[[], bool]) -> bool:
        """Look until it is so, or the time is over; at least once.

        :return: whether it is so.
        """
        deadline = self.clock() + self.timeout
        while not is_so():
            if self.clock() >= deadline:
                return False
            self.sleep(self.pause)
        return True
