# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.golden.fleet.plugins.plugin_utils._long_work import LongWorkAction


class ActionModule(LongWorkAction):
    """Shows how slow gets on."""
