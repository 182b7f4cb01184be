# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""There is no PowerShell here; its grammar is, so what we have it run can at least be read."""

from __future__ import annotations

import pytest
import tree_sitter_powershell
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import unattend
from ansible_collections.golden.fleet.plugins.plugin_utils import _system_wait
from tree_sitter import Language, Parser

PARSER = Parser(Language(tree_sitter_powershell.language()))


def is_read(script: str) -> bool:
    return not PARSER.parse(script.encode()).root_node.has_error


@pytest.mark.parametrize("way", unattend.SCRIPTS)
def test_scripts_can_be_read(way: str) -> None:
    assert is_read(unattend.SCRIPTS[way])


@pytest.mark.parametrize("way", unattend.SCRIPTS)
def test_scripts_pass_through_a_batch_file_unchanged(way: str) -> None:
    assert not set(unattend.SCRIPTS[way]) & set('"%\n^!')
    assert len(unattend._lines(way)[0]) < 8000


def test_what_a_windows_is_asked_can_be_read() -> None:
    assert is_read(_system_wait._LOOK[WINDOWS])


def test_what_cannot_be_read_is_seen() -> None:
    assert not is_read("if ($x { 'y' }")
