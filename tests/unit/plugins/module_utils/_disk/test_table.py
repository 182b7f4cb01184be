# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partition tables as data: what is read, what is refused, what sfdisk is told."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Partition, PartitionTable
from ansible_collections.golden.fleet.plugins.module_utils._disk.table import needed_size, parse_table, script
from hypothesis import given
from hypothesis import strategies as st

MIB = 1 << 20
LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
UUID = "ED88D7FE-0E90-354F-BB0A-58885E7C8BFB"
GPT = PartitionTable(
    "gpt",
    "3355C441-F61F-A945-B489-CCC69EA66760",
    512,
    (Partition(1, MIB, MIB, LINUX, UUID), Partition(4, 2 * MIB, MIB, LINUX, UUID, name="data")),
)
DOS = PartitionTable(
    "dos",
    "0x12345678",
    512,
    (
        Partition(1, MIB, MIB, "7", bootable=True),
        Partition(2, 2 * MIB, 3 * MIB, "f"),
        Partition(5, 2 * MIB + 512, MIB, "83"),
        Partition(6, 4 * MIB, MIB, "82"),
    ),
)
SIZE = 8 * MIB


def with_first(table: PartitionTable, **change: t.Any) -> PartitionTable:
    first, *others = table.partitions
    return dataclasses.replace(table, partitions=(dataclasses.replace(first, **change), *others))


@pytest.mark.parametrize(
    "table", [GPT, DOS, dataclasses.replace(GPT, partitions=()), dataclasses.replace(DOS, partitions=())]
)
def test_sound_tables(table: PartitionTable) -> None:
    table.check(SIZE)
    table.check(needed_size(table))


@pytest.mark.parametrize("table", [GPT, DOS])
def test_a_disk_one_byte_too_small(table: PartitionTable) -> None:
    with pytest.raises(ValueError, match="beyond the disk"):
        table.check(needed_size(table) - 1)


HOSTILE = [
    (dataclasses.replace(GPT, label="sun"), "no partition table we know"),
    (dataclasses.replace(GPT, id=GPT.id.lower()), "no partition table we know"),
    (dataclasses.replace(GPT, id=GPT.id + "\nwipe: always"), "no partition table we know"),
    (dataclasses.replace(GPT, partitions=GPT.partitions[::-1]), "not in order"),
    (dataclasses.replace(GPT, partitions=GPT.partitions[:1] * 2), "same number"),
    (with_first(GPT, number=0), "does not fit"),
    (dataclasses.replace(GPT, length=3), "does not fit"),
    (with_first(GPT, type="83"), "no GUID"),
    (with_first(GPT, uuid=None), "no GUID"),
    (with_first(GPT, name="x" * 37), "impossible name"),
    (with_first(GPT, name="a\n2 : start=1"), "impossible name"),
    (with_first(GPT, attrs='GUID:1", bootable, name="'), "unknown attributes"),
    (with_first(GPT, bootable=True), "marked active"),
    (with_first(GPT, start=-512), "reaches over"),
    (with_first(GPT, start=33 * 512), "reaches over"),
    (with_first(GPT, start=MIB + 1), "whole sectors"),
    (with_first(GPT, size=0), "empty"),
    (with_first(GPT, size=1 << 60), "beyond the disk"),
    (with_first(GPT, size=MIB + 512), "overlap"),
    (with_first(DOS, start=0), "reaches over"),
    (with_first(DOS, type="0"), "not 1 to ff"),
    (with_first(DOS, type="83, bootable"), "not 1 to ff"),
    (with_first(DOS, uuid=UUID), "only a GPT"),
    (with_first(DOS, size=512 << 32), "cannot reach"),
    (with_first(DOS, type="5"), "several extended"),
    (with_first(DOS, start=3 * MIB, size=512), "overlap"),
    (dataclasses.replace(DOS, partitions=(DOS.partitions[0], *DOS.partitions[2:])), "not inside"),
    (dataclasses.replace(DOS, partitions=(*DOS.partitions[:2], DOS.partitions[3])), "numbered from 5"),
]


@pytest.mark.parametrize(("table", "reason"), HOSTILE)
def test_hostile_tables_are_refused(table: PartitionTable, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        table.check(SIZE)


def test_logical_partitions_need_a_sector_between_them() -> None:
    *others, last = DOS.partitions
    close = dataclasses.replace(DOS, partitions=(*others, dataclasses.replace(last, start=3 * MIB + 512)))
    with pytest.raises(ValueError, match="overlap"):
        close.check(SIZE)


def test_script_of_a_gpt() -> None:
    low = with_first(GPT, start=40 * 512, size=512, attrs="GUID:63", name='a "b"')
    assert script(low) == (
        "label: gpt\n"
        "label-id: 3355C441-F61F-A945-B489-CCC69EA66760\n"
        "unit: sectors\n"
        "first-lba: 40\n"
        "table-length: 128\n"
        "\n"
        f'1 : start=40, size=1, type={LINUX}, uuid={UUID}, name="a \\x22b\\x22", attrs="GUID:63"\n'
        f'4 : start=4096, size=2048, type={LINUX}, uuid={UUID}, name="data"\n'
    )


def test_script_of_a_dos_table() -> None:
    assert script(DOS).splitlines()[-4:] == [
        "1 : start=2048, size=2048, type=7, bootable",
        "2 : start=4096, size=6144, type=f",
        "5 : start=4097, size=2048, type=83",
        "6 : start=8192, size=2048, type=82",
    ]


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=36))
def test_no_name_breaks_out_of_its_quotes(name: str) -> None:
    line = script(with_first(GPT, name=name)).splitlines()[6]
    quoted = line[line.index('name="') + 6 : -1]
    assert line.endswith('"')
    assert '"' not in quoted
    assert line.isascii()
    assert quoted.encode().decode("unicode_escape").encode("latin-1").decode() == name


@pytest.mark.parametrize(
    ("device", "node"), [("/dev/sda", "/dev/sda12"), ("/dev/nvme0n1", "/dev/nvme0n1p12"), ("t.img", "t.img12"),
                         ("/dev/mapper/mpatha", "/dev/mapper/mpatha-part12")]
)  # fmt: skip
def test_numbers_are_read_from_every_kind_of_node(device: str, node: str) -> None:
    entry = {"node": node, "start": 2048, "size": 8, "type": LINUX.lower(), "uuid": UUID.lower(), "name": "x"}
    document = {"partitiontable": {"label": "gpt", "id": GPT.id, "device": device, "partitions": [entry]}}
    assert parse_table(document, 4096).partitions == (Partition(12, 2048 * 4096, 8 * 4096, LINUX, UUID, name="x"),)


@given(st.lists(st.integers(1, 64), max_size=20), st.sampled_from([512, 4096]))
def test_needed_size_is_exactly_what_check_accepts(sizes: list[int], sector_size: int) -> None:
    at, partitions = MIB, []
    for number, sectors in enumerate(sizes, 1):
        partitions.append(Partition(number, at, sectors * sector_size, LINUX, UUID))
        at += sectors * sector_size
    table = PartitionTable("gpt", GPT.id, sector_size, tuple(partitions))
    table.check(needed_size(table))
    if partitions:
        with pytest.raises(ValueError):
            table.check(needed_size(table) - sector_size)
