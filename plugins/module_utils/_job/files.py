# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Where jobs are written down: a folder for each, readable by its owner only, without secrets."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import stat
import threading
import time
import typing as t
from pathlib import Path

from .._errors import JobError

_ID = re.compile(r"[0-9a-f]{32}")
_TAIL = 2000


def default_root() -> Path:
    """Gone after a reboot, as the jobs are; but not when the user logs out, as XDG_RUNTIME_DIR would be."""
    if os.geteuid() == 0:
        return Path("/run/golden.fleet/jobs")
    return Path(f"/tmp/golden.fleet-{os.geteuid()}/jobs")  # noqa: S108  whose folder it is, is checked


class JobFolder:
    """The files of one job.

    ``job`` says what it is and which process works on it, ``progress`` where it stands, ``result`` how it
    ended, ``fetched`` that somebody has seen that; ``notes`` has a line per note, ``stderr`` the traceback of
    a crash.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def id(self) -> str:
        return self.path.name

    def read(self, name: str) -> dict[str, t.Any] | None:
        """The content of a file, None when there is none."""
        try:
            return t.cast("dict[str, t.Any]", json.loads(self._file(name).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def write(self, name: str, value: t.Mapping[str, t.Any]) -> None:
        """Replace a file; whoever reads sees the old content or the new."""
        # Two processes may write the same file: the worker its result, and whoever cancels it.
        draft = self.path / f".{name}.{os.getpid()}.{threading.get_ident()}"
        draft.write_text(json.dumps(value), encoding="utf-8")
        draft.replace(self._file(name))

    def age(self, name: str) -> float | None:
        """Seconds since a file was written, None when there is none."""
        try:
            return time.time() - self._file(name).stat().st_mtime
        except FileNotFoundError:
            return None

    def add_note(self, text: str) -> None:
        with (self.path / "notes").open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(text) + "\n")

    def notes(self, seen: int = 0) -> tuple[str, ...]:
        """All notes after those that were seen."""
        try:
            lines = (self.path / "notes").read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return ()
        return tuple(json.loads(line) for line in lines[seen:] if line.endswith("\n"))

    @property
    def stderr(self) -> Path:
        return self.path / "stderr"

    def last_words(self) -> str:
        """The end of what the worker wrote when it crashed."""
        try:
            return self.stderr.read_text(encoding="utf-8", errors="replace").strip()[-_TAIL:]
        except FileNotFoundError:
            return ""

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.json"


class JobFolders:
    """All jobs of one user on this machine."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def folder(self, job_id: str) -> JobFolder | None:
        """The folder of a job, None when there is none."""
        folder = self._at(job_id)
        return folder if folder.path.is_dir() else None

    def create(self, job_id: str) -> JobFolder:
        """The folder of a new job. Only under the lock."""
        folder = self._at(job_id)
        folder.path.mkdir(mode=0o700)
        return folder

    def all(self) -> list[JobFolder]:
        return [JobFolder(path) for path in sorted(self.root.iterdir()) if _ID.fullmatch(path.name)]

    @contextlib.contextmanager
    def locked(self) -> t.Iterator[None]:
        """Nobody else starts, or decides about, a job meanwhile."""
        self._make_root()
        fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _at(self, job_id: str) -> JobFolder:
        if not _ID.fullmatch(job_id):
            raise JobError(f"{job_id!r} is not the id of a job: that has 32 hexadecimal digits.")
        return JobFolder(self.root / job_id)

    def _make_root(self) -> None:
        for path in (self.root.parent, self.root):
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700, parents=True)
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise JobError(
                    f"{path} must be a folder that only the user who runs the module may write to. "
                    "Somebody else made it: remove it and try again."
                )
