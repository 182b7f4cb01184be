# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that capture or apply, and get SIGKILL at a chosen moment.

A moment is a report of progress, or the instant before or after the store or the disk is changed. Importing the
engine takes longer than a small capture, so one process imports it, and forks another for each order.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.golden.fleet.plugins.module_utils._disk.handle import DiskHandle
from ansible_collections.golden.fleet.plugins.module_utils._errors import GoldenError
from ansible_collections.golden.fleet.plugins.module_utils._image import lease, pack
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.engine import apply_disk, capture_disk

_VERBS = {"apply": apply_disk, "capture": capture_disk}
_STORE_CHANGES = ("write", "create", "delete")
_DISK_CHANGES = ("write_from", "sync")


@dataclass(frozen=True)
class End:
    """How a process ended, and the moments it lived to see."""

    killed: bool
    moments: list[str]
    error: str = ""


class Executioner:
    """Use as a context manager; runs verbs in processes that it lets be killed."""

    def __enter__(self) -> Executioner:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, verb: str, location: StoreLocation, disk: str, ref: str, kill_at: int = 0, **options: t.Any) -> End:
        """One verb in a process of its own, killed at the moment of that number; 0 lets it live."""
        order = {"verb": verb, "store": asdict(location), "disk": disk, "ref": ref, "at": kill_at, "options": options}
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("it has no pipes")
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        return End(**json.loads(stdout.readline()))


class _Moments:
    """Counts moments, tells of each, and at one of them kills its own process."""

    def __init__(self, kill_at: int, tell: int) -> None:
        self._left = kill_at
        self._tell = tell

    def __call__(self, name: str) -> None:
        os.write(self._tell, f"{name}\n".encode())
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def phase(self, name: str, total: int = 0) -> None:  # noqa: ARG002
        self(f"phase {name}")

    def advance(self, count: int) -> None:  # noqa: ARG002
        self("advance")

    def note(self, text: str) -> None:
        pass

    def around(self, owner: t.Any, name: str) -> None:
        """Make the instants before and after a method of something moments, too."""
        method = getattr(owner, name)

        def wrapped(*arguments: t.Any) -> t.Any:
            self(f"before {name}")
            result = method(*arguments)
            self(f"after {name}")
            return result

        setattr(owner, name, wrapped)


def _live(order: dict[str, t.Any], tell: int) -> None:
    """In the forked process: do what was ordered, as long as it lasts."""
    pack.TARGET_SIZE = 2 << 20
    lease._SETTLE = 0.01
    moments = _Moments(order["at"], tell)
    store: Store = open_store(StoreLocation(**order["store"]))
    for name in _STORE_CHANGES:
        moments.around(store, name)
    for name in _DISK_CHANGES:
        moments.around(DiskHandle, name)
    _VERBS[order["verb"]](store, order["disk"], order["ref"], moments, threads=1, **order["options"])
    store.close()


def _execute(order: dict[str, t.Any]) -> End:
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hear)
        os.dup2(sys.stderr.fileno(), 1)
        try:
            _live(order, tell)
            os._exit(0)
        except GoldenError as failure:
            os.write(tell, f"!{failure}".encode())
        finally:
            os._exit(1)  # whatever went wrong, there must not be two of this process
    os.close(tell)
    with open(hear, encoding="utf-8") as lines:
        said, _mark, error = lines.read().partition("!")
    _pid, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return End(killed, said.splitlines(), error or ("" if killed or status == 0 else "it broke"))


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(asdict(_execute(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
