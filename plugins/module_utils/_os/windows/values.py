# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Values of a registry, between people and hives. Pure."""

from __future__ import annotations

import re
import struct
import typing as t
from dataclasses import dataclass

_KINDS: t.Final = {
    "none": 0,
    "string": 1,
    "expandstring": 2,
    "binary": 3,
    "dword": 4,
    "multistring": 7,
    "qword": 11,
}
TYPES = tuple(_KINDS)  # as ansible.windows.win_regedit calls them
_WHOLE = {"dword": 4, "qword": 8}
_HEX = re.compile(r"(?:0x)?((?:[0-9a-f]{2}[ ,]?)*)", re.IGNORECASE)


@dataclass(frozen=True)
class Value:
    """What a value of a key holds.

    :ivar kind: REG_SZ is 1, and so on.
    """

    kind: int
    data: bytes

    @property
    def type(self) -> str:
        """As people say it; a number where they have no word for it."""
        return next((name for name, kind in _KINDS.items() if kind == self.kind), str(self.kind))


def value_of(kind: str, data: t.Any) -> Value:
    """From what people write.

    :raises ValueError: it cannot be a value of this type.
    """
    return Value(_KINDS[kind], _ENCODERS[kind](kind, data))


def string(text: str) -> Value:
    """A REG_SZ."""
    return value_of("string", text)


def shown(value: Value) -> t.Any:
    """For people, and for JSON: text, a list of texts, a number, or else the bytes as hexadecimal digits."""
    if value.type in {"string", "expandstring"} and len(value.data) % 2 == 0:
        return _text(value.data).partition("\0")[0]
    if value.type == "multistring" and len(value.data) % 2 == 0:
        return [part for part in _text(value.data).split("\0") if part]
    if len(value.data) == _WHOLE.get(value.type):
        return int.from_bytes(value.data, "little")
    return value.data.hex()


def text_in(value: Value | None) -> str:
    """What a value says, if it is a text."""
    found = shown(value) if value else ""
    return found if isinstance(found, str) else ""


def number_in(value: Value | None) -> int | None:
    """The number in a value, if there is one."""
    found = shown(value) if value else None
    return found if isinstance(found, int) else None


def _text(data: bytes) -> str:
    return data.decode("utf-16-le", "replace")


def _encoded(text: t.Any) -> bytes:
    if not isinstance(text, str) or "\0" in text:
        raise ValueError(f"{text!r} is no text")
    return f"{text}\0".encode("utf-16-le")  # a lone surrogate is a UnicodeEncodeError, which is a ValueError


def _string(_kind: str, data: t.Any) -> bytes:
    return _encoded(data)


def _strings(_kind: str, data: t.Any) -> bytes:
    parts = data if isinstance(data, list) else [data]
    if "" in parts:
        raise ValueError("an empty text would end the list")
    return b"".join(_encoded(part) for part in parts) + bytes(2)


def _whole(kind: str, data: t.Any) -> bytes:
    try:
        number = int(data, 0) if isinstance(data, str) else data
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValueError
        return struct.pack("<I" if kind == "dword" else "<Q", number)
    except (ValueError, struct.error) as error:
        raise ValueError(f"{data!r} is no whole number of {8 * _WHOLE[kind]} bits") from error


def _bytes(_kind: str, data: t.Any) -> bytes:
    digits = _HEX.fullmatch(data) if isinstance(data, str) else None
    if digits is None:
        raise ValueError(f"{data!r} is no row of hexadecimal digits")
    return bytes.fromhex(digits[1].replace(",", " "))


def _nothing(_kind: str, data: t.Any) -> bytes:
    if data:
        raise ValueError("a value of type none has no data")
    return b""


_ENCODERS: t.Final[dict[str, t.Callable[[str, t.Any], bytes]]] = {
    "none": _nothing,
    "string": _string,
    "expandstring": _string,
    "binary": _bytes,
    "dword": _whole,
    "multistring": _strings,
    "qword": _whole,
}
