# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What lies in a partition, and a device for it that tools can open."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

from .._errors import DiskError, ToolFailed
from .._run import run
from .model import Disk, Volume

# blkid ends so when nothing was found, and when several signatures contradict each other
_NOTHING, _AMBIVALENT = 2, 8


@contextlib.contextmanager
def node_of(disk: Disk, writable: bool = False) -> t.Iterator[str]:
    """A path under which tools see the whole disk with its sector size."""
    if disk.kind == "file" and disk.sector_size != 512:
        with loop_of(disk, 0, disk.size, writable) as node:
            yield node
    else:
        yield disk.path


@contextlib.contextmanager
def device_of(disk: Disk, start: int, size: int, writable: bool = False) -> t.Iterator[str]:
    """A device, or a file, that holds just this piece of the disk; read-only if it is a device and not writable.

    Never the kernel's own partition node: there may be none, and it has a page cache apart from the disk's,
    which may show what was there before.
    """
    if (start, size, disk.kind) == (0, disk.size, "file"):
        yield disk.path
        return
    with loop_of(disk, start, size, writable) as node:
        yield node


@contextlib.contextmanager
def loop_of(disk: Disk, start: int, size: int, writable: bool) -> t.Iterator[str]:
    """A device for this piece of the disk. What is mounted from it, or built on it, keeps it when this has ended."""
    argv = [
        "losetup",
        "--find",
        "--show",
        "--offset",
        str(start),
        "--sizelimit",
        str(size),
        "--sector-size",
        str(disk.sector_size),
        *([] if writable else ["--read-only"]),
        disk.path,
    ]
    try:
        node = run(argv).stdout.strip()
    except ToolFailed as error:
        raise DiskError(
            f"No loop device could be made for {size} bytes at {start} of {disk.path}: {error.message} "
            "Load the kernel module 'loop', and detach loop devices nobody needs.",
            disk=disk.path,
        ) from error
    fd = os.open(node, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Detached while open, it goes with its last user: nothing is left behind, even by kill -9.
        run(["losetup", "--detach", node])
        yield node
    finally:
        os.close(fd)


def probe(disk: Disk, partition: int | None, start: int, size: int) -> Volume:
    """What blkid sees in this piece of the disk; type "unknown" when it knows nothing."""
    known, ambivalent = _blkid(disk.path, "--offset", str(start), "--size", str(size))
    note = "it has several signatures that contradict each other" if ambivalent else None
    return Volume(
        partition=partition,
        start=start,
        size=size,
        type=known.get("TYPE", "unknown"),
        uuid=known.get("UUID"),
        label=known.get("LABEL"),
        note=note,
    )


def probe_device(node: str) -> dict[str, str]:
    """What blkid sees on a whole device: TYPE, UUID, LABEL, as far as there are any."""
    return _blkid(node)[0]


def signatures(node: str) -> list[dict[str, t.Any]]:
    """Everything on a device or file that marks a table or filesystem: type, offset, label.

    wipefs, because blkid says nothing at all where an old signature is left beside a newer one.
    """
    return list(json.loads(run(["wipefs", "--json", node]).stdout)["signatures"])


def parse_blkid(text: str) -> dict[str, str]:
    """The output of ``blkid --output export``."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    # The shell would need the backslashes that blkid puts before odd characters; people do not.
    return {name: _unescaped(value) for name, _equal, value in pairs}


def _blkid(*where: str) -> tuple[dict[str, str], bool]:
    """What it knows, and whether there is more than one thing to know."""
    said = run(["blkid", "--probe", "--output", "export", *where], ok=(0, _NOTHING, _AMBIVALENT))
    return parse_blkid(said.stdout), said.rc == _AMBIVALENT


def _unescaped(value: str) -> str:
    plain, escaped = [], False
    for char in value:
        escaped = char == "\\" and not escaped
        if not escaped:
            plain.append(char)
    return "".join(plain)
