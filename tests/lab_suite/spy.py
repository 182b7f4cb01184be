# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks for secrets where everybody can read: in lists of processes, on kernel command lines, in files."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import threading
import time
import typing as t
from pathlib import Path

_PAUSE = 0.3  # seconds between two looks
# All that ps could show, and how the kernel was started; what looks is in there, too, with the word it is given.
_LOOK = """\
while :; do
    cat /proc/cmdline /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "
    echo
    sleep "$1"
done # seen by itself
"""


def forms(secret: str, username: str | None = None) -> set[bytes]:
    """How a secret may be written: as it is, or as HTTP and Windows carry it."""
    plain = secret.encode()
    basic = base64.b64encode(f"{username}:{secret}".encode()) if username else plain
    wide = secret.encode("utf-16-le")
    return {plain, base64.b64encode(plain), basic, wide, base64.b64encode(wide)}


class Spy:
    """Watches until the end of its ``with``.

    :param needles: what must not be seen.
    """

    def __init__(self, needles: t.Collection[bytes]) -> None:
        self.found: set[str] = set()
        self.kernels: set[str] = set()  # command lines of the kernels that were seen, of machines
        self.looks = {"here": 0, "there": 0}
        self._needles = needles
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._ssh: subprocess.Popen[bytes] | None = None

    def watch_here(self) -> None:
        """This computer: controller, server, management controllers, virtual machines from outside."""
        self._begin(self._look_here)

    def watch_machine(self, login: t.Sequence[str]) -> None:
        """A machine that can be logged in to at times, whatever system it runs."""
        self._begin(lambda: self._look_there(login))

    def __enter__(self) -> Spy:
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        if self._ssh:
            self._ssh.kill()
        for thread in self._threads:
            thread.join()

    def _begin(self, work: t.Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _look_here(self) -> None:
        while not self._over.wait(_PAUSE):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    self._see("here", Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" "))
            self.looks["here"] += 1

    def _look_there(self, login: t.Sequence[str]) -> None:
        while not self._over.is_set():
            argv = [*login, f"sh -c '{_LOOK}' sh {_PAUSE}"]
            with subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as self._ssh:
                assert self._ssh.stdout
                for line in self._ssh.stdout:
                    self._see("there", line)
                    self.looks["there"] += b"seen by itself" in line
                    if b"root=" in line or b"golden.checkin=" in line:
                        self.kernels.add(line.decode("utf-8", "replace"))
            time.sleep(_PAUSE)

    def _see(self, where: str, text: bytes) -> None:
        if any(needle in text for needle in self._needles):
            self.found.add(f"{where}: {text.decode('utf-8', 'replace')}")


def files_with(needles: t.Iterable[bytes], *places: Path, readable_by_all: bool = False) -> list[str]:
    """Files beneath these places that hold one of them.

    :param readable_by_all: only those that everybody may read.
    """
    found = []
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_symlink() or not path.is_file() or (readable_by_all and not path.stat().st_mode & 0o004):
                continue
            text = path.read_bytes()
            found += [str(path)] if any(needle in text for needle in needles) else []
    return found
