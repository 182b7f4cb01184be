# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Somebody who walks to the machine."""

from __future__ import annotations

from .base import Power


class Manual(Power):
    """Says what to press; that somebody has done it shows only in the check-in."""

    name = "manual"

    def start(self, force: bool = False) -> str:
        if force:
            raise self._cannot("switch a machine off and on")
        return "switch the machine on, or restart it, and choose network boot in its boot menu"
