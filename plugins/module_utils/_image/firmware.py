# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which kinds of firmware can boot an image, by what its disk holds. Pure."""

from __future__ import annotations

from .manifest import Manifest

UEFI, BIOS = "uefi", "bios"
_ESP = {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "ef"}
_BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"


def boots_with(image: Manifest) -> list[str]:
    """Those for which there is a boot loader; empty where that cannot be told.

    A GPT's first sector often holds code that only says the disk is no bootable one. It counts where something on
    the disk is there for BIOSes.
    """
    if image.table is None:
        return []
    partitions = image.table.partitions
    code = any(gap.start == 0 for gap in image.gaps)
    for_bios = image.table.label == "dos" or any(
        each.type == _BIOS_BOOT or "LegacyBIOSBootable" in (each.attrs or "") for each in partitions
    )
    found = {UEFI: any(each.type in _ESP for each in partitions), BIOS: code and for_bios}
    return [name for name, there in found.items() if there]
