# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.ids import journal
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.names import Id

NOW, ONCE = "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e01", "0b1c2d3e-0000-4000-8000-00000000000f"
IDS = {"table": Id("dos", "0xa1b2c3d4"), "filesystem 1": Id("uuid", NOW)}


def test_what_is_noted_is_read(tmp_path: Path) -> None:
    root = Root(str(tmp_path))
    assert journal.read(root) is None
    journal.write(root, {"filesystem 1": [NOW, ONCE]})
    assert journal.read(root) == {"filesystem 1": [NOW, ONCE]}
    assert (tmp_path / ".golden-fleet-ids").stat().st_mode & 0o777 == 0o600
    journal.remove(root)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("odd", [b"", b"\xff", b"[]", b"7", b'{"a": 7}', b"[" * 100_000])
def test_a_note_that_makes_no_sense_is_one_of_nothing(odd: bytes, tmp_path: Path) -> None:
    (tmp_path / ".golden-fleet-ids").write_bytes(odd)
    assert journal.read(Root(str(tmp_path))) == {}


def test_what_each_place_had() -> None:
    notes = [
        {"filesystem 1": [ONCE, NOW, "(.*)", ONCE.upper()], "filesystem 9": [ONCE]},
        {"filesystem 1": [ONCE], "table": ["0x00000001", NOW]},
    ]
    assert journal.merged(IDS, notes) == {"table": ["0xa1b2c3d4", "0x00000001"], "filesystem 1": [NOW, ONCE]}
