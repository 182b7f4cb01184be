# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Files of assignments, as /etc/default/keyboard and locale.conf are. Pure functions of their text."""

from __future__ import annotations

import re
import typing as t

_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_]+)=(.*)", re.DOTALL)


def value_in(text: str, name: str) -> str | None:
    """What a name is set to: by the last line that does, without quotes."""
    found = None
    for line in text.split("\n"):
        if (match := _LINE.fullmatch(line)) and match[1] == name:
            found = match[2].strip().strip("\"'")
    return found


def assigned(text: str, values: t.Mapping[str, str | None]) -> str:
    """With these values, in the place of the first line that sets a name, or at the end; None: with no such line.

    All other lines stay as they are.
    """
    for name, value in values.items():
        if value_in(text, name) != value:
            text = _set(text, name, value)
    return text


def _set(text: str, name: str, value: str | None) -> str:
    lines: list[str] = []
    place: int | None = None
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match and match[1] == name:
            place = len(lines) if place is None else place
        else:
            lines.append(line)
    if value is None:
        return "\n".join(lines)
    if place is None:
        place = len(lines) - 1 if lines[-1] == "" else len(lines)
    lines.insert(place, f'{name}="{value}"')
    return "\n".join(lines) + ("" if lines[-1] == "" else "\n")
