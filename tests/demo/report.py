# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo prints in the end. Pure: steps and records in, text out."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.golden.fleet.plugins.module_utils._units import show_duration, show_size

_COLUMNS = ("", "host", "firmware", "into the network", "imaging", "sent or fetched", "written", "back", "all of it")


@dataclass(frozen=True)
class Step:
    """One playbook. Times are seconds; processor time is the controller's."""

    name: str
    seconds: float
    processor: float
    machines: int = 1


def table(steps: t.Sequence[Step], records: t.Sequence[dict[str, t.Any]]) -> str:
    """A line for each machine and playbook, from the server's records; then what the controller took."""
    lines = [_COLUMNS, *map(_cells, records)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_COLUMNS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    text.insert(1, "-" * len(text[0]))
    return "\n".join([*text, "", *map(_took, steps)])


def _took(step: Step) -> str:
    return (
        f"{step.name}: {show_duration(int(step.seconds))}, of which the controller was busy for "
        f"{step.processor / step.machines:.1f} s per machine"
    )


def compared(record: dict[str, t.Any], kernel: float) -> str:
    """How long a machine took into the boot environment, and the same kernel and initramfs by itself (seconds)."""
    boot = record["seconds"]["boot"]
    return (
        f"From power-on to check-in: {record['host']} {boot:.0f} s over the network, "
        f"{boot / kernel:.1f} times the {kernel:.0f} s that the same kernel and initramfs take with QEMU's -kernel."
    )


def _cells(record: dict[str, t.Any]) -> tuple[str, ...]:
    nothing = {"fetched": 0, "written": 0} if record.get("applied") is False else {}
    moved = record.get("bytes") or nothing
    return (
        record["purpose"] if record["outcome"] == "ok" else f"{record['purpose']} FAILED",
        record["host"],
        record["firmware"] or "",
        _time(record["seconds"]["boot"]),
        _time(record["seconds"]["work"]),
        _size(moved.get("fetched", moved.get("stored"))),
        _size(moved.get("written")),
        _time(record["seconds"]["back"]),
        _time(record["seconds"].get("all")),
    )


def _time(seconds: float | None) -> str:
    return "" if seconds is None else show_duration(int(seconds))


def _size(size: int | None) -> str:
    return "" if size is None else show_size(size)
