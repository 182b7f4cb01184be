# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. How others image a disk: Clonezilla's and FOG's commands, and dd to measure the disk."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

from .measure import BenchError

Pipeline = list[list[str]]

_BLOCK = 1 << 20
_BUFFER = ["-z", "10485760"]  # what both give to partclone
_PROGRAMS = ("partclone.ext4", "zstd", "dd", "mkfs.ext4", "e2fsck", "tar", "mount", "unshare")


def check_programs() -> None:
    """:raises BenchError: a program is missing."""
    missing = [name for name in _PROGRAMS if not shutil.which(name)]
    if missing:
        raise BenchError(f"Programs are missing: {', '.join(missing)}. bindep.txt names their packages.")


def clonezilla_capture(source: Path, image: Path) -> Pipeline:
    """The default of Clonezilla with zstd."""
    return [["partclone.ext4", *_BUFFER, "-c", "-s", str(source), *_log(image), "-o", "-"], _pack(image)]


def clonezilla_restore(image: Path, target: Path) -> Pipeline:
    return [["zstd", "-q", "-dc", str(image)], ["partclone.ext4", *_BUFFER, *_restore(image, target)]]


def fog_capture(source: Path, image: Path) -> Pipeline:
    """FOG leaves out checksums when it captures."""
    return [["partclone.ext4", "-a0", "-c", "-s", str(source), *_log(image), "-o", "-"], _pack(image)]


def fog_restore(image: Path, target: Path) -> Pipeline:
    """And ignores them when it restores."""
    write = ["partclone.ext4", *_BUFFER, "--ignore_crc", *_restore(image, target)]
    return [["zstd", "-q", "-dc", str(image)], write]


def dd_copy(source: Path, target: Path, extents: t.Iterable[tuple[int, int]], script: Path) -> Pipeline:
    """Copies the same ranges with direct I/O: nothing is compressed, hashed or verified."""
    flags = "iflag=direct,fullblock,skip_bytes,count_bytes oflag=direct,seek_bytes conv=notrunc"
    lines = [f"skip={start} seek={start} count={length} {flags}" for start, length in _joined(extents)]
    return _dd(f"if='{source}' of='{target}'", lines, script)


def dd_read(source: Path, extents: t.Iterable[tuple[int, int]], script: Path) -> Pipeline:
    """Reads the ranges once with direct I/O."""
    flags = "iflag=direct,fullblock,skip_bytes,count_bytes"
    lines = [f"skip={start} count={length} {flags}" for start, length in _joined(extents)]
    return _dd(f"if='{source}' of=/dev/null", lines, script)


def _joined(extents: t.Iterable[tuple[int, int]]) -> t.Iterator[tuple[int, int]]:
    """Without gaps below 1 MiB: reading along what lies there costs dd less than to be started once more."""
    begin = end = 0
    for start, length in extents:
        if start - end >= _BLOCK:
            yield begin, end - begin
            begin = start
        end = start + length
    yield begin, end - begin


def _dd(files: str, lines: t.Iterable[str], script: Path) -> Pipeline:
    script.write_text("set -e\n" + "".join(f"dd {files} bs=1M status=none {line}\n" for line in lines))
    return [["sh", str(script)]]


def _log(image: Path) -> list[str]:
    return ["-L", str(image.with_suffix(".log"))]


def _pack(image: Path) -> list[str]:
    return ["zstd", "-q", "-T0", "-3", "-f", "-o", str(image)]


def _restore(image: Path, target: Path) -> list[str]:
    # -O, not -o: the target is a file that exists.
    return ["-r", "-s", "-", *_log(image), "-O", str(target)]
