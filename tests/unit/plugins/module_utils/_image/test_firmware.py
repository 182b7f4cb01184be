# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Gap, Partition, PartitionTable
from ansible_collections.golden.fleet.plugins.module_utils._image import manifest
from ansible_collections.golden.fleet.plugins.module_utils._image.firmware import boots_with
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef

VECTOR = Path(__file__).parents[4] / "vectors/image-format/store/images/tiny/versions/1/manifest.json"
ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


def table(label: str, *types: str, attrs: str | None = None) -> PartitionTable:
    partitions = (Partition(number, number << 20, 1 << 20, kind, attrs=attrs) for number, kind in enumerate(types, 1))
    return PartitionTable(label, "id", 512, tuple(partitions))


@pytest.mark.parametrize(
    ("found", "code", "expected"),
    [
        (table("gpt", ESP, DATA), False, ["uefi"]),
        (table("gpt", ESP, DATA), True, ["uefi"]),  # code that only says: this is no bootable disk
        (table("gpt", BIOS_BOOT, ESP, DATA), True, ["uefi", "bios"]),
        (table("gpt", BIOS_BOOT, DATA), True, ["bios"]),
        (table("gpt", DATA, attrs="LegacyBIOSBootable"), True, ["bios"]),
        (table("gpt", BIOS_BOOT, DATA), False, []),
        (table("dos", "7"), True, ["bios"]),
        (table("dos", "ef", "83"), False, ["uefi"]),
        (table("dos", "83"), False, []),
        (None, True, []),
    ],
)
def test_firmware(found: PartitionTable | None, code: bool, expected: list[str]) -> None:
    image = manifest.decode(VECTOR.read_bytes(), ImageRef("tiny", "1"))
    gaps = (Gap(0, 440, "boot code"),) if code else (Gap(17408, 100, "before the first partition"),)
    assert boots_with(replace(image, table=found, gaps=gaps)) == expected
