# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Draws the times of a bench as docs/bench.svg.

    picture.py JSON SVG

A program of its own: the bench must stay small while it measures (see measure.py).
"""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

_TITLES = {
    "first_capture": "First capture",
    "second_capture": "Capture after 5 % changed",
    "first_apply": "Apply to a blank disk",
    "second_apply": "Apply again, 5 % changed",
}
_NAMES = {
    "clonezilla": "Clonezilla-like",
    "fog": "FOG-like",
    "dd": "dd, direct I/O",
    "unread": "golden.fleet, not read back",
    "ours": "golden.fleet",
}
_COLOURS = {"clonezilla": "#9aa5b1", "fog": "#bcc5ce", "dd": "#dde2e7", "unread": "#d9b44a", "ours": "#b8860b"}
_REMARKS = {("second_apply", "dd"): "dd, only reading"}


def draw(figures: dict[str, t.Any], path: Path) -> None:
    """One panel for each scenario that was measured, all with the same scale of seconds."""
    shown = [name for name in _TITLES if name in figures]
    if not shown:
        return
    counts = [len(figures[name]["runs"]) for name in shown]
    mpl.rcParams.update({"svg.hashsalt": "golden.fleet", "font.size": 11, "font.family": "DejaVu Sans"})
    figure = Figure(figsize=(9, 0.42 * sum(counts) + 0.85 * len(shown)), layout="tight")
    ratios = {"height_ratios": counts}
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False, gridspec_kw=ratios)
    for panel, name in zip(panels[:, 0], shown):
        _panel(panel, name, figures[name]["runs"])
    panels[-1, 0].set_xlabel("seconds, until the data is on the disk (shorter is better)")
    figure.savefig(path, metadata={"Date": None})


def _panel(panel: t.Any, name: str, runs: dict[str, t.Any]) -> None:
    who = list(runs)
    times = [runs[one]["wall_seconds"] for one in who]
    labels = [_REMARKS.get((name, one), _NAMES[one]) for one in who]
    bars = panel.barh(labels, times, color=[_COLOURS[one] for one in who], height=0.72)
    ours = runs["ours"]["wall_seconds"]
    notes = [f"{time:.1f} s" + (f"   ({time / ours:.1f}x)" if time != ours else "") for time in times]
    panel.bar_label(bars, notes, padding=5)
    panel.set_title(_TITLES[name], loc="left", fontweight="bold", fontsize=11)
    panel.invert_yaxis()
    panel.margins(x=0.16)
    panel.spines[["top", "right", "left"]].set_visible(False)
    panel.tick_params(axis="y", length=0)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
