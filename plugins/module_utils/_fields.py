# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Reads fields out of untrusted JSON: the right type, within bounds, or ValueError."""

from __future__ import annotations

import calendar
import re
import time
import typing as t

DIGEST = re.compile(r"[0-9a-f]{64}")

Mapping = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time
_LONGEST_TEXT = 4096
MOMENT = "%Y-%m-%dT%H:%M:%SZ"  # UTC
_SSH_KEY = re.compile(r"[a-z0-9][a-z0-9@.-]{2,60} [A-Za-z0-9+/]{40,8000}={0,2}")
# Not str.isprintable(): that refuses the no-break space of a French partition name, and depends on the Unicode that
# this Python knows, while an image must be readable by all.
_NO_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def unique(pairs: list[tuple[str, t.Any]]) -> Mapping:
    """For json.loads: an object whose keys must not repeat, since parsers disagree on which one counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def no_float(text: str) -> t.NoReturn:
    """For json.loads: the format has no fractions, whose canonical form would be ambiguous."""
    raise ValueError(f"{text} is no whole number")


def integer(item: Mapping, key: str, low: int, high: int) -> int:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{key} is {_shown(value)}, not a whole number from {low} to {high}")
    return value


def optional_integer(item: Mapping, key: str, low: int, high: int) -> int | None:
    return None if item.get(key) is None else integer(item, key, low, high)


def boolean(item: Mapping, key: str) -> bool:
    value = item.get(key)
    if not isinstance(value, bool):
        raise ValueError(f"{key} is {_shown(value)}, not true or false")
    return value


def text(item: Mapping, key: str) -> str:
    return _text(item.get(key), key)


def optional_text(item: Mapping, key: str) -> str | None:
    return None if item.get(key) is None else text(item, key)


def choice(item: Mapping, key: str, choices: t.Sequence[str]) -> str:
    value = text(item, key)
    if value not in choices:
        raise ValueError(f"{key} is {_shown(value)}, none of {', '.join(choices)}")
    return value


def digest(item: Mapping, key: str) -> str:
    value = text(item, key)
    if not DIGEST.fullmatch(value):
        raise ValueError(f"{key} is {_shown(value)}, not a digest")
    return value


def digests(item: Mapping, key: str, most: int = 4096) -> list[str]:
    return [digest({key: value}, key) for value in _list(item, key, most)]


def mapping(item: Mapping, key: str) -> Mapping:
    value = item.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"{key} is {_shown(value)}, not an object")
    return value


def mappings(item: Mapping, key: str, most: int = 4096) -> list[Mapping]:
    values = _list(item, key, most)
    if not all(isinstance(value, dict) for value in values):
        raise ValueError(f"{key} holds something that is not an object")
    return values


def texts(item: Mapping, key: str, most: int = 4096) -> list[str]:
    return [_text(value, key) for value in _list(item, key, most)]


def span(item: Mapping, limit: int) -> tuple[int, int]:
    """(start, size) that end within the limit."""
    start = integer(item, "start", 0, limit)
    return start, integer(item, "size", 0, limit - start)


def moment(item: Mapping, key: str) -> str:
    value = text(item, key)
    try:
        seconds(value)
    except ValueError:
        raise ValueError(f"{key} is {_shown(value)}, not a time like 2026-11-01T12:00:00Z") from None
    return value


def is_ssh_key(value: str) -> bool:
    """Whether it is type and key of a public SSH key, as known_hosts has them, and nothing else."""
    return _SSH_KEY.fullmatch(value) is not None


def seconds(moment_text: str) -> int:
    """Since 1970, from a time as manifests have it."""
    return calendar.timegm(time.strptime(moment_text, MOMENT))


def as_line(value: str) -> str:
    """Anything as a line of text that can be read again."""
    return _NO_LINE.sub("\ufffd", value)[:_LONGEST_TEXT]


def plain(value: str) -> str:
    """Text for somebody's terminal, whoever wrote it: nothing in it steers one. Lines stay lines."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in value)


def _list(item: Mapping, key: str, most: int) -> list[t.Any]:
    value = item.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{key} is not a list of at most {most}")
    return value


def _text(value: t.Any, key: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or _NO_LINE.search(value):
        raise ValueError(f"{key} is {_shown(value)}, not a line of text")
    return value


def _shown(value: t.Any) -> str:
    return repr(value)[:60]
