# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Where a boot configuration of Windows (BCD) names partitions, and the drive letters in its registry.

A BCD is a hive whose values name a partition in a form of 72 bytes, perhaps within something longer. In there ids are
replaced byte for byte: the hive keeps its length and all else, so that it can be changed where it lies.
"""

from __future__ import annotations

import re
import struct
import typing as t

from ..._disk.model import PartitionTable
from ..beneath import Root
from ..windows.hive import Edit, binaries, change, read_keys
from ..windows.values import Value
from .names import TABLE, Ids, Renaming, guid, signature

_DRIVES = "MountedDevices"
_OF_A_GPT = b"DMIO:ID:"
_PARTITION, _LENGTH = 6, 0x48
# Kind, flags, length, nothing; the partition; kind of disk, kind of table; the disk. With a GPT, both are GUIDs; else
# they are where the partition begins, and the disk's signature, each followed by zeros.
_DEVICE = re.compile(
    b"(?P<head>%s.{4}%s.{4})" % (re.escape(struct.pack("<I", _PARTITION)), re.escape(struct.pack("<I", _LENGTH)))
    + b"(?P<partition>.{16})(?P<kinds>.{8})(?P<disk>.{16})",
    re.DOTALL,
)
_REST = bytes(12)
_INFORMATION = re.compile(r'(?<=\bid=")(\d+)(?=")')  # how the recovery environment's ReAgent.xml has a signature


class Device(t.NamedTuple):
    """A partition, as a BCD names it."""

    disk: bytes
    partition: bytes


def renamed(hive: bytes, names: Renaming) -> bytes:
    """A BCD with the new ids in the place of the old ones. As long as before."""
    return _DEVICE.sub(lambda found: _renamed(found, names), hive)


def devices_in(hive: bytes, place: str) -> list[Device]:
    """The partitions that it names.

    :raises OsError: it is damaged, or was not closed cleanly.
    """
    every = (found for data in binaries(hive, place, "Objects") for found in _DEVICE.finditer(data))
    return [Device(found["disk"], found["partition"]) for found in every]


def strangers(devices: t.Iterable[Device], table: PartitionTable, ids: Ids) -> list[Device]:
    """Those that are no partition of a disk with this table and these ids."""
    if table.label == "dos":
        disk = signature(ids[TABLE]) + _REST
        partitions = [each.start.to_bytes(16, "little") for each in table.partitions]
    else:
        disk = guid(ids[TABLE])
        partitions = [guid(ids[f"partition {each.number}"]) for each in table.partitions]
    return [each for each in devices if each.disk != disk or each.partition not in partitions]


def renamed_information(text: bytes, names: Renaming) -> bytes:
    """ReAgent.xml, which says where the recovery environment is."""
    numbers = {str(int.from_bytes(old, "little")): new for old, new in names.signatures.items()}
    known = _INFORMATION.sub(
        lambda found: str(int.from_bytes(numbers.get(found[1], b""), "little")) if found[1] in numbers else found[1],
        text.decode("latin-1"),
    )
    return names.text(known.encode("latin-1"))


def rename_drives(root: Root, names: Renaming, write: bool) -> bool:
    """Drive letters of partitions that are renamed stay theirs.

    :returns: whether there is, or was, anything to do.
    """
    (drives,) = read_keys(root, "SYSTEM", _DRIVES)
    edits = [Edit(_DRIVES, name, _renamed_drive(value, names)) for name, value in (drives or {}).items()]
    return bool(change(root, "SYSTEM", edits, check=not write)["changed"])


def _renamed(found: re.Match[bytes], names: Renaming) -> bytes:
    disk, partition = found["disk"], found["partition"]
    if disk.endswith(_REST):
        disk = names.signatures.get(disk[:4], disk[:4]) + _REST
    else:
        disk, partition = names.guids.get(disk, disk), names.guids.get(partition, partition)
    return found["head"] + partition + found["kinds"] + disk


def _renamed_drive(value: Value, names: Renaming) -> Value:
    data = value.data
    if data.startswith(_OF_A_GPT):
        uid = data[len(_OF_A_GPT) :]
        return Value(value.kind, _OF_A_GPT + names.guids.get(uid, uid))
    if len(data) == 12:  # the disk's signature, and where the partition begins
        return Value(value.kind, names.signatures.get(data[:4], data[:4]) + data[4:])
    return value
