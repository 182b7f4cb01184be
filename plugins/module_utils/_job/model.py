# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a job is, in the eyes of whoever asks."""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from .._progress import Progress

RUNNING = "running"
DONE = "done"
FAILED = "failed"
CANCELLED = "cancelled"
LOST = "lost"
"""A closed list. Everything but RUNNING is terminal; LOST: the worker is gone and left no result."""


@dataclass(frozen=True)
class Work:
    """Something that takes minutes.

    :param run: does it, tells the progress, returns the result of the module. It finds no file or connection that was
        opened before, and can import no more of this collection: it may run in another process.
    :param subject: what nobody else may work on meanwhile, for people: ``disk /dev/sda``.
    """

    run: t.Callable[[Progress], dict[str, t.Any]]
    subject: str | None = None


@dataclass(frozen=True)
class Order:
    """How a piece of work is to be carried out.

    :param id: chosen by whoever starts, so that a start whose answer got lost can still be cancelled.
    :param key: a digest of what is asked for, without secrets; the same key means the same work.
    :param title: for people: ``image_apply``.
    :param timeout: seconds after which the work is stopped and counts as failed.
    :param check: it is a dry run.
    :param scrub: takes secrets out of everything that is written down.
    """

    id: str
    key: str
    title: str
    timeout: float
    check: bool = False
    scrub: t.Callable[[t.Any], t.Any] = field(default=lambda value: value)


@dataclass(frozen=True)
class Outcome:
    """How work ended."""

    state: str
    result: dict[str, t.Any]


@dataclass(frozen=True)
class Status:
    """Where a job stands."""

    id: str
    state: str
    progress: dict[str, t.Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    result: dict[str, t.Any] | None = None
    attached: bool = False

    def as_dict(self) -> dict[str, t.Any]:
        return {**asdict(self), "notes": list(self.notes)}
