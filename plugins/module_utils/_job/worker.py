# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Carries out work: here, or as the main function of a worker process."""

from __future__ import annotations

import signal
import typing as t
from dataclasses import asdict

from .._errors import GoldenError
from .._process import Identity
from .._progress import Progress
from .._units import show_duration
from .files import JobFolder
from .model import CANCELLED, DONE, FAILED, Order, Outcome, Work
from .process import Cancelled, TimedOut, interruptible
from .progress import JobProgress


def attempt(work: Work, progress: Progress, title: str, timeout: float) -> Outcome:
    """Do the work to whatever end it comes to; a bug is not caught."""
    try:
        with interruptible(timeout):
            return Outcome(DONE, work.run(progress))
    except GoldenError as error:
        return Outcome(FAILED, {**error.facts, "msg": error.message})
    except TimedOut:
        return Outcome(
            FAILED,
            {
                "msg": f"{title} was not done after {show_duration(timeout)} and was stopped. Find out what "
                "makes it slow, or give it a longer timeout; the next attempt goes on from here.",
                "timed_out": True,
            },
        )
    except Cancelled:
        return Outcome(CANCELLED, {"msg": f"{title} was cancelled before it was done."})


def be_worker(folder: JobFolder, order: Order, work: Work, ready: t.Callable[[], None]) -> None:
    """Do the work in this process, which lives for nothing else, and write the result down."""
    # Whoever began this process may have ignored the signal, which is inherited.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    folder.write(
        "job",
        {
            "key": order.key,
            "title": order.title,
            "subject": work.subject,
            "check": order.check,
            "process": asdict(Identity.current()),
        },
    )
    ready()
    outcome = attempt(work, JobProgress(folder, order.scrub), order.title, order.timeout)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folder.write("result", {"state": outcome.state, "result": order.scrub(outcome.result)})
