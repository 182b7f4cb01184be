# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With images that GRUB's own program has made; whether they boot is seen in tests/system."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.ids import grub
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.names import Id, Renaming

OLD, NEW = "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e01", "0b1c2d3e-0000-4000-8000-00000000000f"
NAMES = Renaming([(Id("uuid", OLD), Id("uuid", NEW))])
BACK = Renaming([(Id("uuid", NEW), Id("uuid", OLD))])
REDUNDANCY = 512 + 0x10


@pytest.fixture
def core(tmp_path: Path) -> bytes:
    config = tmp_path / "embedded.cfg"
    config.write_text(f"search --fs-uuid --set=root {OLD}\n")
    output = tmp_path / "core.img"
    options = ["-O", "i386-pc", "-o", output, "-c", config, "-p", "/boot/grub", "biosdisk", "part_gpt", "ext2"]
    subprocess.run(["grub-mkimage", *options], check=True)
    return output.read_bytes()


def placed(core: bytes, room: int = 1 << 20) -> bytes:
    """As GRUB puts it on a disk, protected against programs that write there."""
    found = bytearray(core.ljust(room, b"\0"))
    struct.pack_into("<QH", found, 0x1F4, 2049, -(-len(core) // 512) - 1)
    struct.pack_into("<I", found, REDUNDANCY, 1000)
    return bytes(found)


def test_an_id_is_replaced(core: bytes) -> None:
    area = placed(core)
    after = grub.renamed(area, NAMES)
    assert after != area
    assert len(after) == len(area)
    assert NEW.encode() in grub._unpacked(after).content
    assert OLD.encode() not in grub._unpacked(after).content
    assert grub._unpacked(grub.renamed(after, BACK)).content == grub._unpacked(area).content
    assert struct.unpack_from("<I", after, REDUNDANCY) == (0,), "what it was is not restored from the redundancy"
    assert grub.renamed(after, NAMES) == after


def test_what_names_nothing_stays_as_it_is(core: bytes) -> None:
    for area in (placed(core), bytes(1 << 16), b"another boot loader".ljust(1 << 16)):
        assert grub.renamed(area, BACK) == area
    assert grub.renamed_file(core, BACK) == core


def test_its_length_is_what_it_has(core: bytes) -> None:
    after = grub.renamed(placed(core), NAMES)
    packed = struct.unpack_from("<I", after, 512 + 8)[0]
    sectors = struct.unpack_from("<H", after, 0x1FC)[0]
    assert grub._unpacked(after).begin + packed <= (sectors + 1) * 512


def test_a_file(core: bytes) -> None:
    assert NEW.encode() in grub._unpacked(grub.renamed_file(core, NAMES)).content


def test_one_that_cannot_be_read_is_no_guess(core: bytes) -> None:
    area = bytearray(placed(core))
    area[6000:7000] = bytes(1000)
    with pytest.raises(OsError, match="packed in a way that is not known"):
        grub.renamed(bytes(area), NAMES)
    with pytest.raises(OsError, match="would not fit"):
        grub.renamed(placed(core, len(core)), NAMES)
