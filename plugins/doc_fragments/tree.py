# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the option spec TREE_SPEC means."""

    DOCUMENTATION = r"""
options:
  root:
    description:
      - Where the deployed operating system is mounted, usually by M(golden.fleet.os_mount).
      - It must not be the system that runs. Links in there never lead out of it.
    type: path
    default: /run/golden.fleet/os
"""
