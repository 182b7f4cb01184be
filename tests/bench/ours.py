# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. How the engine is called: each time in a process of its own, as a module is."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import typing as t
from pathlib import Path

from .measure import BenchError, program

TREE = Path(__file__).resolve().parent.parent.parent


def make_importable() -> None:
    """Lets the processes that we start import the collection from this tree."""
    collections = runpy.run_path(str(TREE / "tests" / "conftest.py"))["link_tree"](TREE)
    os.environ["PYTHONPATH"] = os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections)


def capture(disk: Path, store: Path, image: str) -> list[list[str]]:
    return engine("capture", disk, store, image)


def apply(disk: Path, store: Path, image: str) -> list[list[str]]:
    return engine("apply", disk, store, image)


def apply_unread(disk: Path, store: Path, image: str) -> list[list[str]]:
    """Without reading back what was written; every chunk is verified before it is written, as always."""
    return engine("apply-unread", disk, store, image)


def plan(disk: Path, store: Path, image: str) -> list[list[str]]:
    """Apply in check mode."""
    return engine("plan", disk, store, image)


def engine(verb: str, disk: Path, store: Path, image: str, *processors: str) -> list[list[str]]:
    """:param processors: how many there seem to be, if not as many as there are."""
    return [[*program("engine"), verb, str(disk), str(store), image, *processors]]


def play(disk: Path, store: Path, name: str, version: str) -> list[list[str]]:
    """A capture as a user starts it."""
    values = {
        "bench_disk": str(disk),
        "bench_store": str(store),
        "bench_image": name,
        "bench_version": version,
    }
    playbook = str(TREE / "tests" / "bench" / "startup.yml")
    return [[sys.executable, "-m", "ansible", "playbook", playbook, "--extra-vars", json.dumps(values)]]


def used_extents(disk: Path) -> list[tuple[int, int]]:
    """(start, length) of what a filesystem uses, in bytes."""
    return [(pair[0], pair[1]) for pair in _told([*program("engine"), "extents", str(disk)])]


def simulate(store: Path, image: str) -> dict[str, t.Any]:
    """An image of a big disk that does not exist."""
    return t.cast(dict[str, t.Any], _told([*program("simulate"), str(store), image]))


def _told(argv: list[str]) -> t.Any:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(argv)} failed: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)
