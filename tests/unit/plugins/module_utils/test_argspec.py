# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.golden.fleet.plugins.module_utils._argspec import ArgSpec


def test_merging_keeps_options_and_conditions() -> None:
    one = ArgSpec({"a": {"type": "str"}, "b": {"type": "str"}}, mutually_exclusive=(("a", "b"),))
    two = ArgSpec({"b": {"type": "int"}}, required_together=(("a", "b"),), required_if=(("a", "x", ("b",)),))
    three = ArgSpec(required_one_of=(("a", "b"),))
    both = one.merge(two, three)
    assert both == ArgSpec(
        {"a": {"type": "str"}, "b": {"type": "int"}},
        mutually_exclusive=(("a", "b"),),
        required_together=(("a", "b"),),
        required_one_of=(("a", "b"),),
        required_if=(("a", "x", ("b",)),),
    )
    assert one.options["b"] == {"type": "str"}
