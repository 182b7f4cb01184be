# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters: what they are documented with, and that errors are those of Ansible."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

PLUGINS = "ansible_collections.golden.fleet.plugins.filter"
FILTERS = sorted(path.stem for path in (Path(__file__).resolve().parents[4] / "plugins/filter").glob("*.py"))
GOOD = {
    "windows_locale": ("de_DE.UTF-8", "de-DE"),
    "windows_zone": ("Europe/Berlin", "W. Europe Standard Time"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_called_as_its_file_and_says_what_is_wrong(name: str) -> None:
    module = importlib.import_module(f"{PLUGINS}.{name}")
    assert yaml.safe_load(module.DOCUMENTATION)["name"] == name
    ((called, function),) = module.FilterModule().filters().items()
    assert called == name
    given, wanted = GOOD[name]
    assert function(given) == wanted
    with pytest.raises(AnsibleFilterError, match="'Atlantis' is no"):
        function("Atlantis")
