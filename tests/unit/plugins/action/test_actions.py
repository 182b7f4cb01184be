# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module that uses a store, or a file of the controller, has an action plugin of the kind that it needs."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.plugin_utils._long_work import LongWorkAction
from ansible_collections.golden.fleet.plugins.plugin_utils._store_env import StoreAction
from ansible_collections.golden.fleet.plugins.plugin_utils._transfer import TransferAction

PLUGINS = "ansible_collections.golden.fleet.plugins"
FOLDER = Path(__file__).resolve().parents[4] / "plugins"


@pytest.mark.parametrize("name", sorted(path.stem for path in (FOLDER / "modules").glob("*.py")))
def test_module_and_action_fit(name: str) -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    has_action = (FOLDER / "action" / f"{name}.py").exists()
    if not hasattr(module, "SPEC"):
        assert has_action, "all of it is documentation"
        return
    options = module.SPEC.options
    if "domain_username" in options:
        assert has_action, "credentials come from the controller's environment, and secrets back"
        return
    if "store" not in options and "remote_src" not in options:
        assert not has_action
        return
    action = importlib.import_module(f"{PLUGINS}.action.{name}").ActionModule
    if "remote_src" in options:
        assert issubclass(action, TransferAction)
        assert action.SPEC is module.SPEC
        return
    assert issubclass(action, StoreAction)
    assert issubclass(action, LongWorkAction) == ("_job" in options)
