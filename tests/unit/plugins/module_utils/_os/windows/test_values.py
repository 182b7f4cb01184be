# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import (
    Value,
    number_in,
    shown,
    string,
    text_in,
    value_of,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


@pytest.mark.parametrize(
    ("kind", "data", "number", "raw"),
    [
        ("string", "ab", 1, b"a\0b\0\0\0"),
        ("string", "", 1, b"\0\0"),
        ("expandstring", "%x%", 2, b"%\0x\0%\0\0\0"),
        ("multistring", ["a", "b"], 7, b"a\0\0\0b\0\0\0\0\0"),
        ("multistring", "a", 7, b"a\0\0\0\0\0"),
        ("multistring", [], 7, b"\0\0"),
        ("dword", 258, 4, b"\2\1\0\0"),
        ("dword", "0x10", 4, b"\x10\0\0\0"),
        ("qword", 1, 11, b"\1\0\0\0\0\0\0\0"),
        ("binary", "00,0A ff", 3, b"\0\n\xff"),
        ("binary", "", 3, b""),
        ("none", None, 0, b""),
    ],
)
def test_values(kind: str, data: t.Any, number: int, raw: bytes) -> None:
    assert value_of(kind, data) == Value(number, raw)
    assert value_of(kind, data).type == kind


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("string", 1),
        ("string", None),
        ("string", "a\0b"),
        ("string", "\ud800"),
        ("multistring", ["a", ""]),
        ("multistring", [1]),
        ("dword", -1),
        ("dword", 1 << 32),
        ("dword", True),
        ("dword", "many"),
        ("dword", None),
        ("qword", 1 << 64),
        ("binary", "0"),
        ("binary", 12),
        ("none", "x"),
    ],
)
def test_what_is_no_value(kind: str, data: t.Any) -> None:
    with pytest.raises(ValueError):
        value_of(kind, data)


@given(TEXT)
def test_texts_are_shown_as_they_were_given(text: str) -> None:
    assert shown(string(text)) == text
    assert text_in(string(text)) == text


@given(st.lists(TEXT.filter(bool)))
def test_lists_are_shown_as_they_were_given(texts: list[str]) -> None:
    assert shown(value_of("multistring", texts)) == texts


@given(st.integers(0, 20), st.binary(max_size=40))
def test_whatever_a_stranger_has_can_be_shown(kind: int, data: bytes) -> None:
    assert isinstance(shown(Value(kind, data)), (str, list, int))
    assert isinstance(text_in(Value(kind, data)), str)


def test_what_is_no_number_is_none() -> None:
    assert number_in(value_of("dword", 7)) == 7
    assert number_in(string("7")) is None
    assert number_in(Value(4, b"\1")) is None
    assert number_in(None) is None
    assert shown(Value(99, b"\1")) == "01"
    assert Value(99, b"").type == "99"
