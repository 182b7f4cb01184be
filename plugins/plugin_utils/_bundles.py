# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Folders of the controller as files to be sent; one for all hosts that want it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import typing as t
from pathlib import Path

import ansible.constants

from ..module_utils._errors import UsageError
from ..module_utils._os.bundle import pack


def bundle_of(folder: str) -> str:
    """The file, in the folder for such things that goes with the play. Many hosts ask at once: the first one makes it.

    :raises UsageError: this is no folder, or it cannot be read.
    """
    name = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:16]
    place = Path(ansible.constants.DEFAULT_LOCAL_TMP, f"golden-{name}.tar")
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _make(folder, place)
    return str(place)


def _make(folder: str, place: Path) -> None:
    if not os.path.isdir(folder):
        raise UsageError(f"{folder} on this controller is no folder.")
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent) as file:
            pack(folder, t.cast("t.BinaryIO", file))
            file.flush()
            os.link(file.name, place)
    except OSError as error:
        raise UsageError(f"{folder} on this controller cannot be packed: {error}") from error
