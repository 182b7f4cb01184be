# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs in the background, which another process than the one that started them may end."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import time
import types
import typing as t
from pathlib import Path

_PATIENCE = 30.0  # seconds until it answers, and until it is gone


class Startable:
    """There from ``with`` to its end; or from start() to stop()."""

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> t.Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.stop()


class Service:
    """One program.

    :param folder: its own: its command line names it, by which stop() knows that a process id is still that program's.
    :param name: for its files there, a log and its process id.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._mark = str(folder)
        self._name = name
        self._log = folder / f"{name}.log"
        self._pid = folder / f"{name}.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: t.Sequence[str], answers: t.Callable[[], bool]) -> None:
        """Start it, and wait until it answers.

        :raises RuntimeError: it does not, and what it said.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._pid.write_text(str(self._process.pid))
        deadline = time.monotonic() + _PATIENCE
        while not answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self._name} does not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Kill it, and wait until it is gone. It may have gone already."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pid = int(self._pid.read_text())
            if self._mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                _kill(pid)
                self._wait(pid)
        self._pid.unlink(missing_ok=True)

    def _wait(self, pid: int) -> None:
        if self._process is not None and self._process.pid == pid:
            self._process.wait(_PATIENCE)
            return
        deadline = time.monotonic() + _PATIENCE
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)


def _kill(pid: int) -> None:
    """Its children first: one may be the first process of a namespace, with which everything in there ends."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(child), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port on loopback that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_or_stop(what: str, start: t.Callable[[Path], None], stop: t.Callable[[Path], None]) -> None:
    """The program with which playbooks start something that lives in a folder, and stop it."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    {"start": start, "stop": stop}[arguments.action](arguments.folder.resolve())
