# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does anybody need this machine? Sessions of SSH, and the jobs of golden.fleet."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

JOBS = Path("/run/golden.fleet/jobs")
_PORT = f":{22:04X}"
_ESTABLISHED = "01"
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


class Job(t.NamedTuple):
    """Work under way, as _job of the collection writes it down."""

    title: str
    subject: str | None
    progress: dict[str, t.Any]

    @property
    def what(self) -> str:
        subject = f" on {self.subject}" if self.subject else ""
        return f"{self.title}{subject}: {self.progress.get('phase') or 'begins'}"

    @property
    def detail(self) -> str:
        """How far it is; begins with a comma if there is anything."""
        done, total = self.progress.get("done", 0), self.progress.get("total", 0)
        rate, remaining = self.progress.get("rate"), self.progress.get("remaining")
        words = [
            f"{100 * done // total} %, {show_size(done)} of {show_size(total)}" if total else "",
            show_size(done) if done and not total else "",
            f"{show_size(rate)}/s" if rate else "",
            f"{show_time(remaining)} left" if remaining else "",
        ]
        return "".join(f", {word}" for word in words if word)


def jobs(folder: Path = JOBS) -> list[Job]:
    """Those whose worker lives."""
    found = []
    for job in sorted(folder.glob("*/job.json")):
        try:
            record = json.loads(job.read_text("utf-8"))
            if not job.with_name("result.json").exists() and _lives(record["process"]):
                found.append(Job(record["title"], record["subject"], _progress(job.with_name("progress.json"))))
        except (OSError, ValueError, KeyError):
            continue  # it is being made, or taken away
    return found


def sessions(*tables: str) -> list[str]:
    """Established connections to sshd, from /proc/net/tcp and tcp6; each as the kernel writes its peer."""
    rows = [line.split()[1:4] for table in tables for line in table.splitlines()[1:]]
    return [peer for local, peer, state in rows if local.endswith(_PORT) and state == _ESTABLISHED]


def is_needed() -> bool:
    return bool(jobs() or sessions(*(Path(f"/proc/net/{name}").read_text("ascii") for name in _tables())))


def show_size(count: float) -> str:
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"


def show_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min" if minutes > 1 else f"{60 * minutes + rest} s"


def _tables() -> list[str]:
    return [name for name in ("tcp", "tcp6") if Path(f"/proc/net/{name}").exists()]


def _progress(file: Path) -> dict[str, t.Any]:
    try:
        return t.cast("dict[str, t.Any]", json.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _lives(process: dict[str, t.Any]) -> bool:
    """The same process, not a later one with its number; and no zombie."""
    try:
        fields = Path(f"/proc/{process['pid']}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return False
    return fields[19] == process["started"] and fields[0] not in {"Z", "X"}
