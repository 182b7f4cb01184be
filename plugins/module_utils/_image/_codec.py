# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. BLAKE3 and zstd, bound once; frames from a store are untrusted input."""

from __future__ import annotations

import sys
import typing as t
from array import array

from .._errors import ImageDamaged
from .._libraries import need

DIGEST_SIZE = 32
_SHORT_CHUNK = 2 << 20
Buffer = t.Union[bytes, bytearray, memoryview]  # evaluated: not yet with | on Python 3.9


def digest(data: Buffer) -> bytes:
    """BLAKE3, 32 bytes."""
    return need("blake3").blake3(data).digest()


def hasher() -> t.Any:
    """A BLAKE3 hasher with update() and digest()."""
    return need("blake3").blake3()


def compressor(level: int, checksum: bool = False) -> t.Any:
    """A zstd compressor whose frames say how long their content is.

    :param checksum: for content that no digest protects.
    """
    return need("zstandard").ZstdCompressor(level=level, write_content_size=True, write_checksum=checksum)


def chunk_compressor(level: int, chunk_size: int) -> t.Any:
    """One per thread: a compressor for chunks."""
    return need("zstandard").ZstdCompressor(compression_params=_parameters(level, chunk_size))


def compressor_memory(level: int, chunk_size: int) -> int:
    """Bytes that a compressor for chunks needs: from 1 MB at level 3 to 80 MB at 19."""
    return int(_parameters(level, chunk_size).estimated_compression_context_size())


def _parameters(level: int, chunk_size: int) -> t.Any:
    """Those of zstd's level; at level 3 with tables of half the size where chunks are too short to fill them.

    docs/performance.md has the figures.
    """
    smaller = {"hash_log": 16, "chain_log": 15} if level == 3 and chunk_size <= _SHORT_CHUNK else {}
    make = need("zstandard").ZstdCompressionParameters.from_level
    return make(level, source_size=chunk_size, write_content_size=True, **smaller)


def decompressor() -> t.Any:
    """One per thread."""
    return need("zstandard").ZstdDecompressor()


def inflate(engine: t.Any, frame: Buffer, limit: int, what: str) -> bytes:
    """The content of one zstd frame.

    :param engine: a decompressor.
    :param limit: bytes it may have at most.
    :param what: named in the error.
    :raises ImageDamaged: it is no frame, says no size, or would be longer than the limit.
    """
    zstandard = need("zstandard")
    try:
        size = zstandard.frame_content_size(bytes(frame[:18]))
        if not 0 <= size <= limit:
            raise ImageDamaged(f"{what} would inflate to {size} bytes where {limit} are allowed.")
        content: bytes = engine.decompress(frame, max_output_size=limit, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise ImageDamaged(f"{what} is not a readable zstd frame: {error}.") from error
    return content


def to_little_endian(numbers: array[int]) -> bytes:
    """Numbers as they are written."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def from_little_endian(typecode: str, raw: bytes) -> array[int]:
    """The reverse."""
    numbers = array(typecode)
    numbers.frombytes(raw)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
