# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Judges figures against what is required of us, and shows them as a table."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

_BEGIN, _END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


@dataclass(frozen=True)
class Row:
    """One requirement, and how far we are."""

    what: str
    value: float
    bound: float
    at_least: bool = True  # else at most
    unit: str = "x"

    @property
    def passed(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def as_dict(self) -> dict[str, t.Any]:
        return {**asdict(self), "passed": self.passed}

    def cells(self) -> tuple[str, str, str, str]:
        sign = "≥" if self.at_least else "≤"
        verdict = "pass" if self.passed else "FAIL"
        return self.what, f"{self.value:.2f} {self.unit}", f"{sign} {self.bound:g} {self.unit}", verdict


def judge(figures: dict[str, t.Any]) -> list[Row]:
    """A row for each requirement whose scenario was measured."""
    rows: list[Row] = []
    for name, judge_one in _JUDGES.items():
        if name in figures:
            rows += judge_one(figures[name], figures)
    peaks = [_peak(scenario, "ours") for name, scenario in figures.items() if name in _JUDGES]
    if "many_processors" in figures:
        rows.append(_many_processors(figures["many_processors"]))
    if peaks:
        rows.append(Row("memory: our biggest process", max(peaks) / 1e6, 300, at_least=False, unit="MB"))
    return rows


def _first_capture(scenario: t.Any, _figures: t.Any) -> list[Row]:
    sizes = scenario["image_bytes"]
    bigger = sizes["ours"] / min(sizes["clonezilla"], sizes["fog"])
    return [
        _faster(scenario, "first capture", "clonezilla", 2.5),
        _faster(scenario, "first capture", "fog", 1.3),
        Row("first capture: size of the image, beside their smallest", bigger, 1.03, at_least=False),
    ]


def _second_capture(scenario: t.Any, figures: t.Any) -> list[Row]:
    added = scenario["added_bytes"] / figures["disk"]["change"]["compressed"]
    return [
        _faster(scenario, "second capture", "clonezilla", 6),
        Row("second capture: added, beside the compressed change", added, 1.5, at_least=False),
    ]


def _first_apply(scenario: t.Any, _figures: t.Any) -> list[Row]:
    told = scenario["told"]["bytes"]
    return [
        _faster(scenario, "full apply", "clonezilla", 5, "unread"),
        _faster(scenario, "full apply", "fog", 2.5, "unread"),
        Row("full apply: time, beside dd of the same bytes", _beside_dd(scenario, "unread"), 1.5, at_least=False),
        _faster(scenario, "full apply and read back", "clonezilla", 2.5),
        _faster(scenario, "full apply and read back", "fog", 1.3),
        Row("full apply and read back: time, beside dd", _beside_dd(scenario), 1.5, at_least=False),
        Row("full apply and read back: verified, of what was written", told["verified"] / told["written"], 1),
    ]


def _second_apply(scenario: t.Any, figures: t.Any) -> list[Row]:
    fetched = scenario["told"]["bytes"]["fetched"] / figures["disk"]["change"]["compressed"]
    return [
        Row("re-apply: fetched, beside the compressed change", fetched, 1.5, at_least=False),
        Row("re-apply: time, beside reading the used data once", _beside_dd(scenario), 1.2, at_least=False),
    ]


def _big_disk(scenario: t.Any, _figures: t.Any) -> list[Row]:
    sizes = scenario["object_bytes"]
    described = sum(size for name, size in sizes.items() if name.endswith(("manifest.json", "index"))) / 1e6
    return [
        Row("2 TB, 100 GB used: planning", _wall(scenario, "ours"), 10, at_least=False, unit="s"),
        Row("2 TB, 100 GB used: manifest and index", described, 30, at_least=False, unit="MB"),
    ]


def _many_processors(scenario: t.Any) -> Row:
    peak = max(_peak(scenario, who) for who in ("capture", "apply"))
    return Row("memory: with the threads for 64 processors", peak / 1e6, 300, at_least=False, unit="MB")


_JUDGES: dict[str, t.Callable[[t.Any, t.Any], list[Row]]] = {
    "first_capture": _first_capture,
    "second_capture": _second_capture,
    "first_apply": _first_apply,
    "second_apply": _second_apply,
    "big_disk": _big_disk,
}

SCENARIOS = (*_JUDGES, "many_processors", "startup")


def table(rows: t.Iterable[Row], figures: dict[str, t.Any]) -> str:
    """What a person reads, in Markdown."""
    lines = ["| what | measured | required | |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    lines += ["", "| scenario | who | median | processor time | peak memory |", "|---|---|---|---|---|"]
    measured = [(name, figures[name]["runs"]) for name in SCENARIOS if name in figures]
    for name, contenders in measured:
        for who, runs in contenders.items():
            times = f"{runs['wall_seconds']:.2f} s | {runs['cpu_seconds']:.2f} s"
            memory = f"{runs['peak_memory_bytes'] / 1e6:.0f} MB"
            lines.append(f"| {name.replace('_', ' ')} | {who} | {times} | {memory} |")
    if "startup" in figures:
        lines += [
            "",
            f"Ansible's own start-up takes {figures['startup']['startup_seconds']:.2f} s beside all this.",
        ]
    return "\n".join(lines) + "\n"


def write_json(path: Path, figures: dict[str, t.Any], rows: t.Iterable[Row]) -> None:
    document = {**figures, "rows": [row.as_dict() for row in rows]}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_page(path: Path, text: str) -> None:
    """Put the table between the marks of a page."""
    before, _begin, rest = path.read_text(encoding="utf-8").partition(_BEGIN)
    _old, _end, after = rest.partition(_END)
    path.write_text(before + _BEGIN + text + _END + after, encoding="utf-8")


def _faster(scenario: t.Any, what: str, peer: str, bound: float, who: str = "ours") -> Row:
    name = {"clonezilla": "Clonezilla", "fog": "FOG"}[peer]
    return Row(f"{what}: faster than {name}-like", _wall(scenario, peer) / _wall(scenario, who), bound)


def _beside_dd(scenario: t.Any, who: str = "ours") -> float:
    return _wall(scenario, who) / _wall(scenario, "dd")


def _wall(scenario: t.Any, who: str) -> float:
    return t.cast(float, scenario["runs"][who]["wall_seconds"])


def _peak(scenario: t.Any, who: str) -> int:
    return t.cast(int, scenario["runs"][who]["peak_memory_bytes"])
