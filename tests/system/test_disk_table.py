# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Partition tables that sfdisk really writes, and reads back."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.handle import DiskHandle
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Partition, PartitionTable
from ansible_collections.golden.fleet.plugins.module_utils._disk.table import (
    needed_size,
    read_table,
    rehearse_table,
    write_table,
)
from ansible_collections.golden.fleet.plugins.module_utils._errors import DiskError, SectorSizeDiffers, UsageError

from tests.support.disks import GPT_LINUX, MIB, call, looped, make_filesystem, sparse

DISK_ID = "3355C441-F61F-A945-B489-CCC69EA66760"


def guid(number: int) -> str:
    return f"ED88D7FE-0E90-354F-BB0A-{number:012X}"


def gpt(sector_size: int = 512) -> PartitionTable:
    """Numbers with holes, an order that is not that of the disk, a partition below 1 MiB, odd names, attributes."""
    low = 40 * 512 if sector_size == 512 else 16 * 4096
    return PartitionTable(
        "gpt",
        DISK_ID,
        sector_size,
        (
            Partition(2, 5 * MIB, MIB, GPT_LINUX, guid(2), name='a "b" \\x41 c, d=é', attrs="GUID:60,63"),
            Partition(3, low, 4 * sector_size, "21686148-6449-6E6F-744E-656564454649", guid(3), name="bios"),
            Partition(9, 2 * MIB, 3 * MIB, GPT_LINUX, guid(9), attrs="RequiredPartition LegacyBIOSBootable"),
        ),
    )


def dos() -> PartitionTable:
    """Logical partitions that leave no more than the one sector between them which the format needs."""
    sector = 512
    return PartitionTable(
        "dos",
        "0x1234abcd",
        sector,
        (
            Partition(1, MIB, MIB, "7", bootable=True),
            Partition(3, 3 * MIB, 4 * MIB, "f"),
            Partition(5, 3 * MIB + sector, MIB, "83"),
            Partition(6, 4 * MIB + 2 * sector, MIB, "82"),
            Partition(7, 6 * MIB, MIB, "c"),
        ),
    )


def write(path: Path, table: PartitionTable) -> None:
    with DiskHandle(read_disk(str(path), table.sector_size), writable=True) as handle:
        write_table(handle, table)


@pytest.mark.parametrize("table", [gpt(), gpt(4096), dos(), dataclasses.replace(gpt(), length=256, partitions=())])
def test_round_trip(tmp_path: Path, table: PartitionTable) -> None:
    path = sparse(tmp_path / "disk", 12 * MIB)
    write(path, table)
    assert read_table(str(path), table.sector_size) == table


@pytest.mark.parametrize("table", [gpt(), dos()])
def test_the_smallest_disk_that_a_table_needs(tmp_path: Path, table: PartitionTable) -> None:
    path = sparse(tmp_path / "disk", needed_size(table))
    write(path, table)
    assert read_table(str(path)) == table
    smaller = sparse(tmp_path / "smaller", needed_size(table) - 512)
    with pytest.raises(UsageError, match="beyond the disk"):
        write(smaller, table)
    assert not any(smaller.read_bytes())


def test_on_a_loop_device(tmp_path: Path) -> None:
    with looped(sparse(tmp_path / "disk", 12 * MIB)) as node:
        write(Path(node), gpt())
        assert read_table(node) == gpt()
    assert read_table(str(tmp_path / "disk")) == gpt()


@pytest.mark.parametrize("size", [12 * MIB, 50 * MIB])
def test_backup_header_is_at_the_end_of_the_disk(tmp_path: Path, size: int) -> None:
    path = sparse(tmp_path / "disk", size)
    write(path, gpt())
    content = path.read_bytes()
    assert content[-512:][:8] == b"EFI PART"
    assert struct.unpack("<Q", content[512 + 32 : 512 + 40]) == (size // 512 - 1,)
    assert "No errors" in call("sfdisk", "--verify", path)


@pytest.mark.parametrize("table", [gpt(), dos()])
def test_boot_code_survives(tmp_path: Path, table: PartitionTable) -> None:
    path = sparse(tmp_path / "disk", 12 * MIB)
    code = bytes(range(1, 221)) * 2
    with path.open("r+b") as file:
        file.write(code)
    write(path, dos() if table.label == "gpt" else gpt())
    write(path, table)
    assert path.read_bytes()[:440] == code
    assert read_table(str(path)) == table


def test_damaged_primary_header_is_read_from_the_backup(tmp_path: Path) -> None:
    path = sparse(tmp_path / "disk", 12 * MIB)
    write(path, gpt())
    with path.open("r+b") as file:
        file.seek(512)
        file.write(bytes(64))
    assert read_table(str(path)) == gpt()


def test_old_signatures_do_not_hide_a_table(tmp_path: Path) -> None:
    path = make_filesystem(tmp_path / "disk", "ntfs", 24 * MIB)  # its boot sector stays: it counts as boot code
    write(path, dos())
    assert read_table(str(path)) == dos()


@pytest.mark.parametrize("kind", ["ntfs", "exfat", "vfat", "ext4", "swap"])
def test_boot_sector_of_a_filesystem_is_no_table(tmp_path: Path, kind: str) -> None:
    assert read_table(str(make_filesystem(tmp_path / "disk", kind, 40 * MIB))) is None


def test_an_empty_dos_table_is_a_table(tmp_path: Path) -> None:
    path = sparse(tmp_path / "disk", 12 * MIB)
    table = dataclasses.replace(dos(), partitions=())
    write(path, table)
    assert read_table(str(path)) == table


def test_sector_sizes_must_agree(tmp_path: Path) -> None:
    path = sparse(tmp_path / "disk", 12 * MIB)
    with DiskHandle(read_disk(str(path)), writable=True) as handle, pytest.raises(SectorSizeDiffers):
        write_table(handle, gpt(4096))


@pytest.mark.parametrize("table", [gpt(), gpt(4096), dos()])
def test_a_rehearsal_says_nothing_about_a_table_that_can_be_written(table: PartitionTable) -> None:
    for size in (needed_size(table), 20 << 40):  # more than a file on ext4 may have
        rehearse_table(table, size)


def test_a_rehearsal_finds_what_sfdisk_cannot_or_does_not_write() -> None:
    sector = 512
    head = [Partition(3, 6144 * sector, 8192 * sector, "f"), Partition(5, 10000 * sector, sector, "83")]
    refused = [Partition(6, 8194 * sector, 1024 * sector, "82"), Partition(7, 6146 * sector, 2047 * sector, "82")]
    shifted = [Partition(6, 6145 * sector, 2048 * sector, "82")]
    for logical in (refused, shifted):
        table = PartitionTable("dos", "0x1234abcd", sector, (*head, *logical))
        table.check(12 * MIB)
        with pytest.raises(DiskError, match="cannot be written by sfdisk of this machine"):
            rehearse_table(table, 12 * MIB)
