# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import string
import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._store.base import (
    TEMPORARY,
    Data,
    buffers,
    check_key,
    temporary_key,
)
from hypothesis import given
from hypothesis import strategies as st

_ALLOWED = string.ascii_letters + string.digits + "._+-"
_names = st.text(_ALLOWED, min_size=1, max_size=30).filter(lambda name: not name.startswith("."))


@given(st.lists(_names, min_size=1, max_size=6))
def test_names_of_allowed_letters_make_a_key(names: list[str]) -> None:
    assert check_key("/".join(names)) == "/".join(names)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "a/./b",
        ".hidden",
        "a/.hidden",
        "a b",
        "a\n",
        "a\0b",
        "a%2fb",
        "a?b",
        "a#b",
        "a\\b",
        "\u00e4",
        "a" * 201,
        "/".join(["abcdefgh"] * 200),
        f"{TEMPORARY}0",
        f"a/{TEMPORARY}0",
    ],
)
def test_no_keys(key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        check_key(key)


@given(st.text(max_size=40))
def test_whatever_is_a_key_stays_beneath_its_root(text: str) -> None:
    try:
        check_key(text)
    except ValueError:
        return
    assert all(part and not part.startswith(".") and set(part) <= set(_ALLOWED) for part in text.split("/"))


def test_a_temporary_key_is_beside_the_object_and_no_key_itself() -> None:
    assert temporary_key("a/b/c").startswith(f"a/b/{TEMPORARY}")
    assert temporary_key("c").startswith(TEMPORARY)
    assert temporary_key("c") != temporary_key("c")
    with pytest.raises(ValueError):
        check_key(temporary_key("a/b/c"))


_DATA: list[tuple[t.Any, bytes]] = [
    (b"abc", b"abc"),
    (bytearray(b"abc"), b"abc"),
    (memoryview(b"abcd")[1:], b"bcd"),
    ([], b""),
    (b"", b""),
    ([b"a", bytearray(b"b"), memoryview(b"c"), b""], b"abc"),
    ([memoryview(b"abcdefgh").cast("I")], b"abcdefgh"),
]


@pytest.mark.parametrize(("data", "expected"), _DATA)
def test_buffers(data: Data, expected: bytes) -> None:
    assert b"".join(buffers(data)) == expected


def test_buffers_copy_nothing() -> None:
    data = bytearray(b"abc")
    [piece] = buffers(data)
    data[0] = ord("x")
    assert bytes(piece) == b"xbc"
