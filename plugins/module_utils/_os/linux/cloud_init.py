# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Keeps the cloud-init of a deployed Linux from undoing, at the first boot, what was done before it.

To it, a system without its state is a new one: it makes other SSH host keys, and may know another name.
"""

from __future__ import annotations

import typing as t

from ..beneath import Root

KEEP_NAME: t.Final = ("hostname", "preserve_hostname: true")
KEEP_HOST_KEYS: t.Final = ("ssh", "ssh_deletekeys: false")
_CONFIG = "/etc/cloud/cloud.cfg"


def order(root: Root, what: tuple[str, str]) -> dict[str, str]:
    """The file that tells it so, and its text; nothing where there is no cloud-init."""
    if not root.exists(_CONFIG):
        return {}
    topic, option = what
    # Of several files, the last one counts.
    return {f"{_CONFIG}.d/zz-golden-{topic}.cfg": f"# Written by golden.fleet.\n{option}\n"}
