# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. GRUB's core image for a BIOS, which carries its first commands compressed, and these may name an id. Pure.

It lies in a partition of its own or before the first one, not in a file: a sector that loads the rest, a program that
unpacks, and what is packed. Offsets are GRUB's own: include/grub/offsets.h and grub-core/boot/i386/pc/startup_raw.S.
"""

from __future__ import annotations

import lzma
import struct
import typing as t

from ..._errors import OsError
from .names import Renaming

_SECTOR = 512
_LENGTH_AT = 0x1FC  # of the first block list: start (8 bytes), length (2), segment (2)
_START_AT = 0x1F4
_SIZES_AT = _SECTOR + 8  # packed, unpacked, redundancy
_UNPACKERS = range(_SECTOR + 0x200, _SECTOR + 0x1000)  # where what is packed may begin
_SAYS = (b"loading\0", b"Read\0", b" Error\0")  # the first sector
_UNPACKED = b"mimg"  # begins the list of modules
_MOST = 16 << 20
_FILTER: dict[str, t.Any] = {"id": lzma.FILTER_LZMA1, "lc": 3, "lp": 0, "pb": 2}


class _Core(t.NamedTuple):
    begin: int
    content: bytes


def renamed(area: bytes, names: Renaming) -> bytes:
    """A place that may begin with a core image, with the new ids in it. As long as before.

    :raises OsError: there is one that we do not understand, or it does not fit there any more.
    """
    if not all(word in area[:_SECTOR] for word in _SAYS):
        return area
    core = _unpacked(area)
    content = names.text(core.content)
    return area if content == core.content else _packed(area, core.begin, content)


def renamed_file(data: bytes, names: Renaming) -> bytes:
    """A core image in a file, which may become a little longer."""
    found = renamed(data + bytes(_SECTOR), names)
    return data if found == data + bytes(_SECTOR) else found


def _unpacked(area: bytes) -> _Core:
    packed, unpacked = struct.unpack_from("<II", area, _SIZES_AT)
    if 0 < packed < len(area) and 0 < unpacked <= _MOST:
        for begin in _UNPACKERS:
            # The first byte of what is packed is always zero.
            if area[begin : begin + 1] == b"\0" and (content := _try(area[begin : begin + packed], unpacked)):
                return _Core(begin, content)
    raise OsError("GRUB's core image for a BIOS is packed in a way that is not known, so it may name ids of this disk.")


def _try(packed: bytes, unpacked: int) -> bytes | None:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[{**_FILTER, "dict_size": 1 << 24}])
    try:
        found = unpacker.decompress(packed, unpacked)
    except lzma.LZMAError:
        return None
    return found if len(found) == unpacked and _UNPACKED in found else None


def _packed(area: bytes, begin: int, content: bytes) -> bytes:
    packed = lzma.compress(content, lzma.FORMAT_RAW, filters=[{**_FILTER, "dict_size": 1 << 16, "nice_len": 273}])
    end = begin + len(packed)
    sectors = -(-end // _SECTOR) - 1  # without the first
    if end > len(area) or sectors > 0xFFFF:
        raise OsError("GRUB's core image for a BIOS would not fit into its place any more.")
    found = bytearray(area)
    found[begin:end] = packed
    # Without redundancy: that of the old content would make it what it was.
    struct.pack_into("<III", found, _SIZES_AT, len(packed), len(content), 0)
    if struct.unpack_from("<Q", area, _START_AT)[0]:  # zero in a file, and then nobody has placed it yet
        length = struct.unpack_from("<H", area, _LENGTH_AT)[0]
        struct.pack_into("<H", found, _LENGTH_AT, max(length, sectors))
    return bytes(found)
