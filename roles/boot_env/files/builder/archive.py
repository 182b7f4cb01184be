# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Folders as compressed archives that a kernel unpacks into its root filesystem."""

from __future__ import annotations

import os
from pathlib import Path

from .tools import EPOCH, call

# A seventh larger than the smallest there is, in a thirtieth of the time. Kernels have 128 MiB for the window anyway.
_COMPRESSION = ("-9", "--long=27")


def pack(folder: Path, archive: Path) -> None:
    """The same content gives the same bytes: in order, of one age, with numbers instead of inodes."""
    folder.chmod(0o755)  # of "/", too: sshd minds
    names = [".", *sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))]
    for name in names:
        os.utime(folder / name, (EPOCH, EPOCH), follow_symlinks=False)
    plain = archive.with_suffix(".plain")
    options = ("--null", "--create", "--format=newc", "--reproducible", "--quiet", "--directory", folder)
    call("cpio", *options, "--file", plain, stdin="".join(f"{name}\0" for name in names))
    call("zstd", "--quiet", "--force", *_COMPRESSION, "--threads=0", "--rm", plain, "-o", archive)


def join(pieces: list[Path], target: Path) -> None:
    """One initramfs out of several archives: a kernel unpacks them one after the other."""
    with target.open("wb") as file:
        for piece in pieces:
            data = piece.read_bytes()
            file.write(data + bytes(-len(data) % 4))
