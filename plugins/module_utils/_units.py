# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Sizes and durations as people write them."""

from __future__ import annotations

import re

from ._errors import UsageError

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtp]?)(i?)b?", re.IGNORECASE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(\d+)\s*([smhdw]?)")


def parse_size(text: str | int) -> int:
    """Bytes from ``120GiB`` (binary), ``120GB`` or ``120G`` (decimal), or a plain number of bytes.

    :raises UsageError: it is not a size.
    """
    found = _SIZE.fullmatch(str(text).strip())
    if not found:
        raise UsageError(f"{text!r} is not a size. Write bytes, or a number with a unit: 500GB, 120GiB.")
    base = 1024 if found[3] else 1000
    return round(float(found[1]) * base ** _POWERS[found[2].lower()])


def parse_duration(text: str | int) -> int:
    """Seconds from ``45s``, ``10m``, ``12h``, ``30d``, ``8w``, or a plain number of seconds.

    :raises UsageError: it is not a duration.
    """
    found = _DURATION.fullmatch(str(text).strip())
    if not found:
        raise UsageError(f"{text!r} is not a duration. Write a number with a unit: 45s, 10m, 12h, 30d, 8w.")
    return int(found[1]) * _SECONDS[found[2] or "s"]


def show_size(count: int) -> str:
    """Bytes for people, decimal units as on a disk's label: ``500.1 GB``."""
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if abs(value) < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def show_duration(seconds: float) -> str:
    """Seconds for people: ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
