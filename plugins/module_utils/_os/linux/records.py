# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The texts of passwd, shadow, group, gshadow, subuid and subgid: a line for each name, fields between colons.

Pure functions. Whatever they are not asked about stays as it is, byte for byte: comments, odd lines, line ends.
"""

from __future__ import annotations

import re
import typing as t

Fields = t.List[str]  # noqa: UP006  # evaluated at run time
_NUMBER = re.compile(r"[0-9]{1,10}")  # longer ones may be too long for int()
_LARGEST = (1 << 32) - 2


def find(text: str, name: str) -> Fields | None:
    """The fields of a name: of its first line, which is the one that counts."""
    return next((fields for fields in rows(text) if fields[0] == name), None)


def is_number(field: str) -> bool:
    """Whether a user or a group could have it."""
    return bool(_NUMBER.fullmatch(field)) and int(field) <= _LARGEST


def rows(text: str) -> t.Iterator[Fields]:
    """The fields of all names; not of comments, nor of what stands for another source of names."""
    for line in text.split("\n"):
        if _name(line):
            yield line.split(":")


def put(text: str, fields: t.Sequence[str]) -> str:
    """With these fields for the name that is the first of them: in the place of its line, or as the last name."""
    new, lines = ":".join(fields), text.split("\n")
    for number, line in enumerate(lines):
        if _name(line) == fields[0]:
            lines[number] = new
            return "\n".join(lines)
    # What comes after a + is asked of NIS first.
    at = next((number for number, line in enumerate(lines) if line.startswith(("+", "-"))), len(lines))
    if at == len(lines) and lines[-1] == "":
        at -= 1
    lines.insert(at, new)
    if at == len(lines) - 1:
        lines.append("")
    return "\n".join(lines)


def drop(text: str, name: str) -> str:
    """Without any line of this name."""
    return "\n".join(line for line in text.split("\n") if _name(line) != name)


def numbers(text: str, field: int = 2) -> set[int]:
    """The numbers that users or groups have."""
    found = (fields[field] for fields in rows(text) if len(fields) > field)
    return {int(value) for value in found if is_number(value)}


def members(fields: t.Sequence[str]) -> list[str]:
    """Of a line of group or gshadow, which both have them last."""
    return [name for name in fields[3].split(",") if name] if len(fields) > 3 else []


def with_member(text: str, group: str, user: str) -> str:
    """With the user in this group, where there is such a group."""
    fields = find(text, group)
    if fields is None or len(fields) < 4 or user in members(fields):
        return text
    return put(text, [*fields[:3], ",".join([*members(fields), user])])


def without_member(text: str, group: str, user: str) -> str:
    """Without the user in this group."""
    fields = find(text, group)
    if fields is None or user not in members(fields):
        return text
    return put(text, [*fields[:3], ",".join(name for name in members(fields) if name != user)])


def groups_of(text: str, user: str) -> list[str]:
    """The groups that a user is named in."""
    return [fields[0] for fields in rows(text) if user in members(fields)]


def free_number(used: t.Collection[int], low: int, high: int) -> int | None:
    """As useradd chooses: one above the highest in use; if there is none, the lowest that is free."""
    highest = max((number for number in used if low <= number <= high), default=low - 1)
    if highest < high:
        return highest + 1
    return next((number for number in range(low, high + 1) if number not in used), None)


def free_range(text: str, low: int, high: int, count: int) -> int | None:
    """Where the first gap for so many subordinate ids begins, in the text of subuid or subgid."""
    taken = sorted(
        (int(fields[1]), int(fields[2]))
        for fields in rows(text)
        if len(fields) > 2 and all(map(is_number, fields[1:3]))
    )
    start = low
    for first, size in taken:
        if first - start >= count:
            break
        start = max(start, first + size)
    return start if start + count - 1 <= high else None


def _name(line: str) -> str:
    """Whose line it is; nothing if nobody's."""
    name, colon, _rest = line.partition(":")
    return name if colon and not name.startswith(("#", "+", "-")) else ""
