# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a person sees of long work: lines of text, and when they are due. Nothing of Ansible."""

from __future__ import annotations

import time
import typing as t

from ..module_utils._fields import plain
from ..module_utils._job.model import RUNNING
from ..module_utils._units import show_duration, show_size


def progress_line(progress: t.Mapping[str, t.Any]) -> str:
    """One phase on one line: ``writing 43 %, 1.2 GB of 2.8 GB, 210.0 MB/s, 12 s left``."""
    phase, done, total = progress["phase"], progress["done"], progress["total"]
    if total:
        parts = [f"{phase} {min(100 * done // total, 100)} %", f"{show_size(done)} of {show_size(total)}"]
    elif done:
        parts = [phase, show_size(done)]
    else:
        return str(phase)
    if progress["rate"]:
        parts.append(f"{show_size(progress['rate'])}/s")
    if progress["remaining"] is not None and done < total:
        parts.append(f"{show_duration(progress['remaining'])} left")
    return ", ".join(parts)


class Reporter:
    """Decides which lines are shown: every note, every new phase, and where it stands now and then."""

    def __init__(
        self,
        prefix: str,
        show: t.Callable[[str], None],
        interval: float,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        """:param prefix: begins with the host, because AWX shows these lines without naming one."""
        self._prefix = prefix
        self._show = show
        self._interval = interval
        self._clock = clock
        self._phase = 0
        self._shown = clock()

    def say(self, text: str) -> None:
        # Some texts come from a disk, such as labels: they must not steer somebody's terminal.
        self._show(f"{self._prefix}: {' '.join(plain(text).split())}")

    def report(self, status: t.Mapping[str, t.Any]) -> None:
        """Show what is new in a status."""
        for note in status["notes"]:
            self.say(note)
        progress = status["progress"]
        if status["state"] != RUNNING or not progress:
            return  # the result says more than where it stood half a second before the end
        if progress["number"] != self._phase or self._clock() - self._shown >= self._interval:
            self._phase = progress["number"]
            self._shown = self._clock()
            self.say(progress_line(progress))
