# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Runs programs and measures them from outside: wall clock, processor time, peak memory."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PACKAGE = "ansible_collections.golden.fleet.tests.bench"


class BenchError(Exception):
    """The bench cannot go on; the message is for the person who started it."""


@dataclass(frozen=True)
class Sample:
    """One timed run."""

    wall: float  # seconds, until the outputs are on the disk
    cpu: float  # seconds, user and system, all processes
    rss: int  # bytes, peak of the biggest process
    stdout: str = ""  # of the last process


@dataclass(frozen=True)
class Runs:
    """All timed runs of one contender."""

    samples: tuple[Sample, ...]

    @property
    def wall(self) -> float:
        return median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        return median(sample.cpu for sample in self.samples)

    @property
    def rss(self) -> int:
        return max(sample.rss for sample in self.samples)

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "wall_seconds": round(self.wall, 2),
            "cpu_seconds": round(self.cpu, 2),
            "peak_memory_bytes": self.rss,
            "each_wall_seconds": [round(sample.wall, 2) for sample in self.samples],
        }


def program(name: str) -> list[str]:
    """How to start another file of this folder as a process of its own."""
    return [sys.executable, "-m", f"{PACKAGE}.{name}"]


def timed(pipeline: t.Sequence[t.Sequence[str]], outputs: t.Sequence[Path]) -> Sample:
    """Run programs connected by pipes, from cold caches, until their outputs are on the disk.

    :param outputs: files or folders that the programs write; syncing them is part of the time.
    """
    drop_caches()
    begin = time.perf_counter()
    cpu, rss, stdout = _run_pipeline(pipeline)
    for output in outputs:
        sync(output)
    return Sample(time.perf_counter() - begin, cpu, rss, stdout)


def run(pipeline: t.Sequence[t.Sequence[str]]) -> None:
    """Run programs connected by pipes, for their outcome only.

    :raises BenchError: one of them failed.
    """
    _run_pipeline(pipeline)


def drop_caches() -> None:
    """Write back everything, then forget it, so that nobody reads what somebody else read before."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n", encoding="ascii")


def sync(path: Path) -> None:
    """Bring a file, or all that lies in a folder, onto the disk."""
    for one in [path, *path.rglob("*")] if path.is_dir() else [path]:
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _run_pipeline(pipeline: t.Sequence[t.Sequence[str]]) -> tuple[float, int, str]:
    with contextlib.ExitStack() as cleanup:
        said = cleanup.enter_context(tempfile.TemporaryFile())
        complaints = cleanup.enter_context(tempfile.TemporaryFile())
        started: list[subprocess.Popen[bytes]] = []
        cleanup.callback(_end, started)
        for number, argv in enumerate(pipeline, 1):
            last = number == len(pipeline)
            stdin = started[-1].stdout if started else subprocess.DEVNULL
            stdout = said if last else subprocess.PIPE
            started.append(subprocess.Popen(argv, stdin=stdin, stdout=stdout, stderr=complaints))
            if len(started) > 1:
                t.cast(t.IO[bytes], started[-2].stdout).close()  # else its reader's death goes unnoticed
        usages = [_wait(process) for process in started]
        complaints.seek(0)
        said.seek(0)
        if any(process.returncode for process in started):
            text = complaints.read().decode(errors="replace").strip()[-2000:]
            shown = " | ".join(shlex.join(argv) for argv in pipeline)
            raise BenchError(f"This failed: {shown}\n{text or 'It said nothing.'}")
        # ru_maxrss also covers the moment between fork and exec, so the bench itself must stay small.
        return sum(usage[0] for usage in usages), max(usage[1] for usage in usages), said.read().decode()


def _wait(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def _end(started: t.Iterable[subprocess.Popen[bytes]]) -> None:
    for process in started:
        if process.returncode is None:
            process.kill()
            process.wait()
