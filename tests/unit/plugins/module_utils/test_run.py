# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that cannot be started, and what they get to see."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import ToolFailed, ToolMissing
from ansible_collections.golden.fleet.plugins.module_utils._run import run


def test_a_program_that_may_not_be_executed(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    with pytest.raises(ToolFailed, match="cannot be started: Permission denied"):
        run([str(tmp_path / "tool")])


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(ToolMissing, match="Install the package 'golden-nothing'"):
        run(["golden-nothing"])


def test_a_program_sees_nothing_of_what_is_meant_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDEN_STORE_PASSWORD", "secret")
    monkeypatch.setenv("TMPDIR", "/somewhere")
    seen = run(["env"]).stdout.splitlines()
    assert "TMPDIR=/somewhere" in seen
    assert not [line for line in seen if "GOLDEN_" in line or "secret" in line]
