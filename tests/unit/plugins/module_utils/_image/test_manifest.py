# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import typing as t
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Gap, Partition, PartitionTable, Volume
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageDamaged, ImageUnsupported
from ansible_collections.golden.fleet.plugins.module_utils._fields import as_line
from ansible_collections.golden.fleet.plugins.module_utils._image import manifest
from ansible_collections.golden.fleet.plugins.module_utils._image._codec import digest
from ansible_collections.golden.fleet.plugins.module_utils._image.manifest import IndexRef, Manifest
from ansible_collections.golden.fleet.plugins.module_utils._image.names import ImageRef
from hypothesis import given
from hypothesis import strategies as st

VECTOR = Path(__file__).parents[4] / "vectors/image-format/store/images/tiny/versions/1/manifest.json"
REF = ImageRef("tiny", "1")
DOCUMENT: dict[str, t.Any] = json.loads(VECTOR.read_text("utf-8"))

lines = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
sizes = st.integers(0, 1 << 40)
moments = st.datetimes(datetime(1970, 1, 1))


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    start, size = draw(sizes), draw(sizes)
    return Volume(
        partition=draw(st.none() | st.integers(1, 1024)),
        start=start,
        size=size,
        type=draw(lines),
        uuid=draw(st.none() | lines),
        label=draw(st.none() | lines),
        used=draw(st.integers(0, size)),
        minimum_size=draw(st.none() | sizes),
        method=draw(lines),
        note=draw(st.none() | lines),
    )


@st.composite
def tables(draw: st.DrawFn) -> PartitionTable:
    """Primary partitions, one behind the other."""
    parts = draw(st.lists(st.tuples(st.integers(1, 1000), st.sampled_from("1234"), st.booleans()), max_size=4))
    at, partitions = 2048, []
    for number, (sectors, kind, bootable) in enumerate(parts, 1):
        partitions.append(Partition(number, at * 512, sectors * 512, f"8{kind}", bootable=bootable))
        at += sectors
    return PartitionTable("dos", f"0x{draw(st.integers(0, 2**32 - 1)):08x}", 512, tuple(partitions))


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    table = draw(st.none() | tables())
    end = max([part.end for part in table.partitions], default=512) if table else 0
    return Manifest(
        name="lab-a",
        version="2026.11",
        created=draw(moments).strftime("%Y-%m-%dT%H:%M:%SZ"),
        disk_size=1 << 41,
        sector_size=512 if table else draw(st.sampled_from([512, 1024, 2048, 4096])),
        needed_size=draw(st.integers(end, 1 << 41)),
        table=table,
        volumes=tuple(draw(st.lists(volumes(), max_size=3))),
        gaps=tuple(draw(st.lists(st.builds(Gap, sizes, sizes, lines), max_size=3))),
        chunk_size=1 << draw(st.integers(16, 24)),
        chunk_count=draw(st.integers(0, 8388608)),
        index=IndexRef(draw(st.text("0123456789abcdef", min_size=64, max_size=64)), draw(st.integers(1, 1 << 28))),
        used=draw(sizes),
        stored=draw(sizes),
        source=draw(st.dictionaries(st.text(), json_values, max_size=3)),
        os=tuple(draw(st.lists(st.dictionaries(st.text(), json_values, max_size=3), max_size=2))),
        tools=draw(st.dictionaries(st.text(), st.text(), max_size=3)),
        notes=tuple(draw(st.lists(lines, max_size=3))),
    ).sealed()


@given(manifests())
def test_what_is_encoded_is_decoded(image: Manifest) -> None:
    assert manifest.decode(manifest.encode(image), image.ref) == image


@pytest.mark.parametrize("field", [each.name for each in fields(Manifest) if each.name != "digest"])
def test_every_field_counts_in_the_digest(field: str) -> None:
    image = manifest.decode(VECTOR.read_bytes(), REF)
    other: dict[str, t.Any] = {
        "table": None,
        "volumes": image.volumes[1:],
        "gaps": (),
        "index": IndexRef("0" * 64, 1),
        "source": {},
        "os": (),
        "tools": {},
        "notes": (),
    }
    value: t.Any = other[field] if field in other else {str: "other", int: 77}[type(getattr(image, field))]
    assert replace(image, **{field: value}).sealed().digest != image.digest == image.sealed().digest


@given(st.text())
def test_any_text_becomes_a_line(text: str) -> None:
    image = manifest.decode(VECTOR.read_bytes(), REF)
    noted = replace(image, notes=(as_line(text),)).sealed()
    assert manifest.decode(manifest.encode(noted), REF).notes == (as_line(text),)


def test_a_partition_name_may_hold_a_no_break_space() -> None:
    assert as_line("Donn\u00e9es\u00a0C \U0001f600") == "Donn\u00e9es\u00a0C \U0001f600"


def sealed(document: dict[str, t.Any]) -> bytes:
    """A document with the right digest, so that what is refused is refused for its content."""
    content = {key: value for key, value in document.items() if key != "digest"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**content, "digest": digest(canonical).hex()}).encode()


def changed(path: str, value: t.Any) -> bytes:
    """The vector's manifest with one field changed, and sealed again."""
    document = copy.deepcopy(DOCUMENT)
    *folders, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    target: t.Any = document
    for step in folders:
        target = target[step]
    target[last] = value
    return sealed(document)


def test_the_helper_changes_nothing_by_itself() -> None:
    assert manifest.decode(sealed(DOCUMENT), REF).digest == DOCUMENT["digest"]


