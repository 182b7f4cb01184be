# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registry hives as Windows writes them, made from keys and values, without the library that is under test."""

from __future__ import annotations

import struct
import typing as t
from functools import reduce
from operator import xor

from ansible_collections.golden.fleet.plugins.module_utils._os.acl import PRIVATE
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import Value

Keys = t.Mapping[str, t.Mapping[str, Value]]  # values by name, by path of the key
_NONE = 0xFFFFFFFF
_ASCII, _ROOT = 0x20, 0x0C
_HEADER, _BIN_HEADER = 4096, 32


def make_hive(keys: Keys, sequence: int = 7, name: str = "") -> bytes:
    """A hive with these keys; those above them are made, too."""
    tree: dict[str, t.Any] = {}
    for path in keys:
        node = tree
        for part in filter(None, path.split("\\")):
            node = node.setdefault(part, {})
    return _Writer(keys, sequence, name).hive(tree)


def unclean(hive: bytes) -> bytes:
    """The same hive, while Windows is writing to it."""
    return hive[:4] + struct.pack("<I", struct.unpack_from("<I", hive, 4)[0] + 1) + hive[8:]


class _Writer:
    def __init__(self, keys: Keys, sequence: int, name: str) -> None:
        self._keys, self._sequence, self._name = keys, sequence, name
        self._cells = bytearray(_BIN_HEADER)
        self._security = self._count = 0

    def hive(self, tree: dict[str, t.Any]) -> bytes:
        root = self._key("ROOT", "", tree, 0, _ROOT)
        struct.pack_into("<I", self._cells, self._security + 16, self._count)
        size = -len(self._cells) % 4096
        if size:
            self._cells += struct.pack("<i", size) + bytes(size - 4)
        struct.pack_into("<4sIIQQI", self._cells, 0, b"hbin", 0, len(self._cells), 0, 0, 0)
        return self._base(root) + bytes(self._cells)

    def _base(self, root: int) -> bytes:
        numbers = (self._sequence, self._sequence, 0, 1, 5, 0, 1, root, len(self._cells), 1)
        head = b"regf" + struct.pack("<IIQIIIIIII", *numbers) + self._name.encode("utf-16-le")[:64].ljust(64, b"\0")
        head = head.ljust(508, b"\0")
        return (head + struct.pack("<I", reduce(xor, struct.unpack("<127I", head)))).ljust(_HEADER, b"\0")

    def _key(self, name: str, path: str, below: dict[str, t.Any], parent: int, flags: int = 0) -> int:
        values = self._keys.get(path, {})
        children = sorted(below, key=str.upper)
        at = self._cell(bytes(76) + name.encode("ascii"))  # its children want to know where it is
        if flags & _ROOT:  # the first of all, since some readers look for it there
            self._security = self._only_security()
        self._count += 1
        nodes = [self._key(each, f"{path}\\{each}".lstrip("\\"), below[each], at) for each in children]
        subkeys = self._cell(_subkeys(children, nodes)) if nodes else _NONE
        listed = self._values(values) if values else _NONE
        longest = (2 * max(map(len, children), default=0), 0, 2 * max(map(len, values), default=0))
        largest = max((len(each.data) for each in values.values()), default=0)
        fields = (
            b"nk",
            _ASCII | flags,
            0,
            0,
            parent,
            len(nodes),
            0,
            subkeys,
            _NONE,
            len(values),
            listed,
            self._security,
        )
        record = struct.pack("<2sHQ9I", *fields) + struct.pack("<6IHH", _NONE, *longest, largest, 0, len(name), 0)
        self._cells[at + 4 : at + 4 + len(record)] = record
        return at

    def _only_security(self) -> int:
        at = self._cell(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 0, len(PRIVATE)) + PRIVATE)
        struct.pack_into("<II", self._cells, at + 8, at, at)  # it is alone in its ring
        return at

    def _values(self, values: t.Mapping[str, Value]) -> int:
        return self._cell(struct.pack(f"<{len(values)}I", *(self._value(*each) for each in values.items())))

    def _value(self, name: str, value: Value) -> int:
        length = len(value.data)
        if length <= 4:
            length, where = length | 0x80000000, int.from_bytes(value.data.ljust(4, b"\0"), "little")
        else:
            where = self._cell(value.data)
        return self._cell(struct.pack("<2sHIIIHH", b"vk", len(name), length, where, value.kind, 1, 0) + name.encode())

    def _cell(self, content: bytes) -> int:
        at, size = len(self._cells), -(-(len(content) + 4) // 8) * 8
        self._cells += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return at


def _subkeys(names: t.Sequence[str], nodes: t.Sequence[int]) -> bytes:
    return struct.pack("<2sH", b"lh", len(nodes)) + b"".join(
        struct.pack("<II", node, _hash(name)) for name, node in zip(names, nodes)
    )


def _hash(name: str) -> int:
    return reduce(lambda found, char: (found * 37 + ord(char.upper())) & 0xFFFFFFFF, name, 0)
