# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import uuid

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.names import Id, Renaming, guid, signature
from hypothesis import given
from hypothesis import strategies as st

OLD, NEW = Id("uuid", "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e01"), Id("uuid", "0b1c2d3e-0000-4000-8000-00000000000f")
FAT, NEW_FAT = Id("fat", "60D1-F1EE"), Id("fat", "BADD-CAFE")
NTFS, NEW_NTFS = Id("ntfs", "0123456789ABCDEF"), Id("ntfs", "FEDCBA9876543210")
DOS, NEW_DOS = Id("dos", "0xa1b2c3d4"), Id("dos", "0x0a0b0c0d")
NAMES = Renaming([(OLD, NEW), (FAT, NEW_FAT), (NTFS, NEW_NTFS), (DOS, NEW_DOS)], [1, 12])
KINDS = {each.kind: each for each in (OLD, FAT, NTFS, DOS, Id("guid", OLD.value.upper()))}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"UUID={OLD.value} /", f"UUID={NEW.value} /"),
        (f"UUID={OLD.value.upper()} /", f"UUID={NEW.value.upper()} /"),
        (f"gnulinux-advanced-{OLD.value}>", f"gnulinux-advanced-{NEW.value}>"),
        (
            rf"dev-disk-by\x2duuid-{OLD.value.replace('-', chr(92) + 'x2d')}.swap",
            rf"dev-disk-by\x2duuid-{NEW.value.replace('-', chr(92) + 'x2d')}.swap",
        ),
        ("/dev/disk/by-uuid/60D1-F1EE x", "/dev/disk/by-uuid/BADD-CAFE x"),
        ("osprober-efi-60d1-f1ee", "osprober-efi-badd-cafe"),
        ("UUID=0123456789ABCDEF,", "UUID=FEDCBA9876543210,"),
        ("PARTUUID=a1b2c3d4-01 PARTUUID=a1b2c3d4-0c", "PARTUUID=0a0b0c0d-01 PARTUUID=0a0b0c0d-0c"),
        # What only looks like one:
        (f"{OLD.value}a x{OLD.value}", f"{OLD.value}a x{OLD.value}"),
        ("6a1c2b0e-60d1-f1ee-9a53-3c1f3a0d1e01", "6a1c2b0e-60d1-f1ee-9a53-3c1f3a0d1e01"),
        ("a1b2c3d4-03 a1b2c3d4-012 0xa1b2c3d4", "a1b2c3d4-03 a1b2c3d4-012 0xa1b2c3d4"),
        ("10123456789ABCDEF", "10123456789ABCDEF"),
    ],
)
def test_texts(before: str, after: str) -> None:
    assert NAMES.text(before.encode()) == after.encode()
    assert NAMES.named_in(before.encode()) == (before != after or OLD.value in before)


@given(st.binary(), st.binary())
def test_a_text_keeps_its_length_and_all_else(before: bytes, after: bytes) -> None:
    data = before + b" " + OLD.value.encode() + b" " + after
    assert NAMES.text(data) == NAMES.text(before + b" ") + NEW.value.encode() + NAMES.text(b" " + after)
    assert len(NAMES.text(data)) == len(data)


def test_nothing_to_rename() -> None:
    names = Renaming([])
    assert not names
    assert names.text(b"anything") == b"anything"
    assert not names.named_in(b"")


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.text(), place=st.text())
def test_an_id_follows_from_its_seed(kind: str, seed: str, place: str) -> None:
    made = KINDS[kind].derived(seed, place)
    assert made == KINDS[kind].derived(seed, place)
    assert made.sensible()
    assert len(made.value) == len(KINDS[kind].value)
    others = {made.value, KINDS[kind].derived(f"{seed}.", place).value, KINDS[kind].derived(seed, f"{place}.").value}
    assert len(others) == 3


@pytest.mark.parametrize(
    "odd",
    [Id("uuid", f"{OLD.value}\n"), Id("uuid", OLD.value.upper()), Id("fat", "60D1"), Id("dos", "0x"), Id("ntfs", "")],
)
def test_what_is_no_id(odd: Id) -> None:
    assert not odd.sensible()


def test_ids_as_disks_have_them() -> None:
    assert guid(Id("guid", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")).hex() == "28732ac11ff8d211ba4b00a0c93ec93b"
    assert signature(DOS) == bytes.fromhex("d4c3b2a1")
    assert uuid.UUID(NEW.derived("x", "y").value).version == 5
