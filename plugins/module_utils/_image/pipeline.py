# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A bounded pipeline: threads work ahead, results come back in order."""

from __future__ import annotations

import os
import threading
import typing as t
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

Item = t.TypeVar("Item")
Outcome = t.TypeVar("Outcome")


_MEMORY = 96 << 20  # bytes for all threads together, on a computer of any size


def worker_count(weight: int) -> int:
    """Threads that keep all processors busy while some wait for a disk or a server, within a bounded memory.

    :param weight: bytes that one thread and what it has done ahead may hold.
    """
    return max(1, min(len(os.sched_getaffinity(0)) + 2, _MEMORY // weight))


def ordered(
    work: t.Callable[[Item], Outcome], items: t.Iterable[Item], threads: int, ahead: int | None = None
) -> t.Generator[Outcome, None, None]:
    """``map(work, items)`` in threads.

    :param ahead: how many items may be in work or waiting to be collected; it bounds the memory.

    An error in the work, or in the caller, stops it: what has not begun is dropped, what has begun is awaited.
    """
    limit = ahead or 2 * threads
    pending: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) >= limit:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


class PerThread(t.Generic[Outcome]):
    """Something each thread needs one of its own of: a buffer, a compressor."""

    def __init__(self, make: t.Callable[[], Outcome]) -> None:
        self._make = make
        self._local = threading.local()

    def get(self) -> Outcome:
        if not hasattr(self._local, "value"):
            self._local.value = self._make()
        value: Outcome = self._local.value
        return value
