# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which kinds of firmware can boot an image. Pure."""

from __future__ import annotations

from .._disk import firmware
from .manifest import Manifest


def boots_with(image: Manifest) -> list[str]:
    """Those for which there is a boot loader; empty where that cannot be told."""
    return firmware.boots_with(image.table, code=any(gap.start == 0 for gap in image.gaps))
