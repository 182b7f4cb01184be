# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import zoneinfo

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.zones import windows_zone


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("Europe/Kyiv", "FLE Standard Time"),
        ("Europe/Kiev", "FLE Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("W. Europe Standard Time", "W. Europe Standard Time"),
    ],
)
def test_zones(name: str, found: str) -> None:
    assert windows_zone(name) == found


@pytest.mark.parametrize("name", ["Europe/Atlantis", "europe/berlin", "", "Berlin", "../etc/passwd"])
def test_no_zone(name: str) -> None:
    with pytest.raises(UsageError, match="is no time zone"):
        windows_zone(name)


def test_windows_has_nearly_all_zones() -> None:
    names = {name for name in zoneinfo.available_timezones() if name.split("/")[0] in {"Africa", "America", "Asia"}}
    unknown = set()
    for name in names:
        try:
            windows_zone(name)
        except UsageError:
            unknown.add(name)
    assert not unknown