HOSTILE: list[tuple[str, t.Any]] = [
    ("format", "something else"),
    ("format", None),
    ("format_version", 0),
    ("format_version", "1"),
    ("format_version", True),
    ("kind", "file"),
    ("name", "../../etc"),
    ("name", "other"),
    ("version", "2"),
    ("version", "1/../2"),
    ("created", 5),
    ("created", "2026\n"),
    ("created", "yesterday"),
    ("created", "2026-13-01T00:00:00Z"),
    ("disk", []),
    ("disk/size", 0),
    ("disk/size", -1),
    ("disk/size", 2**57),
    ("disk/size", "1081344"),
    ("disk/sector_size", 513),
    ("disk/sector_size", 8192),
    ("disk/needed_size", 1081345),
    ("disk/needed_size", -1),
    ("table", []),
    ("table/label", "mac"),
    ("table/id", "6d3b6b3c-2f0d-4f57-8c6b-0f3b0d9a7e11"),
    ("table/id", "label: dos\n"),
    ("table/length", 10**9),
    ("table/partitions", None),
    ("table/partitions", [{}]),
    ("table/partitions/0/number", 2),
    ("table/partitions/0/number", 129),
    ("table/partitions/0/start", 512),
    ("table/partitions/0/start", 65537),
    ("table/partitions/0/start", -512),
    ("table/partitions/0/size", 0),
    ("table/partitions/0/size", 2**60),
    ("table/partitions/0/size", 655360),
    ("table/partitions/2/size", 278528),
    ("table/partitions/0/type", "linux"),
    ("table/partitions/0/uuid", None),
    ("table/partitions/0/uuid", "x, size=1"),
    ("table/partitions/0/name", 'root"\n5: start=0'),
    ("table/partitions/0/name", "x" * 37),
    ("table/partitions/0/attrs", 'GUID:63", size="1'),
    ("table/partitions/0/bootable", 1),
    ("table/partitions/0/bootable", True),
    ("volumes", {}),
    ("volumes", [1]),
    ("volumes/0/start", 1081345),
    ("volumes/0/size", 1081344),
    ("volumes/0/used", 524289),
    ("volumes/0/label", "\x1b[31m"),
    ("volumes/0/type", "ext4\u2028"),
    ("volumes/0/type", "\u202e4txe"),
    ("volumes/0/type", "\u20664txe"),
    ("volumes/0/label", "x" * 4097),
    ("gaps/0/size", 1081345),
    ("gaps/0/note", None),
    ("chunks/size", 65535),
    ("chunks/size", 1 << 27),
    ("chunks/count", -1),
    ("chunks/count", 1 << 40),
    ("chunks/used", 1081345),
    ("chunks/stored", -1),
    ("chunks/index", None),
    ("chunks/index/digest", "../" * 21 + "x"),
    ("chunks/index/digest", "A" * 64),
    ("chunks/index/size", 0),
    ("chunks/index/size", 1 << 29),
    ("source", []),
    ("os", {}),
    ("os", [[]]),
    ("tools", None),
    ("notes", "text"),
    ("notes", [5]),
    ("notes", ["x"] * 4097),
]


@pytest.mark.parametrize(("path", "value"), HOSTILE, ids=lambda value: str(value)[:30])
def test_lies_are_refused(path: str, value: t.Any) -> None:
    with pytest.raises(ImageDamaged, match="The manifest of image tiny:1 is damaged"):
        manifest.decode(changed(path, value), REF)


@pytest.mark.parametrize("field", sorted(set(DOCUMENT) - {"table"}))
def test_every_field_is_needed(field: str) -> None:
    document = {key: value for key, value in DOCUMENT.items() if key != field}
    data = json.dumps(document).encode() if field == "digest" else sealed(document)
    with pytest.raises(ImageDamaged):
        manifest.decode(data, REF)


def test_a_newer_version_says_to_update() -> None:
    with pytest.raises(ImageUnsupported, match="has format version 2; this golden.fleet reads up to 1. Update"):
        manifest.decode(changed("format_version", 2), REF)


def test_a_changed_byte_is_noticed_by_the_digest() -> None:
    data = VECTOR.read_bytes().replace(b'"hostname": "reference"', b'"hostname": "Reference"')
    with pytest.raises(ImageDamaged, match="its digest does not fit its content"):
        manifest.decode(data, REF)


NO_JSON = {
    "nothing": b"",
    "an array": b"[]",
    "cut off": VECTOR.read_bytes()[:-10],
    "no UTF-8": b'{"format": "\xff"}',
    "a key twice": VECTOR.read_bytes().replace(b'"kind": "disk",', b'"kind": "disk", "kind": "disk",'),
    "a fraction": VECTOR.read_bytes().replace(b'"count": 11', b'"count": 11.0'),
    "an exponent": VECTOR.read_bytes().replace(b'"count": 11', b'"count": 11e0'),
    "not a number": VECTOR.read_bytes().replace(b'"hostname": "reference"', b'"hostname": NaN'),
    "infinity": VECTOR.read_bytes().replace(b'"hostname": "reference"', b'"hostname": -Infinity'),
    "endless nesting": b"[" * 200000,
    "nested objects": b'{"a":' * 200000,
    "an endless number": b'{"format": ' + b"1" * 100000 + b"}",
    "too long": b" " * (16 << 20) + VECTOR.read_bytes(),
}


@pytest.mark.parametrize("data", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_manifest_at_all(data: bytes) -> None:
    with pytest.raises(ImageDamaged, match="The manifest of image tiny:1 is damaged"):
        manifest.decode(data, REF)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ImageDamaged):
        manifest.decode(data, REF)


@given(st.sampled_from(sorted(set(DOCUMENT) - {"digest"})), json_values)
def test_any_value_anywhere_is_taken_or_refused(field: str, value: t.Any) -> None:
    """Never another exception than ours, whatever stands in a field."""
    try:
        found = manifest.decode(changed(field, value), REF)
    except (ImageDamaged, ImageUnsupported):
        return
    assert found.ref == REF
