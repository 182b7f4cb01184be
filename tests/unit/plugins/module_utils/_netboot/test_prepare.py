# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import NetbootError
from ansible_collections.golden.fleet.plugins.module_utils._netboot.config import NetbootConfig
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import LOCAL
from ansible_collections.golden.fleet.plugins.module_utils._netboot.folder import NetbootFolder
from ansible_collections.golden.fleet.plugins.module_utils._netboot.follow import look
from ansible_collections.golden.fleet.plugins.module_utils._netboot.prepare import (
    EntryRequest,
    ensure_entry,
    remove_entry,
)

MAC = "52:54:00:aa:bb:cc"
DAMAGED = "entries/52-54-00-aa-bb-cc.json"


@pytest.fixture
def config(tmp_path: Path) -> NetbootConfig:
    for name in ("entries", "ipxe", "grub", "checkins", "boot-env/d1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "boot-env/current").symlink_to("d1")
    nowhere = tmp_path / "nowhere"
    return NetbootConfig(tmp_path, tmp_path, "http://s", "https://s/checkin", "", nowhere, nowhere, nowhere)


def request(host: str = "pc-1", **changes: t.Any) -> EntryRequest:
    return EntryRequest(**{"mac": MAC, "host": host, "action": LOCAL, "lifetime": 600, "renew": False, **changes})


def test_check_mode_refuses_what_a_real_run_refuses(config: NetbootConfig) -> None:
    ensure_entry(config, request())
    for check in (True, False):
        with pytest.raises(NetbootError, match=r"pc-1.*pc-2"):
            ensure_entry(config, request("pc-2", check=check))
    assert ensure_entry(config, request("pc-1", check=True))["changed"] is False


@pytest.mark.parametrize("check", [True, False])
def test_a_damaged_entry_is_replaced(config: NetbootConfig, check: bool) -> None:
    (config.state / DAMAGED).write_text("{")
    assert ensure_entry(config, request(check=check))["changed"] is True
    assert len(NetbootFolder(config.state).entries()) == (0 if check else 1)


@pytest.mark.parametrize("check", [True, False])
def test_a_damaged_entry_is_removed(config: NetbootConfig, check: bool) -> None:
    (config.state / DAMAGED).write_text("{")
    assert remove_entry(config, MAC, None, check)["changed"] is True
    assert (config.state / DAMAGED).exists() == check


def test_a_damaged_entry_is_shown_as_a_warning(config: NetbootConfig) -> None:
    assert "warnings" not in look(config, None)
    (config.state / DAMAGED).write_text("{")
    found = look(config, None)
    assert found["entries"] == []
    assert str(config.state / DAMAGED) in found["warnings"][0]
