# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import PowerError


@pytest.mark.parametrize("said", ["\x1b]0;owned\x07", "\x1b[2J", "\u202eoff", "\u2066off", "\x9b2J", "\r", "\udc80"])
def test_a_message_steers_nobodys_terminal(said: str) -> None:
    error = PowerError(f"The controller says: {said}.", address="bmc")
    assert error.message == str(error)
    assert error.message.isprintable()
    assert error.message.startswith("The controller says: ")


def test_a_message_may_have_lines_and_any_letters() -> None:
    text = "Gerät (é) 磁盘:\n- קובץ"
    assert PowerError(text).message == text
