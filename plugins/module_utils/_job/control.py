# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Starts, follows and cancels jobs."""

from __future__ import annotations

import os
import signal
import time
import typing as t
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from .._errors import JobError
from .._process import Identity
from .._units import show_duration
from .files import JobFolder, JobFolders
from .model import CANCELLED, DONE, LOST, RUNNING, Order, Outcome, Status, Work
from .process import detach
from .worker import be_worker

_COLLECTABLE = 3600.0
_FORGET_FETCHED = 600.0  # not at once: the answer that carried the result may have been lost on its way
_FORGET = 86400.0


class Jobs:
    """The jobs of this user on this machine."""

    def __init__(self, root: Path | None = None) -> None:
        self._folders = JobFolders(root)

    def attach(self, key: str, collect: bool = False) -> Status | None:
        """The job that does, or has just done, this very work.

        :param collect: a job that is done, but whose result nobody has seen, counts as well for an hour.
        """
        with self._folders.locked():
            return self._attach(key, collect)

    def start(self, order: Order, work: Work) -> Status:
        """Begin, unless this very work is under way; then attach to it.

        Starting the same id twice is starting it once, and an id that was cancelled before never starts.

        :raises JobError: other work on the same subject is under way, or the worker did not come up.
        """
        with self._folders.locked():
            self._sweep()
            folder = self._folders.folder(order.id)
            if folder:
                return _status(folder)
            attached = self._attach(order.key)
            if attached:
                return attached
            self._check_free(work.subject)
            folder = self._folders.create(order.id)
            if not detach(partial(be_worker, folder, order, work), folder.stderr, order.scrub):
                words = folder.last_words()
                folder.remove()
                raise JobError(f"{order.title}: the worker process did not come up. {words}")
            return _status(folder)

    def poll(self, job_id: str, seen: int = 0) -> Status:
        """Where a job stands, and its notes after those seen."""
        folder = self._folders.folder(job_id)
        if not folder:
            return Status(job_id, LOST, result={"msg": _gone(job_id)})
        status = _status(folder, seen)
        if status.state != RUNNING:
            folder.write("fetched", {})
        return status

    def cancel(self, job_id: str, grace: float = 15.0, check: bool = False) -> Status:
        """Stop a job and wait until it has stopped. One that has ended stays as it ended.

        :param grace: seconds that the worker has for cleaning up.
        :param check: only stop what is a dry run itself.
        :raises JobError: the worker cannot be stopped.
        """
        with self._folders.locked():
            folder = self._folders.folder(job_id)
            if not folder:
                # Its start may still be on its way here: it must find that it comes too late.
                folder = self._folders.create(job_id)
                folder.write("result", asdict(Outcome(CANCELLED, {"msg": "Cancelled before it began."})))
        record = folder.read("job")
        status = _status(folder)
        if record and status.state == RUNNING and (record["check"] or not check):
            killed = _stop(Identity(**record["process"]), record["title"], grace)
            if not folder.read("result"):
                why = f"; it did not stop by itself within {grace:.0f} s" if killed else " before it began"
                folder.write("result", asdict(Outcome(CANCELLED, {"msg": f"{record['title']} was cancelled{why}."})))
        return self.poll(job_id)

    def _attach(self, key: str, collect: bool = False) -> Status | None:
        for folder in self._folders.all():
            record = folder.read("job")
            if record and record["key"] == key and (_runs(folder) or (collect and _collectable(folder))):
                return replace(_status(folder), attached=True)
        return None

    def _check_free(self, subject: str | None) -> None:
        for folder in self._folders.all():
            record = folder.read("job")
            if subject and record and record["subject"] == subject and _runs(folder):
                since = show_duration(folder.age("job") or 0)
                raise JobError(
                    f"{subject}: {record['title']} has been at work on it for {since} (job {folder.id}). "
                    "Wait until it is done, or cancel it with golden.fleet.job.",
                    subject=subject,
                    job=folder.id,
                )

    def _sweep(self) -> None:
        for folder in self._folders.all():
            fetched = folder.age("fetched")
            age = folder.age("result") or folder.age("job")
            old = age is None or age > _FORGET
            if (fetched and fetched > _FORGET_FETCHED) or (old and not _runs(folder)):
                folder.remove()


def _status(folder: JobFolder, seen: int = 0) -> Status:
    # In this order: a worker that ends meanwhile has written its result before it is gone.
    runs = _runs(folder)
    ended = folder.read("result")
    notes = folder.notes(seen)
    progress = folder.read("progress") or {}
    if ended:
        return Status(folder.id, ended["state"], progress, notes, ended["result"])
    if runs:
        return Status(folder.id, RUNNING, progress, notes)
    return Status(folder.id, LOST, progress, notes, _obituary(folder))


def _runs(folder: JobFolder) -> bool:
    record = folder.read("job")
    return bool(record and not folder.read("result") and Identity(**record["process"]).alive)


def _collectable(folder: JobFolder) -> bool:
    ended = folder.read("result")
    if not ended or folder.age("fetched") is not None:
        return False
    return bool(ended["state"] == DONE and (folder.age("result") or 0) < _COLLECTABLE)


def _obituary(folder: JobFolder) -> dict[str, t.Any]:
    record = folder.read("job") or {"title": "The work"}
    words = folder.last_words()
    why = f"It said last: {words.splitlines()[-1]}." if words else "Somebody killed it, or memory ran out."
    return {
        "msg": f"{record['title']}: the worker process ended without a result. {why} "
        "Run the task again: it goes on where this one stopped.",
        "stderr": words,
    }


def _gone(job_id: str) -> str:
    return (
        f"Nothing is known of job {job_id}: the machine was restarted, or the job ended more than a day ago. "
        "Run the task again: it goes on where this one stopped."
    )


def _stop(process: Identity, title: str, grace: float) -> bool:
    """Ask the worker, which ends its children itself; after that kill whatever is left of its group.

    :returns: whether it had to be killed.
    """
    if process.alive:
        os.kill(process.pid, signal.SIGTERM)
    if _ended(process, grace):
        return False
    os.killpg(process.pid, signal.SIGKILL)
    if not _ended(process, 10.0):
        raise JobError(
            f"{title}: process {process.pid} does not end, not even by SIGKILL: the kernel waits for a disk "
            "or a network file system. Look at that device, or restart the machine."
        )
    return True


def _ended(process: Identity, within: float) -> bool:
    deadline = time.monotonic() + within
    while process.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
