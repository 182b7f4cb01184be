# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import string

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._image.names import (
    ImageRef,
    check_name,
    check_version,
    pack_key,
    parse_ref,
    tag_key,
    version_key,
)
from ansible_collections.golden.fleet.plugins.module_utils._store.base import check_key
from hypothesis import given
from hypothesis import strategies as st

names = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?", fullmatch=True).filter(lambda text: ".." not in text)
versions = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?", fullmatch=True).filter(
    lambda text: ".." not in text
)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)


@given(names, versions)
def test_a_reference_is_read_as_it_is_written(name: str, version: str) -> None:
    assert parse_ref(f"{name}:{version}") == ImageRef(name, version)
    assert str(ImageRef(name, version)) == f"{name}:{version}"


@given(names, versions, digests)
def test_a_digest_pins_a_reference(name: str, version: str, digest: str) -> None:
    assert parse_ref(f"{name}:{version}@{digest}") == ImageRef(name, version, digest)


@given(names, versions, digests)
def test_every_key_is_one_that_a_store_takes(name: str, version: str, digest: str) -> None:
    for key in (version_key(name, version, "manifest.json"), tag_key(name, version), pack_key(digest)):
        assert check_key(key) == key


BAD_EVERYWHERE = [
    "",
    ".",
    "..",
    "a/b",
    "../a",
    "a..b",
    "-a",
    "a-",
    ".a",
    "a.",
    "a b",
    "a\n",
    "\ta",
    "ä",
    "a" * 65,
    "a\0b",
]


@pytest.mark.parametrize("text", [*BAD_EVERYWHERE, "Lab", "a+b", "a:b"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(UsageError, match="no image name"):
        check_name(text)


@pytest.mark.parametrize("text", [*BAD_EVERYWHERE, "1:2", "1@2"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(UsageError, match="no version or tag"):
        check_version(text)


@pytest.mark.parametrize("text", ["lab-a", "lab-a:", ":1", "lab-a:1:2", "lab-a:1@", "lab-a:1@abc", "lab a:1", "a:../b"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(UsageError):
        parse_ref(text)


def test_a_reference_without_a_version_says_how_to_write_one() -> None:
    with pytest.raises(UsageError, match="Write name:version or name:tag, such as lab-a:stable"):
        parse_ref("lab-a")


@given(st.text(string.printable, max_size=70))
def test_names_never_lead_out_of_their_folder(text: str) -> None:
    try:
        name = check_name(text)
    except UsageError:
        return
    assert "/" not in name
    assert name.strip(".") == name
