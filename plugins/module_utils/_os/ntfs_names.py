# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Names of files, and of what is in a registry, as Windows tells them apart and takes them. Pure."""

from __future__ import annotations

import re

_DEVICES = r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?"
_ILLEGAL = re.compile(rf'(?i:{_DEVICES})|.*[. ]|.*[<>:"|?*/\\\x00-\x1f].*|', re.DOTALL)


def folded(name: str) -> str:
    """The same for two names that it takes for one.

    Not str.casefold(), by which Straße and Strasse are one name: Windows changes single letters, and only those whose
    capital has no other small letter.
    """
    return "".join(map(_capital, name))


def can_be(name: str) -> bool:
    """Whether a file can be called so. Linux can write other names to NTFS, and Windows would not get at them."""
    return not _ILLEGAL.fullmatch(name)


def _capital(char: str) -> str:
    capital = char.upper()
    return capital if len(capital) == 1 and capital.lower() == char else char
