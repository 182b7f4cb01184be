# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.hostnames import (
    check_computer_name,
    check_hostname,
    check_linux_name,
)


@pytest.mark.parametrize("name", ["pc-017", "PC1", "1a", "a" * 63, "pc-017.lab.example", "0.pool"])
def test_names(name: str) -> None:
    check_hostname(name)


NO_NAMES = ["", "-a", "a-", "a_b", "a b", "a\n", "pc.", ".pc", "a..b", "a" * 64, "b." * 31 + "abc", "7", "1.2.3.4"]
NO_NAMES += ["pc;reboot", "Ä", "\uff11", "localhost", "localhost.localdomain"]


@pytest.mark.parametrize("name", NO_NAMES)
def test_no_names(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a computer"):
        check_hostname(name)


def test_what_a_domain_knows_computers_by() -> None:
    check_computer_name("a" * 15)
    with pytest.raises(UsageError, match="has 16 characters"):
        check_computer_name("a" * 16)
    with pytest.raises(UsageError, match="has a dot"):
        check_computer_name("pc.lab")


def test_long_names_are_for_those_who_say_so() -> None:
    long = "building-a-room-12-pc-017"
    with pytest.raises(UsageError, match="allow_long=true"):
        check_linux_name(long, None, allow_long=False)
    check_linux_name(long, "lab.example", allow_long=True)
    check_linux_name("pc.lab.example", None, allow_long=True)
    with pytest.raises(UsageError, match="cannot be"):
        check_linux_name("pc", "lab..example", allow_long=True)
    with pytest.raises(UsageError, match="cannot be"):
        check_linux_name("pc_1", None, allow_long=True)
