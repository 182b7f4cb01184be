# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A folder as one file, to send it: thousands of small ones would each take their time."""

from __future__ import annotations

import shutil
import tarfile
import typing as t
from pathlib import Path, PurePosixPath

from .._errors import UsageError

_PIECE = 1 << 20


def pack(folder: str, file: t.BinaryIO) -> None:
    """What is in a folder, with what its links lead to."""
    with tarfile.open(fileobj=file, mode="w", dereference=True) as archive:
        archive.add(folder, arcname=".")


def unpack(path: str, folder: str) -> None:
    """:param folder: new and empty.
    :raises UsageError: there is something else in it than folders and files.
    """
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            place = Path(folder, name)
            content = archive.extractfile(member) if member.isreg() else None
            if name.is_absolute() or ".." in name.parts or not (content or member.isdir()):
                raise UsageError(f"{member.name} is neither a file nor a folder.")
            if content is None:
                place.mkdir(exist_ok=True)
                continue
            with content, place.open("wb") as file:
                shutil.copyfileobj(content, file, _PIECE)
