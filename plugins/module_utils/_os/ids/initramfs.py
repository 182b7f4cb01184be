# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What an initramfs has in it, as far as ids go.

It is one archive or several, one after another; the last one is packed. What cannot be unpacked here may name an id.
"""

from __future__ import annotations

import bz2
import io
import lzma
import typing as t
import zlib

from ..._libraries import need
from .names import Renaming

_CPIO = (b"070701", b"070702")
_HEADER, _NAME_AT, _SIZE_AT = 110, 94, 54
_END = b"TRAILER!!!\0"
_PIECE = 1 << 20
_OVERLAP = 256  # more than the longest id
_PLAIN_SPACE = b"\0"


def names_in(data: bytes, names: Renaming) -> bool | None:
    """Whether an old id is in there; None where that cannot be told."""
    at = 0
    while data[at : at + 6] in _CPIO:
        try:
            at = _after_archive(data, at)
        except ValueError:
            return None
    if names.named_in(data[:at]):
        return True
    if at >= len(data):
        return False if at else None
    unpack = next((work for magic, work in _UNPACKERS.items() if data.startswith(magic, at)), None)
    return _search(unpack(memoryview(data)[at:]), names) if unpack else None


def _after_archive(data: bytes, at: int) -> int:
    """Where the next archive begins.

    :raises ValueError: it is damaged.
    """
    while data[at : at + 6] in _CPIO:
        size, name = (int(data[at + each : at + each + 8], 16) for each in (_SIZE_AT, _NAME_AT))
        last = data.startswith(_END, at + _HEADER)
        at = _aligned(_aligned(at + _HEADER + name) + size)
        if last:
            break
    while data[at : at + 1] == _PLAIN_SPACE:
        at += 1
    return at


def _aligned(at: int) -> int:
    return -(-at // 4) * 4


def _search(pieces: t.Iterator[bytes], names: Renaming) -> bool | None:
    tail = b""
    try:
        for piece in pieces:
            if names.named_in(tail + piece):
                return True
            tail = piece[-_OVERLAP:]
    except (OSError, EOFError, lzma.LZMAError, zlib.error, need("zstandard").ZstdError):
        return None
    return False


def _through(make: t.Callable[[], t.Any]) -> t.Callable[[memoryview], t.Iterator[bytes]]:
    def unpack(data: memoryview) -> t.Iterator[bytes]:
        unpacker = make()
        for at in range(0, len(data), _PIECE):
            if unpacker.eof:
                return
            yield unpacker.decompress(data[at : at + _PIECE])
        if not unpacker.eof:
            raise EOFError

    return unpack


def _zstd(data: memoryview) -> t.Iterator[bytes]:
    with need("zstandard").ZstdDecompressor(max_window_size=1 << 31).stream_reader(io.BytesIO(data)) as reader:
        while piece := reader.read(_PIECE):
            yield piece


_UNPACKERS: dict[bytes, t.Callable[[memoryview], t.Iterator[bytes]]] = {
    b"\x1f\x8b": _through(lambda: zlib.decompressobj(wbits=31)),
    b"\x28\xb5\x2f\xfd": _zstd,
    b"\xfd7zXZ\0": _through(lzma.LZMADecompressor),
    b"\x5d\0\0": _through(lzma.LZMADecompressor),
    b"BZh": _through(bz2.BZ2Decompressor),
}
