# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.ntfs_names import can_be, folded


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Windows", "WINDOWS", True),
        ("Übung", "ÜBUNG", True),
        ("Straße", "Strasse", False),
        ("ﬁ", "fi", False),
        ("\u0131", "I", False),
        ("\u212aelvin", "kelvin", False),
        ("\u00b5", "\u03bc", False),
    ],
)
def test_what_windows_takes_for_one_name(one: str, other: str, same: bool) -> None:
    assert (folded(one) == folded(other)) is same


@pytest.mark.skipif(not (shutil.which("mkntfs") and shutil.which("ntfscat")), reason="needs ntfs-3g")
def test_as_the_table_of_ntfs_has_it(tmp_path: Path) -> None:
    image = tmp_path / "ntfs"
    with image.open("wb") as file:
        file.truncate(4 << 20)
    subprocess.run(["mkntfs", "--force", "--quick", image], check=True, capture_output=True)
    table = subprocess.run(["ntfscat", "--inode", "10", image], check=True, capture_output=True).stdout
    upper = struct.unpack("<65536H", table)
    latin_greek_cyrillic_armenian = range(0x250)[:0x23F], range(0x370, 0x3F3), range(0x400, 0x524), range(0x531, 0x588)
    for code in (code for each in latin_greek_cyrillic_armenian for code in each):
        # It has none of the letters that are written DŽ in capitals, and Dž at the beginning of a word.
        if code not in {0x1C5, 0x1C8, 0x1CB, 0x1F2}:
            assert folded(chr(code)) == chr(upper[code]), hex(code)


@pytest.mark.parametrize("name", ["a", "a.b", ".golden", "CONFIG", "com10", "ünï", "a b", "comma,", "lpt"])
def test_names_of_files(name: str) -> None:
    assert can_be(name)


@pytest.mark.parametrize(
    "name", ["", "a:b", "a?", "a*", 'a"', "a<", "a|b", "a\\b", "a\tb", "a.", "a ", "con", "NUL.txt", "Com1", "lpt9.a.b"]
)
def test_what_no_file_can_be_called(name: str) -> None:
    assert not can_be(name)
