# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. An end of the play in the middle of a task, after which something has to be cleaned up."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t

from ..module_utils._job.process import raising


class _Interrupted(BaseException):
    """Somebody ends the play. Core would end this process at once."""

    def __init__(self, signum: signal.Signals) -> None:
        super().__init__(signum.name)
        self.signum = signum


@contextlib.contextmanager
def orderly_end() -> t.Iterator[None]:
    """What is inside gets an exception where core would end the process, so that its ``finally`` runs first."""
    try:
        with raising({each: _Interrupted(each) for each in (signal.SIGINT, signal.SIGTERM)}):
            yield
    except _Interrupted as interrupted:
        # All is cleaned up and core's own handlers are back: let them end the process as they would have.
        os.kill(os.getpid(), interrupted.signum)
        raise
