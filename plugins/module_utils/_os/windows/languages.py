# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Languages and keyboards as Windows calls them, from what a Linux calls them. Pure."""

from __future__ import annotations

import re

from ..._errors import UsageError

# language, script, country; then what only a Linux has: character set and variant.
_LOCALE = re.compile(r"([a-z]{2,3})(?:[-_]([A-Z][a-z]{3}))?[-_]([A-Z]{2})(?:\.[\w-]+)?(?:@(\w+))?")
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl"}
_LAYOUT = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{8}")
# Keyboard layouts of X, and a locale whose own layout on Windows is the same one.
_KEYBOARDS = {
    "at": "de-AT",
    "be": "fr-BE",
    "bg": "bg-BG",
    "br": "pt-BR",
    "ch": "de-CH",
    "cz": "cs-CZ",
    "de": "de-DE",
    "dk": "da-DK",
    "ee": "et-EE",
    "es": "es-ES",
    "fi": "fi-FI",
    "fr": "fr-FR",
    "gb": "en-GB",
    "gr": "el-GR",
    "hr": "hr-HR",
    "hu": "hu-HU",
    "ie": "en-IE",
    "il": "he-IL",
    "is": "is-IS",
    "it": "it-IT",
    "jp": "ja-JP",
    "kr": "ko-KR",
    "latam": "es-MX",
    "lt": "lt-LT",
    "lv": "lv-LV",
    "no": "nb-NO",
    "pl": "pl-PL",
    "pt": "pt-PT",
    "ro": "ro-RO",
    "ru": "ru-RU",
    "se": "sv-SE",
    "si": "sl-SI",
    "sk": "sk-SK",
    "tr": "tr-TR",
    "ua": "uk-UA",
    "us": "en-US",
}


def locale(name: str | None) -> str | None:
    """``de-DE`` from that, or from ``de_DE.UTF-8``.

    :raises UsageError: it is no locale of a country.
    """
    if name is None:
        return None
    found = _LOCALE.fullmatch(name)
    if not found or (found[4] and found[4] not in _SCRIPTS):
        raise UsageError(f"{name!r} is no locale that Windows has; de_DE and de-DE are one.")
    script = found[2] or _SCRIPTS.get(found[4] or "")
    return "-".join(part for part in (found[1], script, found[3]) if part)


def keyboard(name: str | None) -> str | None:
    """What Windows takes: a locale, or language and layout as ``0407:00000407``; from a layout of X, too.

    :raises UsageError: it is nothing of that.
    """
    if name is None:
        return None
    if name in _KEYBOARDS:
        return _KEYBOARDS[name]
    if _LAYOUT.fullmatch(name):
        return name.lower()
    try:
        return locale(name)
    except UsageError as error:
        raise UsageError(
            f"{name!r} is no keyboard that we know on Windows. Give a locale, such as de-CH, or language and layout as "
            "0407:00000407."
        ) from error
