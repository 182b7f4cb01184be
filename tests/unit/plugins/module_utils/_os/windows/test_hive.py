# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.hive import check_names


@pytest.mark.parametrize(
    "key", [r"HKLM\SOFTWARE\Policies", r"hklm:\System", r"HKEY_LOCAL_MACHINE\x", "HKCU:", r"\HKU\x"]
)
def test_a_key_begins_in_its_hive(key: str) -> None:
    with pytest.raises(UsageError, match="begins at the top of the hive"):
        check_names(key, "")


@pytest.mark.parametrize(
    ("key", "name"),
    [("", ""), ("\\", ""), ("a\0b", ""), ("a", "b\0"), ("a\udcff", ""), ("a" * 256, ""), ("a", "b" * 16384)],
)
def test_names_that_no_registry_has(key: str, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a"):
        check_names(key, name)


@pytest.mark.parametrize("key", [r"Microsoft\Windows", r"HKfoo\x", "Sœur/x", "a" * 255])
def test_names(key: str) -> None:
    check_names(key, "any: \\ name")
