# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/store.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils import _errors
from ansible_collections.golden.fleet.plugins.module_utils._argspec import STORE_SPEC
from ansible_collections.golden.fleet.tests.support.nginx import SITE

_DOC = (Path(__file__).parents[3] / "docs" / "store.md").read_text("utf-8")


def test_the_configuration_of_nginx_is_the_one_that_is_tested() -> None:
    assert re.findall(r"```nginx\n(.*?)```", _DOC, re.DOTALL) == [SITE.read_text("utf-8")]


def test_every_environment_variable_is_named() -> None:
    variables = {option["fallback"][1][0] for option in STORE_SPEC.options.values()}
    assert set(re.findall(r"`(GOLDEN_\w+)`", _DOC)) == variables


def test_the_classes_of_errors_exist() -> None:
    rows = [line.split("|") for line in _DOC.partition("## What an error means")[2].splitlines()]
    named = {row[2].strip(" `") for row in rows if len(row) == 5 and row[2].strip().startswith("`")}
    assert len(named) >= 5
    assert all(issubclass(getattr(_errors, name), _errors.StoreError) for name in named)
