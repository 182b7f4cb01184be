# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What has been mounted of a deployed disk, written down before it is done, so that it can be undone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import typing as t
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .._errors import OsError
from .._process import Identity
from . import lvm
from .mount import unmount, wait_until_free

# Gone after a reboot, as what is mounted.
_FOLDER = Path("/run/golden.fleet/mounts")


@dataclass
class Record:
    """Something is mounted in a folder, perhaps.

    :ivar name: of the record.
    :ivar owner: the process that undoes it by itself; None where it shall stay.
    :ivar written: more than looked at.
    :ivar made: the folder is ours to remove.
    :ivar details: whatever describes it when it is complete; empty before.
    """

    name: str
    folder: str
    disk: str
    owner: Identity | None = None
    groups: list[lvm.Group] = field(default_factory=list)
    written: bool = False
    made: bool = False
    details: dict[str, t.Any] = field(default_factory=dict)

    def save(self) -> None:
        """:raises OsError: it cannot be written down."""
        draft = _FOLDER / f".{self.name}"
        try:
            _FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_text(json.dumps(asdict(self)), "utf-8")
            draft.rename(_file(self.name))
        except OSError as error:
            raise OsError(f"{_FOLDER} cannot be written to: {error.strerror}. This is for root.") from error

    def undo(self) -> None:
        """Unmount everything, down to the disk. Whatever is there already, or no longer, is fine.

        :raises OsError: a program is using it.
        """
        unmount(self.folder)
        for group in self.groups:
            lvm.deactivate(group)
        held = wait_until_free(self.disk)
        if held and self.written:
            raise OsError(
                f"{self.disk} is not free, and may lack what was written: a program keeps {', '.join(held)}, or has a "
                "mount that it alone can see. End it, or restart this machine.",
                disk=self.disk,
            )
        _flush(self.disk)
        if self.made:
            with contextlib.suppress(OSError):
                os.rmdir(self.folder)
        _file(self.name).unlink(missing_ok=True)


@contextlib.contextmanager
def for_a_while(disk: str) -> t.Iterator[Record]:
    """A folder to mount something of a disk in; undone at the end."""
    name = secrets.token_hex(8)
    record = Record(name, str(_FOLDER / name), disk, Identity.current(), made=True)
    record.save()
    try:
        os.mkdir(record.folder, 0o700)
        yield record
    finally:
        record.undo()


def record_of(folder: str) -> Record | None:
    """What is written down of a folder in which something shall stay."""
    return _read(_name(folder))


def new_record(folder: str, disk: str, made: bool) -> Record:
    """For something that shall stay there."""
    return Record(_name(folder), folder, disk, made=made)


def leftovers() -> list[Record]:
    """What processes that were killed could not undo."""
    every = [_read(path.stem) for path in sorted(_FOLDER.glob("*.json"))]
    return [record for record in every if record and record.owner and not record.owner.alive]


def _name(folder: str) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _file(name: str) -> Path:
    return _FOLDER / f"{name}.json"


def _read(name: str) -> Record | None:
    try:
        found = json.loads(_file(name).read_text("utf-8"))
    except FileNotFoundError:
        return None
    owner, groups = found.pop("owner"), found.pop("groups")
    return Record(**found, owner=Identity(**owner) if owner else None, groups=[lvm.Group(*group) for group in groups])


def _flush(disk: str) -> None:
    try:
        fd = os.open(disk, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # it was taken away
        return
    try:
        os.fsync(fd)
    except OSError as error:
        raise OsError(f"{disk} does not take what was written: {error.strerror}.", disk=disk) from error
    finally:
        os.close(fd)
