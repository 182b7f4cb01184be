# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._job.files import JobFolder
from ansible_collections.golden.fleet.plugins.module_utils._job.progress import JobProgress, Meter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_remaining_time_are_those_of_the_last_seconds() -> None:
    meter = Meter(1, "writing", 1000, now=0.0)
    meter.done = 100
    slow = meter.sample(10.0)
    assert (slow["rate"], slow["remaining"]) == (10, 90.0)
    for second in range(11, 32):
        meter.done += 40
        fast = meter.sample(float(second))
    assert fast["rate"] == 40
    assert fast["remaining"] == (1000 - meter.done) / 40


def test_nobody_knows_how_long_without_a_total_or_a_rate() -> None:
    meter = Meter(1, "looking", 0, now=0.0)
    meter.done = 5
    assert meter.sample(1.0)["remaining"] is None
    meter = Meter(1, "writing", 10, now=0.0)
    assert meter.sample(0.0)["remaining"] is None


def test_more_than_was_said_is_no_negative_time() -> None:
    meter = Meter(1, "writing", 10, now=0.0)
    meter.done = 20
    assert meter.sample(1.0)["remaining"] == 0.0


def test_it_writes_at_most_twice_a_second(tmp_path: Path) -> None:
    clock = Clock()
    progress = JobProgress(JobFolder(tmp_path), str, clock)
    progress.phase("writing", 100)
    progress.advance(10)
    assert written(tmp_path)["done"] == 0
    clock.now += 0.5
    progress.advance(10)
    assert written(tmp_path)["done"] == 20


def test_a_new_phase_is_written_at_once(tmp_path: Path) -> None:
    progress = JobProgress(JobFolder(tmp_path), str, Clock())
    progress.phase("reading", 100)
    progress.advance(10)
    progress.phase("writing", 50)
    assert (written(tmp_path)["number"], written(tmp_path)["phase"]) == (2, "writing")
    assert written(tmp_path)["done"] == 0


def test_threads_lose_nothing(tmp_path: Path) -> None:
    clock = Clock()
    progress = JobProgress(JobFolder(tmp_path), str, clock)
    progress.phase("writing")

    def work() -> None:
        for number in range(500):
            clock.now += 0.01
            progress.advance(1)
            if number % 100 == 0:
                progress.note("a hundred")

    threads = [threading.Thread(target=work) for dummy in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += 1
    progress.advance(0)
    assert written(tmp_path)["done"] == 2000
    assert len(JobFolder(tmp_path).notes()) == 20


def test_a_note_that_is_being_written_is_not_read_in_half(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text('"whole"\n"hal', encoding="utf-8")
    assert JobFolder(tmp_path).notes() == ("whole",)


def test_notes_of_several_lines_stay_one_note(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    folder.add_note("two\nlines")
    folder.add_note("next")
    assert folder.notes() == ("two\nlines", "next")
    assert folder.notes(seen=1) == ("next",)


def written(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
    return found
