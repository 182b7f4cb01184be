# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo prints: headings, and the table of all that moved. Pure: results in, text out."""

from __future__ import annotations

import textwrap
import typing as t
from dataclasses import dataclass, field

from ansible_collections.golden.fleet.plugins.module_utils._units import show_size

WIDTH = 100
_MOVED = ("read", "stored", "fetched", "written", "skipped")
_COLUMNS = ("", *_MOVED, "verified", "time")
_LEGEND = (
    ("read", "bytes of the disk that were read, to capture them or to compare them with the image"),
    ("stored", "compressed bytes that were sent to the store"),
    ("fetched", "compressed bytes that came from the store"),
    ("written", "bytes written to the disk"),
    ("skipped", "bytes that were on the disk already, as the image wants them"),
    ("verified", "bytes of the disk that were read and found to be as in the image, by their BLAKE3 digests"),
)


@dataclass(frozen=True)
class Row:
    """One step of the demo."""

    name: str
    seconds: float
    moved: t.Mapping[str, int] = field(default_factory=dict)  # by the names in _MOVED
    verified: str = ""


def playbook_rows(results: t.Mapping[str, t.Any]) -> list[Row]:
    """The steps of the playbook, from what its modules returned."""
    return [
        _captured("capture reference", results["captured"]),
        _checked("check the store", results["checked"]),
        _applied("apply to computer_a (blank)", results["computer_a"]),
        _applied("apply to computer_b (older)", results["computer_b"]),
        _applied("apply to computer_b again", results["again"]),
    ]


def booted(name: str, seconds: float) -> Row:
    """A row from a boot that reached its login prompt."""
    return Row(name, seconds, verified="boots")


def table(rows: t.Sequence[Row]) -> str:
    """The rows with their titles, and what the titles mean."""
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(_COLUMNS))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([*lines, "", *(f"{word:<9} {meaning}" for word, meaning in _LEGEND)])


def paragraph(text: str) -> str:
    """Text as lines that fit a terminal."""
    return textwrap.fill(" ".join(text.split()), WIDTH)


def _captured(name: str, result: t.Mapping[str, t.Any]) -> Row:
    """A row from what image_capture returned."""
    return Row(name, result["seconds"], {key: result["bytes"][key] for key in ("read", "stored")})


def _checked(name: str, result: t.Mapping[str, t.Any]) -> Row:
    """A row from what image_verify returned."""
    return Row(name, result["seconds"], {"fetched": result["bytes"]["read"]}, "intact")


def _applied(name: str, result: t.Mapping[str, t.Any]) -> Row:
    """A row from what image_apply returned."""
    moved = {key: result["bytes"][key] for key in ("read", "fetched", "written", "skipped")}
    # What is skipped was read, hashed and found right; what was written was read back.
    verified = result["bytes"]["verified"] + result["bytes"]["skipped"]
    return Row(name, result["seconds"], moved, _shown(verified))


def _cells(row: Row) -> tuple[str, ...]:
    moved = (_shown(row.moved.get(key)) for key in _MOVED)
    return (row.name, *moved, row.verified, f"{row.seconds:.1f} s")


def _shown(count: int | None) -> str:
    """Nothing where the step knows no such number."""
    if count is None:
        return ""
    return show_size(count) if count else "0"


def _line(cells: t.Sequence[str], widths: t.Sequence[int]) -> str:
    first, *others = zip(cells, widths)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])
