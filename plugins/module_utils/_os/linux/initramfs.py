# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The initramfs of a deployed Linux, made anew by the system's own tools."""

from __future__ import annotations

from ..beneath import Root

_TOOLS = {
    "/usr/sbin/update-initramfs": ["update-initramfs", "-u", "-k", "all"],
    "/usr/bin/dracut": ["dracut", "--force", "--regenerate-all"],
    "/usr/bin/mkinitcpio": ["mkinitcpio", "-P"],
}


def remake(root: Root) -> list[str] | None:
    """The program that makes those of all kernels; None where there is none."""
    return next((argv for path, argv in _TOOLS.items() if root.exists(path)), None)
