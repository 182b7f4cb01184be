# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine as the modules call it, on plain files; and small disks for it that are quick to survey."""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._image.apply import ApplyRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._image.capture import CaptureRequest, capture
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.prune import PruneRequest, prune
from ansible_collections.golden.fleet.plugins.module_utils._image.verify import VerifyRequest, verify
from ansible_collections.golden.fleet.plugins.module_utils._progress import Progress, Silent
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation
from ansible_collections.golden.fleet.tests.support.disks import MIB, call, sparse

NOISE_AT = MIB  # where the partition of a noise disk begins

Result = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


@dataclass(frozen=True)
class Place:
    """A store for images: where it is, and the folder behind it."""

    location: StoreLocation
    folder: Path

    def beside(self, name: str) -> Place:
        """Another store on the same server, or beside the same directory."""
        location = replace(self.location, store=f"{self.location.store}-{name}")
        return Place(location, self.folder.with_name(f"{self.folder.name}-{name}"))


class Watcher(Silent):
    """Remembers phases and notes, and calls somebody at each phase."""

    def __init__(self, at_phase: t.Callable[[str], None] = lambda _name: None) -> None:
        self.phases: list[str] = []
        self.notes: list[str] = []
        self._at_phase = at_phase

    def phase(self, name: str, total: int = 0) -> None:  # noqa: ARG002
        self.phases.append(name)
        self._at_phase(name)

    def note(self, text: str) -> None:
        self.notes.append(text)


def capture_disk(
    store: Store, path: Path | str, ref: str, progress: Progress | None = None, **options: t.Any
) -> Result:
    """Capture a disk as ``name:version``; the options are those of CaptureRequest, and sector_size.

    Chunks have 1 MiB unless told, whatever the engine finds comfortable: small disks shall have several.
    """
    options.setdefault("chunk_size", MIB)
    disk = read_disk(str(path), options.pop("sector_size", None))
    return capture(store, CaptureRequest(disk, parse_ref(ref), **options), progress or Silent())


def apply_disk(store: Store, path: Path | str, ref: str, progress: Progress | None = None, **options: t.Any) -> Result:
    """Apply an image to a disk; the options are those of ApplyRequest, and sector_size."""
    disk = read_disk(str(path), options.pop("sector_size", None))
    return apply(store, ApplyRequest(disk, parse_ref(ref), **options), progress or Silent())


def verify_store(store: Store, ref: str | None = None, **options: t.Any) -> Result:
    return verify(store, VerifyRequest(parse_ref(ref) if ref else None, **options), Silent())


def prune_store(store: Store, progress: Progress | None = None, **options: t.Any) -> Result:
    return prune(store, PruneRequest(**options), progress or Silent())


def noise(size: int, seed: int) -> bytes:
    """Bytes that nothing compresses, always the same for a seed."""
    return random.Random(seed).randbytes(size)


def noise_disk(path: Path, mebibytes: int, seed: int = 1) -> Path:
    """A disk with a GPT and one partition of noise, which no tool can look into: all of it is captured."""
    size = (mebibytes + 2) * MIB
    sparse(path, size)
    call("sfdisk", "--quiet", path, stdin=f"label: gpt\nsize={mebibytes}M\n")
    overwrite(path, NOISE_AT, noise(mebibytes * MIB, seed))
    return path


def overwrite(path: Path | str, offset: int, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def piece(path: Path | str, offset: int, size: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def same_noise(one: Path, other: Path, mebibytes: int) -> bool:
    """Do two noise disks hold the same, as far as an image keeps it?"""
    size = mebibytes * MIB
    return piece(one, NOISE_AT, size) == piece(other, NOISE_AT, size) and table_of(one) == table_of(other)


def table_of(path: Path | str) -> list[str]:
    """The partition table as sfdisk writes it down, without what depends on path and size of the disk; or nothing."""
    lines = call("sfdisk", "--dump", path, ok={0, 1}).splitlines()
    kept = [line.replace(str(path), "") for line in lines]
    return [line for line in kept if not line.startswith(("device:", "last-lba:", "first-lba:"))]


def signatures(path: Path | str) -> set[str]:
    """Types of all signatures that wipefs sees on a whole disk."""
    return set(call("wipefs", "--noheadings", "--parsable", "--output", "TYPE", path).split())
