# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What kind of a Linux it is, where distributions differ."""

from __future__ import annotations

from ..beneath import Root


def is_debian(root: Root) -> bool:
    """A Debian, or one of its descendants."""
    return root.exists("/etc/debian_version")
