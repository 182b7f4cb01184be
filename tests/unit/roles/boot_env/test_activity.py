# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a machine counts as used."""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._job.control import Jobs
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Order, Work
from ansible_collections.golden.fleet.plugins.module_utils._progress import Progress
from ansible_collections.golden.fleet.roles.boot_env.files.client.activity import (
    JOBS,
    Job,
    jobs,
    sessions,
    show_size,
    show_time,
)
from ansible_collections.golden.fleet.tests.support.playbook import until

TRANSCRIPTS = Path(__file__).with_name("transcripts")


def test_jobs_lie_where_root_has_them() -> None:
    assert str(JOBS) == "/run/golden.fleet/jobs"


def test_session_of_ssh_is_seen() -> None:
    tables = [(TRANSCRIPTS / name).read_text() for name in ("tcp-6.1-session.txt", "tcp6-6.1-listening.txt")]
    assert sessions(*tables) == ["01004D0A:B1A0"]
    assert sessions(tables[1]) == []


def test_real_job_is_seen_while_it_runs(tmp_path: Path) -> None:
    may_end = tmp_path / "may-end"

    def work(progress: Progress) -> dict[str, t.Any]:
        progress.phase("writing", 4 << 30)
        progress.advance(1 << 30)
        while not may_end.exists():
            threading.Event().wait(0.02)
        return {}

    root = tmp_path / "run" / "jobs"
    order = Order("0" * 32, "key", "image_apply", 60)
    Jobs(root).start(order, Work(work, "disk /dev/sda"))
    try:
        until(lambda: [job.progress.get("phase") for job in jobs(root)] == ["writing"], "the job")
        (job,) = jobs(root)
        assert job.what == "image_apply on disk /dev/sda: writing"
    finally:
        may_end.touch()
    until(lambda: not jobs(root), "its end")


def test_dead_job_is_none(tmp_path: Path) -> None:
    folder = tmp_path / ("1" * 32)
    folder.mkdir()
    record = {"title": "x", "subject": None, "process": {"pid": 1, "started": "never", "boot": ""}}
    (folder / "job.json").write_text(json.dumps(record))
    assert jobs(tmp_path) == []
    (folder / "job.json").write_text("{")
    assert jobs(tmp_path) == []


@pytest.mark.parametrize(
    ("progress", "detail"),
    [
        ({}, ""),
        ({"done": 0, "total": 0, "rate": 0, "remaining": None}, ""),
        ({"done": 3 << 20, "total": 0, "rate": 1 << 20}, ", 3.0 MiB, 1.0 MiB/s"),
        (
            {"done": 3 << 30, "total": 7 << 30, "rate": 88 << 20, "remaining": 46.5},
            ", 42 %, 3.0 GiB of 7.0 GiB, 88.0 MiB/s, 46 s left",
        ),
    ],
)
def test_how_far_a_job_is(progress: dict[str, t.Any], detail: str) -> None:
    assert Job("image_apply", None, progress).detail == detail


def test_sizes_and_times() -> None:
    assert [show_size(size) for size in (0, 1023, 1024, 150 << 20, 3 << 50)] == [
        "0 bytes",
        "1023 bytes",
        "1.0 KiB",
        "150 MiB",
        "3072 TiB",
    ]
    assert [show_time(seconds) for seconds in (0.4, 61, 119.4, 120, 3600)] == [
        "0 s",
        "61 s",
        "119 s",
        "2 min",
        "60 min",
    ]
