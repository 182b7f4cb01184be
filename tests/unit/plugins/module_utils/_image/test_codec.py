# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from array import array

import pytest
import zstandard
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged
from ansible_collections.golden.fleet.plugins.module_utils._image._codec import (
    chunk_compressor,
    compressor,
    compressor_memory,
    decompressor,
    digest,
    from_little_endian,
    hasher,
    inflate,
    to_little_endian,
)
from hypothesis import given
from hypothesis import strategies as st

LIMIT = 4096


def test_digests_are_blake3() -> None:
    # the first vector of the BLAKE3 specification: no input
    assert digest(b"").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_a_hasher_is_the_digest_of_the_whole(one: bytes, other: bytes) -> None:
    whole = hasher()
    whole.update(one)
    whole.update(memoryview(other))
    assert whole.digest() == digest(one + other)


@given(st.binary(max_size=LIMIT), st.sampled_from([1, 3, 19]))
def test_what_is_compressed_is_inflated(content: bytes, level: int) -> None:
    frame = compressor(level).compress(content)
    assert inflate(decompressor(), memoryview(frame), LIMIT, "it") == content


@pytest.mark.parametrize("level", [1, 3, 4, 19])
@pytest.mark.parametrize("size", [1 << 16, 2 << 20, 4 << 20])
def test_chunks_of_every_size_and_level(level: int, size: int) -> None:
    content = b"".join(digest(bytes([number % 251])) for number in range(size // 32))
    frame = chunk_compressor(level, size).compress(content)
    assert zstandard.get_frame_parameters(frame).window_size <= 16 << 20
    assert inflate(decompressor(), frame, size, "it") == content


def test_memory_of_a_compressor_grows_with_its_level() -> None:
    needs = [compressor_memory(level, 2 << 20) for level in (3, 9, 19)]
    assert needs == sorted(needs)
    assert 500_000 < needs[0] < needs[2] < 100_000_000


def test_content_of_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert inflate(decompressor(), compressor(3).compress(bytes(LIMIT)), LIMIT, "it") == bytes(LIMIT)
    with pytest.raises(ImageDamaged, match="it would inflate to 4097 bytes where 4096 are allowed"):
        inflate(decompressor(), compressor(3).compress(bytes(LIMIT + 1)), LIMIT, "it")


def test_a_frame_that_holds_more_than_it_says_is_refused() -> None:
    """Its header is the one of 100 bytes, its block that of 3000."""
    small, big = (zstandard.ZstdCompressor().compress(bytes(size)) for size in (100, 3000))
    header = zstandard.frame_header_size(small)
    liar = small[:header] + big[zstandard.frame_header_size(big) :]
    with pytest.raises(ImageDamaged, match="not a readable zstd frame"):
        inflate(decompressor(), liar, LIMIT, "it")


def test_a_frame_that_needs_a_dictionary_is_refused() -> None:
    samples = [f"sample {number} of a dictionary, number {number * number}".encode() * 4 for number in range(500)]
    dictionary = zstandard.train_dictionary(2048, list[t.Union[bytes, bytearray, memoryview]](samples))
    frame = zstandard.ZstdCompressor(dict_data=dictionary).compress(samples[7])
    with pytest.raises(ImageDamaged, match="not a readable zstd frame"):
        inflate(decompressor(), frame, LIMIT, "it")


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDamaged):
        inflate(decompressor(), data, LIMIT, "it")


@pytest.mark.parametrize(("typecode", "width"), [("I", 4), ("Q", 8)])
@given(numbers=st.lists(st.integers(0, 2**32 - 1)))
def test_numbers_are_little_endian(typecode: str, width: int, numbers: list[int]) -> None:
    raw = to_little_endian(array(typecode, numbers))
    assert raw == b"".join(number.to_bytes(width, "little") for number in numbers)
    assert list(from_little_endian(typecode, raw)) == numbers
