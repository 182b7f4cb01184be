# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which kinds of firmware can boot a disk, by what it holds. Pure."""

from __future__ import annotations

from .model import Partition, PartitionTable

UEFI, BIOS = "uefi", "bios"
_ESP = {"C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "ef"}
_BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"


def is_esp(partition: Partition) -> bool:
    """An EFI system partition: where UEFI firmware looks for boot loaders."""
    return partition.type in _ESP


def boots_with(table: PartitionTable | None, code: bool) -> list[str]:
    """Those for which there is a boot loader; empty where that cannot be told.

    A GPT's first sector often holds code that only says the disk is no bootable one. It counts where something on
    the disk is there for BIOSes.

    :param code: the first sector has some.
    """
    if table is None:
        return []
    for_bios = table.label == "dos" or any(
        each.type == _BIOS_BOOT or "LegacyBIOSBootable" in (each.attrs or "") for each in table.partitions
    )
    found = {UEFI: any(map(is_esp, table.partitions)), BIOS: code and for_bios}
    return [name for name, there in found.items() if there]
