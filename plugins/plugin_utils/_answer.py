# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A deadline for what a connection does: no connection plugin has one for a command."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t

from ansible.errors import AnsibleConnectionFailure

from ..module_utils._job.process import raising
from ..module_utils._units import show_duration


class _NoAnswer(BaseException):
    """The machine has taken a command and stays silent: it lost its power, or the network lost our connection."""


@contextlib.contextmanager
def answer_within(seconds: float) -> t.Iterator[None]:
    """The alarm clock, which would be simpler, belongs to the task's own timeout.

    :raises AnsibleConnectionFailure: what is inside takes longer.
    """
    timer = threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))
    try:
        with raising({signal.SIGUSR1: _NoAnswer()}):
            timer.start()
            try:
                yield
            finally:
                timer.cancel()
                timer.join()  # from here on the signal cannot come any more, which would end this process
    except _NoAnswer as silence:
        raise AnsibleConnectionFailure(f"no answer within {show_duration(int(seconds))}") from silence
