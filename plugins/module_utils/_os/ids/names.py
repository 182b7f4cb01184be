# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. New ids of a disk, made from a seed, and put in the place of the old ones wherever these are named. Pure.

An id is known by its place: ``table`` is the disk's own, ``partition 2`` and ``filesystem 2`` are of one partition.
"""

from __future__ import annotations

import re
import typing as t
import uuid

TABLE: t.Final = "table"
_SPACE = uuid.UUID("5a6d3f0b-7c1e-4d5e-9a53-0d9c1f7e2b46")
_SHORT = 36  # characters: what has fewer may be a piece of something longer
_DASH = rb"(?:-|\\x2d)"  # the second is how systemd writes it in names of units

Ids = t.Dict[str, "Id"]  # noqa: UP006  # evaluated at run time


class Id(t.NamedTuple):
    """One id.

    :ivar kind: guid (of a GPT), dos (the signature of a DOS table), uuid, fat, ntfs (of filesystems).
    :ivar value: as sfdisk and blkid write it.
    """

    kind: str
    value: str

    def derived(self, seed: str, place: str) -> Id:
        """What it becomes for this seed, and always the same."""
        made = uuid.uuid5(uuid.uuid5(_SPACE, seed), place)
        return self._replace(value=_WRITTEN[self.kind](made))

    def sensible(self) -> bool:
        """Whether it can be one at all, since it may come from a file."""
        return bool(_PATTERNS[self.kind].fullmatch(self.value))


class Renaming:
    """Old ids and what becomes of each, in texts and in what Windows keeps of them in binary form.

    :param renamed: pairs of the same kind.
    :param numbers: of the partitions of a DOS table, whose names are made of its signature.
    """

    def __init__(self, renamed: t.Iterable[tuple[Id, Id]], numbers: t.Iterable[int] = ()) -> None:
        texts: dict[str, str] = {}
        self.guids: dict[bytes, bytes] = {}
        self.signatures: dict[bytes, bytes] = {}
        for old, new in renamed:
            if old.kind == "dos":
                self.signatures[signature(old)] = signature(new)
                texts.update({f"{old.value[2:]}-{each:02x}": f"{new.value[2:]}-{each:02x}" for each in numbers})
            else:
                texts[old.value.lower()] = new.value
            if old.kind == "guid":
                self.guids[guid(old)] = guid(new)
        self._texts = texts
        long = _any_of(each for each in texts if len(each) >= _SHORT)
        short = _alone(_any_of(each for each in texts if len(each) < _SHORT))
        self._pattern = re.compile(rb"(?<![0-9A-Za-z])(?:%s)(?![0-9A-Za-z])|%s" % (long, short), re.IGNORECASE)
        self._anywhere = re.compile(rb"%s|%s" % (long, short), re.IGNORECASE)

    def __bool__(self) -> bool:
        return bool(self._texts or self.signatures)

    def text(self, data: bytes) -> bytes:
        """With the new ids in the place of the old ones; as long as before, with letters of the same case."""
        return self._pattern.sub(lambda found: self._new(found[0]), data) if self._texts else data

    def named_in(self, data: bytes) -> bool:
        """Whether an old id is in there, next to whatever; a short one by itself only."""
        return bool(self._texts and self._anywhere.search(data))

    def _new(self, found: bytes) -> bytes:
        plain = found.replace(rb"\x2d", b"-")
        new = self._texts[plain.decode("ascii").lower()].encode("ascii")
        new = new.lower() if plain.islower() else new.upper() if plain.isupper() else new
        return new.replace(b"-", rb"\x2d") if plain != found else new


def guid(found: Id) -> bytes:
    """As it is on disks, and in the registry."""
    return uuid.UUID(found.value).bytes_le


def signature(found: Id) -> bytes:
    """As it is on disks, and in the registry."""
    return int(found.value, 16).to_bytes(4, "little")


def _any_of(texts: t.Iterable[str]) -> bytes:
    every = [_DASH.join(map(re.escape, each.encode("ascii").split(b"-"))) for each in texts]
    return b"|".join(every) or rb"(?!)"


def _alone(pattern: bytes) -> bytes:
    """No piece of a longer one."""
    return rb"(?<![0-9A-Za-z])(?<![0-9A-Fa-f]{4}-)(?:%s)(?![0-9A-Za-z])(?!-[0-9A-Fa-f]{4})" % pattern


_WRITTEN: dict[str, t.Callable[[uuid.UUID], str]] = {
    "guid": lambda made: str(made).upper(),
    "uuid": str,
    "fat": lambda made: f"{made.hex[:4]}-{made.hex[4:8]}".upper(),
    "ntfs": lambda made: made.hex[:16].upper(),
    "dos": lambda made: f"0x{made.hex[:8]}",
}
_PATTERNS = {
    "guid": re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "fat": re.compile(r"[0-9A-F]{4}-[0-9A-F]{4}"),
    "ntfs": re.compile(r"[0-9A-F]{16}"),
    "dos": re.compile(r"0x[0-9a-f]{8}"),
}
