# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.languages import keyboard, locale


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("de_DE", "de-DE"),
        ("de-CH", "de-CH"),
        ("de_AT.UTF-8", "de-AT"),
        ("de_DE.UTF-8@euro", None),
        ("sr_RS@latin", "sr-Latn-RS"),
        ("uz-Cyrl-UZ", "uz-Cyrl-UZ"),
        ("fil_PH", "fil-PH"),
        ("C.UTF-8", None),
        ("german", None),
        ("de", None),
        ("de_DE\n", None),
        ("", None),
    ],
)
def test_locales(name: str, found: str | None) -> None:
    if found is None:
        with pytest.raises(UsageError, match="no locale that Windows has"):
            locale(name)
    else:
        assert locale(name) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("de", "de-DE"),
        ("us", "en-US"),
        ("de_CH", "de-CH"),
        ("0407:00000407", "0407:00000407"),
        ("0409:0002040A", "0409:0002040a"),
    ],
)
def test_keyboards(name: str, found: str) -> None:
    assert keyboard(name) == found


def test_a_keyboard_that_nobody_knows() -> None:
    with pytest.raises(UsageError, match="no keyboard that we know"):
        keyboard("dvorak")


def test_what_is_not_told() -> None:
    assert locale(None) is None
    assert keyboard(None) is None
