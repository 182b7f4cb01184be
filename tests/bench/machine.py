# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What the figures were measured on, and whether there is room to measure."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import subprocess
import typing as t
from importlib.metadata import version
from pathlib import Path

from .measure import BenchError


def facts(work: Path) -> dict[str, t.Any]:
    """Processor, memory, kernel, filesystem and versions."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": _first_value("/proc/cpuinfo", "model name"),
        "processors": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "kernel": platform.release(),
        "filesystem": _said("stat", "--file-system", "--format=%T", str(work)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "zstandard": version("zstandard"),
        "blake3": version("blake3"),
        "partclone": _said("partclone.ext4", "--version"),
        "zstd": _said("zstd", "--version"),
    }


def check_fitness(work: Path, needed: int) -> None:
    """:raises BenchError: not root, or too little space."""
    if os.geteuid() != 0:
        raise BenchError("The bench mounts disks and drops caches: run it as root.")
    space = os.statvfs(work)
    free = space.f_bavail * space.f_frsize
    cached = sum(file.stat().st_blocks * 512 for file in work.rglob("*") if file.is_file())
    if free + cached < needed:
        raise BenchError(
            f"{work} has {free / 1e9:.0f} GB free, the bench needs {(needed - cached) / 1e9:.0f} GB. "
            "Make room, or choose another folder with --work."
        )


@contextlib.contextmanager
def alone(work: Path) -> t.Iterator[None]:
    """Only one bench at a time in a folder.

    :raises BenchError: there is one already.
    """
    with open(work / "lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchError(f"Another bench is running in {work}.") from error
        yield


def _first_value(path: str, key: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _colon, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return platform.machine()


def _said(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[0]
