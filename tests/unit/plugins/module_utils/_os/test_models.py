# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.models import Model, choose, this_model

DELL = Model("Dell Inc.", "OptiPlex 7010", "01")
LENOVO = Model("LENOVO", "21AHCTO1WW", "ThinkPad T14 Gen 3")


@pytest.mark.parametrize(
    ("model", "choices", "chosen"),
    [
        (DELL, ["Dell Inc./OptiPlex 7010"], 0),
        (DELL, ["dell inc./optiplex  7010"], 0),
        (DELL, ["*/*", "Dell Inc./OptiPlex*", "Dell Inc./OptiPlex 7010"], 2),
        (DELL, ["Dell Inc./Latitude*", "Dell*/*", "*/*"], 1),
        (DELL, ["Dell Inc./OptiPlex 701", "HP/*", "Dell Inc."], None),
        (DELL, [], None),
        (LENOVO, ["LENOVO/ThinkPad T14 Gen 3"], 0),
        (LENOVO, ["LENOVO/21AH*", "LENOVO/ThinkPad T14*"], 0),
        (Model("ACME", "A/B"), ["ACME/A/B"], 0),
        (Model("", ""), ["Dell Inc./OptiPlex 7010"], None),
        (Model("", ""), ["Dell Inc./OptiPlex 7010", "*/*"], 1),
        (Model("  Dell   Inc. ", "OptiPlex 7010 "), ["Dell Inc./OptiPlex 7010"], 0),
    ],
)
def test_choosing(model: Model, choices: list[str], chosen: int | None) -> None:
    assert choose(choices, model) == (None if chosen is None else choices[chosen])


def test_this_machine_says_something_or_nothing() -> None:
    assert all("\n" not in each for each in this_model())
