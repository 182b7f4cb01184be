# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the demo: ``python -m tests.demo_disks`` in the tree, which is what ``make demo-disks`` does."""

from __future__ import annotations

from importlib import import_module

if __name__ == "__main__":
    import_module("tests.conftest")  # makes the collection importable by its name
    import_module("ansible_collections.golden.fleet.tests.demo_disks.run").main()
