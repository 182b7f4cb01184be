# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What this machine has made for a deployed system since it was switched on: so that it is not made twice.

It is kept on the machine, not in the system: there it would be copied to others with the next image.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..._errors import OsError

_FILE = Path("/run/golden.fleet/made")  # gone after a reboot


def was_made_here(value: bytes) -> bool:
    """Whether remember() was told of this."""
    try:
        return _digest(value) in _FILE.read_text("ascii").split()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise OsError(f"{_FILE} cannot be read: {error.strerror}. This is for root.") from error


def remember(value: bytes) -> None:
    """This was made here."""
    try:
        _FILE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, f"{_digest(value)}\n".encode("ascii"))
        finally:
            os.close(fd)
    except OSError as error:
        raise OsError(f"{_FILE} cannot be written to: {error.strerror}. This is for root.") from error


def _digest(value: bytes) -> str:
    return hashlib.sha256(value).hexdigest()
