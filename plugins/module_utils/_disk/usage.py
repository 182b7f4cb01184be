# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which bytes of a volume are used, as partclone tells."""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from dataclasses import dataclass

from .._errors import ToolFailed
from .._extents import Extents
from .._run import run
from .volumes import signatures

# Filesystems whose map we trust: health.py knows when each of them must not be read.
_PARTCLONE = {
    "btrfs": "partclone.btrfs",
    "exfat": "partclone.exfat",
    "ext2": "partclone.ext2",
    "ext3": "partclone.ext3",
    "ext4": "partclone.ext4",
    "f2fs": "partclone.f2fs",
    "hfsplus": "partclone.hfsplus",
    "ntfs": "partclone.ntfs",
    "vfat": "partclone.vfat",
    "xfs": "partclone.xfs",
}

_WHY_EVERYTHING = {
    "BIOS boot": "a boot loader lies in it, so all of it is kept",
    "PReP boot": "a boot loader lies in it, so all of it is kept",
    "crypto_LUKS": "it is encrypted, so all of it is kept",
    "LVM2_member": "it belongs to LVM, so all of it is kept",
    "linux_raid_member": "it belongs to a RAID, so all of it is kept",
    "zfs_member": "it belongs to ZFS, so all of it is kept",
    "unknown": "nobody can tell what it holds, so all of it is kept",
}

# Behind their last cluster, and part of none, NTFS keeps a copy of its boot sector and HFS+ one of its header.
_COPY_AT_THE_END = ("hfsplus", "ntfs")
_LARGEST_CLUSTER = 2 << 20
# Magic at the end of the first page, whose size is not 4096 on every machine.
_SWAP_MAGIC_LENGTH = 10


@dataclass(frozen=True)
class Usage:
    """Used bytes of one volume, counted from its start."""

    used: Extents
    method: str  # partclone, header, everything
    minimum_size: int | None = None
    note: str | None = None


def measure(device: str, kind: str, size: int) -> Usage:
    """Find the used bytes.

    :param device: a device or file that holds just the volume.
    :param kind: what blkid calls it.
    :raises ToolFailed: partclone does not read this filesystem.
    """
    if kind in _PARTCLONE:
        return _through_partclone(device, kind, size)
    if kind == "swap":
        return Usage(Extents([(0, min(_swap_header(device), size))]), "header")
    return everything(
        size,
        _WHY_EVERYTHING.get(kind, f"golden.fleet cannot tell which bytes of {kind} are used, so all of it is kept"),
    )


def everything(size: int, note: str) -> Usage:
    """All bytes of a volume."""
    return Usage(Extents([(0, size)]), "everything", note=note)


def parse_map(lines: t.Iterable[str]) -> tuple[Extents, int]:
    """Read a map of partclone, and check that it is complete.

    :returns: the used ranges, and how many bytes the filesystem has.
    :raises ValueError: it is cut off, or not such a map.
    """
    rows = (line.split() for line in lines if not line.startswith("#"))
    head = next(rows, [])
    if len(head) != 2:
        raise ValueError("it has no line with the current position")
    promised = int(head[0], 16)
    seen = [0]
    used = Extents(_used_rows(rows, seen))
    if seen[0] != promised:
        raise ValueError(f"it ends at byte {seen[0]} instead of {promised}")
    return used, promised


def _used_rows(rows: t.Iterable[list[str]], seen: list[int]) -> t.Iterator[tuple[int, int]]:
    """Yield the used ranges; seen[0] is where the map has come to."""
    for row in rows:
        if len(row) != 3 or row[2] not in ("+", "?"):
            raise ValueError(f"{' '.join(row)!r} is no line of a map")
        start, length = int(row[0], 16), int(row[1], 16)
        if start != seen[0]:
            raise ValueError(f"byte {seen[0]} is followed by byte {start}")
        seen[0] += length
        if row[2] == "+":
            yield start, length


def parse_ntfs_minimum(text: str) -> int | None:
    """The smallest size in the output of ``ntfsresize --info``."""
    found = re.search(r"You might resize at (\d+) bytes", text)
    return int(found[1]) if found else None


def _through_partclone(device: str, kind: str, size: int) -> Usage:
    program = _PARTCLONE[kind]
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        target = os.path.join(folder, "map")
        # -q and a log file, or it draws a full-screen interface; without -f 0 it sleeps for two seconds at the end
        argv = [program, "-D", "-q", "-f", "0", "-s", device, "-o", target, "-L", os.path.join(folder, "log")]
        run(argv)
        try:
            with open(target, encoding="ascii", errors="replace") as lines:
                used, end = parse_map(lines)
        except ValueError as error:
            raise ToolFailed(f"{program} wrote a map that is not usable: {error}.", cmd=argv) from error
    if end > size:
        raise ToolFailed(f"The filesystem has {end} bytes, its partition only {size}.", cmd=argv)
    if kind in _COPY_AT_THE_END:
        used = used | Extents([(end, min(_LARGEST_CLUSTER, size - end))])
    return Usage(used, "partclone", _minimum_size(device, kind, end))


def _minimum_size(device: str, kind: str, end: int) -> int | None:
    """To how many bytes the filesystem could be shrunk; None where no tool tells without write access."""
    if kind == "xfs":
        return end  # XFS cannot shrink
    if kind == "ntfs":
        return parse_ntfs_minimum(run(["ntfsresize", "--info", "--force", device], ok=range(256)).stdout)
    return None


def _swap_header(device: str) -> int:
    found = [int(each["offset"], 16) for each in signatures(device) if each["type"] == "swap"]
    return max(found, default=4096 - _SWAP_MAGIC_LENGTH) + _SWAP_MAGIC_LENGTH
