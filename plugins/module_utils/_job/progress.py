# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The progress of a job, written down where whoever polls finds it."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import deque

from .files import JobFolder

_INTERVAL = 0.5
_WINDOW = 20  # samples, so the rate is that of the last ten seconds


class Meter:
    """Counts one phase: how much, how fast, how long still."""

    def __init__(self, number: int, name: str, total: int, now: float) -> None:
        self.number = number
        self.name = name
        self.total = total
        self.done = 0
        self._samples: deque[tuple[float, int]] = deque([(now, 0)], maxlen=_WINDOW)

    def sample(self, now: float) -> dict[str, t.Any]:
        """The state of this phase; remaining is in seconds, None when nobody knows."""
        since, done = self._samples[0]
        self._samples.append((now, self.done))
        rate = (self.done - done) / (now - since) if now > since else 0.0
        known = self.total and rate
        return {
            "number": self.number,
            "phase": self.name,
            "done": self.done,
            "total": self.total,
            "rate": round(rate),
            "remaining": round(max(self.total - self.done, 0) / rate, 1) if known else None,
        }


class JobProgress:
    """Implements Progress for a worker. Writes at most twice a second: a chunk takes milliseconds."""

    def __init__(
        self,
        folder: JobFolder,
        scrub: t.Callable[[str], str],
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._scrub = scrub
        self._clock = clock
        self._lock = threading.Lock()
        self._meter = Meter(0, "", 0, clock())
        self._written = clock()

    def phase(self, name: str, total: int = 0) -> None:
        with self._lock:
            self._meter = Meter(self._meter.number + 1, name, total, self._clock())
            self._write()

    def advance(self, count: int) -> None:
        with self._lock:
            self._meter.done += count
            if self._clock() - self._written >= _INTERVAL:
                self._write()

    def note(self, text: str) -> None:
        with self._lock:
            self._folder.add_note(self._scrub(text))

    def _write(self) -> None:
        self._written = self._clock()
        self._folder.write("progress", self._meter.sample(self._written))
