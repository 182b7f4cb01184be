# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table at the end of the demo."""

from __future__ import annotations

import typing as t

from ansible_collections.golden.fleet.tests.demo_disks import report

_GB = 10**9


def _apply(fetched: int, written: int, skipped: int) -> dict[str, t.Any]:
    moved = {"read": 2 * _GB, "fetched": fetched, "written": written, "skipped": skipped, "verified": written}
    return {"seconds": 4.06, "bytes": moved}


def _results() -> dict[str, t.Any]:
    return {
        "captured": {"seconds": 12.3, "bytes": {"used": _GB, "read": 2 * _GB, "known": 0, "stored": _GB}},
        "checked": {"seconds": 1, "ok": True, "bytes": {"read": _GB}},
        "computer_a": _apply(fetched=_GB, written=2 * _GB, skipped=0),
        "computer_b": _apply(fetched=100_000, written=_GB // 2, skipped=_GB),
        "again": _apply(fetched=0, written=0, skipped=2 * _GB),
    }


def _cells(line: str) -> list[str]:
    return [cell for cell in line.split("  ") if cell]


def test_each_step_is_a_row_with_what_it_moved() -> None:
    title, _rule, *lines = report.table(report.playbook_rows(_results())).splitlines()
    assert title.split() == ["read", "stored", "fetched", "written", "skipped", "verified", "time"]
    rows = [[cell.strip() for cell in _cells(line)] for line in lines[:5]]
    assert rows == [
        ["capture reference", "2.0 GB", "1.0 GB", "12.3 s"],
        ["check the store", "1.0 GB", "intact", "1.0 s"],
        ["apply to computer_a (blank)", "2.0 GB", "1.0 GB", "2.0 GB", "0", "2.0 GB", "4.1 s"],
        ["apply to computer_b (older)", "2.0 GB", "100.0 kB", "500.0 MB", "1.0 GB", "1.5 GB", "4.1 s"],
        ["apply to computer_b again", "2.0 GB", "0", "0", "2.0 GB", "2.0 GB", "4.1 s"],
    ]


def test_columns_are_aligned_and_fit_a_terminal() -> None:
    rows = [*report.playbook_rows(_results()), report.booted("boot computer_a with UEFI", 101.5)]
    text = report.table(rows)
    body = text.partition("\n\n")[0].splitlines()
    assert {len(line) for line in body} == {len(body[0])}
    assert max(map(len, text.splitlines())) <= report.WIDTH
    assert body[-1].split() == ["boot", "computer_a", "with", "UEFI", "boots", "101.5", "s"]


def test_every_column_that_moves_bytes_is_explained() -> None:
    table, legend = report.table([]).split("\n\n")
    explained = [line.split()[0] for line in legend.splitlines()]
    assert [title for title in table.splitlines()[0].split() if title != "time"] == explained
