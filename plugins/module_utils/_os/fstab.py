# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What an ``fstab`` names, and which filesystem of a disk that is. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_OCTAL = re.compile(r"\\([0-7]{3})")
_UDEV = re.compile(r"\\x([0-9a-fA-F]{2})")
_TAGS = {"UUID": "uuid", "LABEL": "label", "PARTUUID": "part_uuid", "PARTLABEL": "part_label"}
_LINKS = {"by-uuid": "UUID", "by-label": "LABEL", "by-partuuid": "PARTUUID", "by-partlabel": "PARTLABEL"}
_PARTITION = re.compile(r"/dev/((?:[sv]|xv|h)d[a-z]+|(?:nvme\d+n|mmcblk)\d+(?=p))p?(\d+)")


@dataclass(frozen=True)
class Filesystem:
    """One on a disk: in a partition, in a logical volume, or all over the disk.

    :ivar place: number of the partition, or names of volume group and logical volume (``vg/root``), or ``disk``.
    :ivar device: what holds it, while it is open.
    :ivar type: as blkid names it.
    """

    place: str
    device: str
    type: str
    uuid: str | None = None
    label: str | None = None
    part_uuid: str | None = None
    part_label: str | None = None
    esp: bool = False

    def __str__(self) -> str:
        kind = "logical volume " if "/" in self.place else "partition " if self.place != "disk" else "the whole "
        return f"{kind}{self.place}"

    @property
    def title(self) -> str:
        """As it begins a sentence."""
        name = str(self)
        return name[:1].upper() + name[1:]


@dataclass(frozen=True)
class Entry:
    """A line of an fstab.

    :ivar subvolume: of a btrfs, as an option of mount: ``subvol=@home``.
    :ivar optional: the system starts without it.
    """

    source: str
    path: str
    type: str
    subvolume: str | None = None
    optional: bool = False


def parse_fstab(text: str) -> list[Entry]:
    """What lies on disks and belongs into the tree, folders before what is in them; the root is not among it."""
    entries = [entry for entry in map(_parse, text.splitlines()) if entry]
    return sorted(entries, key=lambda entry: entry.path.count("/"))


def named(source: str, filesystems: t.Sequence[Filesystem], root: tuple[str, Filesystem]) -> Filesystem | None:
    """Which of these an entry means.

    :param root: what the fstab calls its root, and which one that is. It tells what names of disks mean.
    """
    attribute, value = _meant(source, *root)
    fold = str.lower if attribute.endswith("uuid") else str
    found = (each for each in filesystems if value and fold(getattr(each, attribute) or "") == fold(value))
    return next(found, None)


def root_of(text: str) -> str:
    """What an fstab calls its root; empty where it does not."""
    lines = (line.split() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return next((_decoded(fields[0]) for fields in lines if fields[1:2] == ["/"]), "")


def _parse(line: str) -> Entry | None:
    fields = [_decoded(field) for field in line.split()]
    if len(fields) < 3 or fields[0].startswith("#"):
        return None
    source, path, kind = fields[:3]
    options = fields[3].split(",") if len(fields) > 3 else []
    on_a_disk = source.startswith("/dev/") or source.partition("=")[0] in _TAGS
    if not on_a_disk or not path.strip("/") or not path.startswith("/") or kind == "swap":
        return None
    subvolume = next((each for each in options if each.startswith(("subvol=", "subvolid="))), None)
    return Entry(source, path, kind, subvolume, bool({"nofail", "noauto"} & set(options)))


def _decoded(field: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), field)


def _meant(source: str, root_source: str, root: Filesystem) -> tuple[str, str]:
    """Which attribute of a filesystem is meant, and its value."""
    if not source.startswith("/"):
        tag, _equals, value = source.partition("=")
        return _TAGS[tag], value.strip('"')
    _empty, _dev, *rest = source.split("/")
    if len(rest) == 3 and rest[0] == "disk" and rest[1] in _LINKS:
        return _TAGS[_LINKS[rest[1]]], _UDEV.sub(lambda found: chr(int(found[1], 16)), rest[2])
    if len(rest) == 2 and rest[0] == "mapper":
        # LVM doubles the dashes within names.
        group, _dash, volume = rest[1].replace("--", "\0").partition("-")
        return "place", f"{group}/{volume}".replace("\0", "-")
    if len(rest) == 2:
        return "place", "/".join(rest)
    return "place", _partition(source, root_source, root)


def _partition(source: str, root_source: str, root: Filesystem) -> str:
    """The number, where the name is of the disk that the root is said to be on; else empty."""
    found, there = _PARTITION.fullmatch(source), _PARTITION.fullmatch(root_source)
    if found and there and (found[1], root.place) == (there[1], there[2]):
        return found[2]
    return ""
