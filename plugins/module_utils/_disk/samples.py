# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Is there anything but zeros in a piece of a disk? A look at both ends and some places between."""

from __future__ import annotations

import os

from .._errors import DiskError
from .handle import aligned_buffer
from .model import Disk

# Superblocks and the first files of a partition at 1 MiB are within the first of these.
_HEAD = 4 << 20
_TAIL = 1 << 20
_SAMPLE = 64 << 10
_SAMPLES = 64


def has_data(disk: Disk, start: int, size: int) -> bool:
    """Few MiB are read: a piece that was zeroed or never used has nothing there, hardly any other has not.

    :raises DiskError: the disk cannot be read.
    """
    end = start + size
    places = [(start, _HEAD), (max(start, end - _TAIL), _TAIL)]
    places += [(start + number * size // _SAMPLES, _SAMPLE) for number in range(_SAMPLES)]
    buffer = aligned_buffer(_HEAD)
    fd = os.open(disk.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for place, length in places:
            count = os.preadv(fd, [buffer[: min(length, end - place)]], place)
            if any(buffer[:count].tobytes()):
                return True
    except OSError as error:
        raise DiskError(f"Disk {disk.path} cannot be read: {error.strerror}.", disk=disk.path) from error
    finally:
        os.close(fd)
    return False
