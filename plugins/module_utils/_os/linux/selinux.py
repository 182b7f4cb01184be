# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. SELinux labels of a deployed Linux: files that are new have none until all files are labelled again."""

from __future__ import annotations

import re

from ..beneath import Root

_CONFIG = "/etc/selinux/config"
_ORDER = "/.autorelabel"  # seen at the next boot
_ENABLED = re.compile(rb"^[ \t]*SELINUX[ \t]*=[ \t]*(enforcing|permissive)\b", re.MULTILINE | re.IGNORECASE)


def needs_relabel(root: Root) -> bool:
    """Whether it has labels, and nobody has ordered yet that they are renewed."""
    return bool(_ENABLED.search(root.read(_CONFIG) or b"")) and not root.exists(_ORDER)


def order_relabel(root: Root) -> None:
    """If it has labels: have them renewed at the next boot. Called after whatever makes files."""
    if needs_relabel(root):
        root.write(_ORDER, b"", mode=0o600)
