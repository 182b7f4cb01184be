# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.plugin_utils._reporter import Reporter, progress_line

GB = 1_000_000_000


def progress(**changes: t.Any) -> dict[str, t.Any]:
    return {"number": 1, "phase": "writing", "done": 0, "total": 0, "rate": 0, "remaining": None, **changes}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"phase": "looking"}, "looking"),
        ({"phase": "looking", "done": 5_000_000}, "looking, 5.0 MB"),
        ({"total": 2 * GB}, "writing 0 %, 0 bytes of 2.0 GB"),
        (
            {"done": 1_200_000_000, "total": 2_800_000_000, "rate": 210_000_000, "remaining": 7.6},
            "writing 42 %, 1.2 GB of 2.8 GB, 210.0 MB/s, 8 s left",
        ),
        ({"done": GB, "total": GB, "rate": 9, "remaining": 0.0}, "writing 100 %, 1.0 GB of 1.0 GB, 9 bytes/s"),
        ({"done": 3, "total": 2}, "writing 100 %, 3 bytes of 2 bytes"),
    ],
)
def test_line(given: dict[str, t.Any], line: str) -> None:
    assert progress_line(progress(**given)) == line


class Watcher:
    def __init__(self) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.reporter = Reporter("web1 | image_apply", self.lines.append, 10, lambda: self.now)

    def report(self, state: str = "running", notes: t.Sequence[str] = (), **given: t.Any) -> list[str]:
        """What is shown for a status."""
        self.lines.clear()
        self.reporter.report({"state": state, "notes": notes, "progress": progress(**given) if given else {}})
        return [line.removeprefix("web1 | image_apply: ") for line in self.lines]


def test_each_line_begins_with_the_host() -> None:
    watcher = Watcher()
    watcher.reporter.say("hello\nyou")
    assert watcher.lines == ["web1 | image_apply: hello you"]


def test_what_steers_a_terminal_is_not_shown() -> None:
    watcher = Watcher()
    watcher.reporter.say("label \x1b[2J\x07 Büro")
    assert watcher.lines == ["web1 | image_apply: label [2J Büro"]


def test_a_phase_is_shown_when_it_begins_and_then_now_and_then() -> None:
    watcher = Watcher()
    assert watcher.report(phase="reading") == ["reading"]
    assert watcher.report(phase="reading") == []
    watcher.now = 9.9
    assert watcher.report(phase="reading") == []
    watcher.now = 10.0
    assert watcher.report(phase="reading") == ["reading"]
    assert watcher.report(phase="reading") == []
    assert watcher.report(phase="reading", number=2) == ["reading"]


def test_notes_are_shown_always_and_first() -> None:
    watcher = Watcher()
    assert watcher.report(notes=["one", "two"], phase="reading") == ["one", "two", "reading"]
    assert watcher.report(notes=["three"], state="done", phase="writing", number=2) == ["three"]
    assert watcher.report(notes=["four"]) == ["four"]
