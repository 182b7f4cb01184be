# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Processes: how one is left behind, how one is asked to stop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import typing as t
from pathlib import Path

WorkerMain = t.Callable[[t.Callable[[], None]], None]

_STDERR = 2


class Interrupted(BaseException):
    """Stop now. Not an Exception, so that nothing which retries or translates errors swallows it."""


class Cancelled(Interrupted):
    """Somebody sent SIGTERM."""


class TimedOut(Interrupted):
    """It took longer than it may."""


@contextlib.contextmanager
def interruptible(timeout: float) -> t.Iterator[None]:
    """SIGTERM and the end of the time (0: none) become exceptions, so that everything is cleaned up."""
    with raising({signal.SIGTERM: Cancelled(), signal.SIGALRM: TimedOut()}):
        signal.setitimer(signal.ITIMER_REAL, timeout)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def raising(exceptions: t.Mapping[signal.Signals, BaseException]) -> t.Iterator[None]:
    """These signals become exceptions in the main thread.

    Only the first one that comes: what it sets off must not be interrupted again.
    """

    def stop(signum: int, *_: t.Any) -> None:
        for each in exceptions:
            signal.signal(each, _ignore)
        raise exceptions[signal.Signals(signum)]

    before = {each: signal.signal(each, stop) for each in exceptions}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _ignore(*_: t.Any) -> None:
    """Unlike SIG_IGN this is not inherited by the programs that a cleanup runs."""


def detach(main: WorkerMain, stderr: Path, scrub: t.Callable[[str], str]) -> bool:
    """Run ``main(ready)`` in a process that nothing ties to this one.

    Everything must be imported already: the archive with our code is deleted when the module ends.

    :param main: calls ``ready()`` when it may be left alone.
    :param stderr: where a crash leaves its traceback.
    :returns: it said that it is ready; otherwise it is dead.
    """
    listen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            _be_worker(main, tell, stderr, scrub)
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(listen, "rb") as answer:
        return answer.read() == b"ready"


def _be_worker(main: WorkerMain, tell: int, stderr: Path, scrub: t.Callable[[str], str]) -> t.NoReturn:
    def ready() -> None:
        os.write(tell, b"ready")
        os.close(tell)

    code = 1
    try:
        os.setsid()
        # Whoever runs the module waits until nobody holds its pipes; and a lock lasts while a copy is open.
        _replace_files(stderr, keep=tell)
        main(ready)
        code = 0
    except BaseException:  # noqa: BLE001  the process ends here: nobody above could say what happened
        sys.stderr.write(scrub(traceback.format_exc()))
        sys.stderr.flush()
    finally:
        os._exit(code)


def _replace_files(stderr: Path, keep: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
        # Not closed but replaced: objects that were copied along still know their number, and may close it.
        if fd not in {keep, _STDERR}:
            os.dup2(nothing, fd)
    written = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, _STDERR)
    os.close(written)
    sys.stderr = os.fdopen(_STDERR, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
