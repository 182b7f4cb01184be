# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Processes: which one is meant, and whether it still runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Identity:
    """A process for ever: its number may be given to another one later."""

    pid: int
    started: str  # clock ticks since boot, from /proc
    boot: str

    @classmethod
    def current(cls) -> Identity:
        """This process."""
        pid = os.getpid()
        return cls(pid, _stat(pid)[1], boot_id())

    @property
    def alive(self) -> bool:
        """It still runs. A zombie does not: an init that never reaps must not make it look busy."""
        if self.boot != boot_id():
            return False
        state, started = _stat(self.pid)
        return started == self.started and state not in {"", "Z", "X"}


def boot_id() -> str:
    """What tells this boot of the machine from all others."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _stat(pid: int) -> tuple[str, str]:
    """State and start time of a process; empty where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    # The second field is the program's name in parentheses and may hold anything, spaces included.
    fields = text.rpartition(")")[2].split()
    return fields[0], fields[19]
