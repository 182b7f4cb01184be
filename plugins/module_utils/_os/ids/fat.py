# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Files of a FAT filesystem, by mtools: read, and changed where they lie.

A boot partition is not mounted for it: what takes the place of a file there is not there for a moment, and a
computer that loses its power then does not start any more. What is changed in place is as long as before.
"""

from __future__ import annotations

import os
import re
import struct
import tempfile
import typing as t

from ..._errors import OsError
from ..._run import Result, run

_ODD = re.compile(r"[\[\]*?\\]")  # mtools takes these for patterns; no boot loader has them in its name
_EMPTY = 'File "::" not found'
_RANGE = re.compile(r"<(\d+)(?:-(\d+))?>")


class Fat:
    """A FAT filesystem on a device.

    :raises OsError: by all methods, where it makes no sense.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        said = _mtools("mdir", "-b", "-/", "-i", device, "::", ok=(0, 1))
        if said.rc and _EMPTY not in said.stderr:
            raise OsError(f"A boot partition cannot be read: {said.stderr.strip()}")
        # A folder ends with a slash.
        lines = (line for line in said.stdout.splitlines() if line.startswith("::/") and not line.endswith("/"))
        paths = [line.removeprefix("::") for line in lines]
        self.files = sorted(path for path in paths if not _ODD.search(path))

    def read(self, path: str, most: int) -> bytes:
        """A file.

        :param most: bytes; a longer file is an error.
        """
        with tempfile.TemporaryDirectory(prefix="golden-") as folder:
            copy = os.path.join(folder, "file")
            _mtools("mcopy", "-n", "-i", self._device, f"::{path}", copy)
            if os.path.getsize(copy) > most:
                raise OsError(f"{path} of a boot partition has more than {most} bytes.", path=path)
            with open(copy, "rb") as file:
                return file.read()

    def write(self, path: str, data: bytes) -> None:
        """Change a file to this, which is as long as before."""
        before = self.read(path, len(data))
        if len(before) != len(data):
            raise OsError(f"{path} of a boot partition would have another length.", path=path)
        with open(self._device, "r+b", buffering=0) as device:
            start, size = _geometry(device.read(512), path)
            clusters = self._clusters(path)
            for number, cluster in enumerate(clusters):
                piece = data[number * size : (number + 1) * size]
                if piece != before[number * size : (number + 1) * size]:
                    os.pwrite(device.fileno(), piece, start + (cluster - 2) * size)
            os.fsync(device.fileno())
        if self.read(path, len(data)) != data:
            raise OsError(f"{path} of a boot partition is not what was written there.", path=path)

    def _clusters(self, path: str) -> t.Iterator[int]:
        said = _mtools("mshowfat", "-i", self._device, f"::{path}").stdout
        for found in _RANGE.finditer(said.rpartition(path)[2]):
            yield from range(int(found[1]), int(found[2] or found[1]) + 1)


def _mtools(*argv: str, ok: t.Container[int] = (0,)) -> Result:
    """Without its check of what only floppy disks have."""
    return run(argv, ok=ok, secrets={"MTOOLS_SKIP_CHECK": "1"})


def _geometry(sector: bytes, path: str) -> tuple[int, int]:
    """Where the first cluster begins, and how large each is, in bytes."""
    bytes_each, sectors_each, reserved, copies, entries = struct.unpack_from("<HBHBH", sector, 11)
    table = struct.unpack_from("<H", sector, 22)[0] or struct.unpack_from("<I", sector, 36)[0]
    if not bytes_each or not sectors_each:
        raise OsError(f"{path} lies on a boot partition that makes no sense.", path=path)
    return (reserved + copies * table) * bytes_each + entries * 32, sectors_each * bytes_each
