# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Which disks this machine has, and what is known of each: lsblk, sysfs, udev's links."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import re
import stat
import typing as t
from pathlib import Path

from .._errors import DiskError, ToolFailed
from .._run import run
from .model import Disk

# MOUNTPOINT instead of MOUNTPOINTS and no PATH: both came later than what old releases have, and one
# mount point is enough to know that a disk is in use.
_COLUMNS = (
    "NAME,KNAME,PKNAME,TYPE,SIZE,LOG-SEC,PHY-SEC,SERIAL,WWN,MODEL,VENDOR,TRAN,ROTA,RM,HOTPLUG,RO,MOUNTPOINT,MAJ:MIN"
)
_LOOP_COLUMNS = "NAME,BACK-FILE,BACK-INO,BACK-MAJ:MIN"

# Disks that live in this computer or on its bus. Anything else that calls itself a disk (nbd, rbd, drbd,
# bcache ...) belongs to some software and must be named by its path.
_HARDWARE = re.compile(r"(sd|vd|xvd|hd|nvme|mmcblk|dasd)[a-z0-9]+")
_NO_DISKS = re.compile(r"(z?ram|fd|sr)\d+|mmcblk\d+(boot\d+|rpmb|gp\d+)")
# The kernel calls every MMC and DASD pluggable, also an eMMC that is soldered in.
_NEVER_PLUGGED = ("mmcblk", "dasd")
_LINK_FOLDERS = ("/dev/disk/by-path", "/dev/disk/by-id")

if t.TYPE_CHECKING:
    Node = dict[str, t.Any]


def list_disks() -> list[Disk]:
    """All whole disks of this machine, also those in use, ordered by path.

    :raises ToolMissing: there is no lsblk.
    """
    document = json.loads(run(["lsblk", "--json", "--bytes", "--output", _COLUMNS]).stdout)
    loops, links = _loops(), _links()
    return [_complete(disk, loops, links) for disk in parse_lsblk(document)]


def read_disk(path: str, sector_size: int | None = None) -> Disk:
    """What is known of one disk, or of a plain file that is treated as one.

    :param path: a block device or one of its links, or a plain file.
    :param sector_size: for plain files: what the disk that it stands for uses; 512 unless told.
    :raises DiskError: it is neither, it is a part of a disk, or it cannot be reached.
    """
    real = os.path.realpath(path)
    try:
        info = os.stat(real)
    except OSError as error:
        raise DiskError(f"There is no disk {path}: {error.strerror}.", disk=path) from error
    if stat.S_ISREG(info.st_mode):
        return _read_file(real, info, sector_size or 512)
    if not stat.S_ISBLK(info.st_mode):
        raise DiskError(f"{path} is neither a block device nor a plain file.", disk=path)
    disk = _read_device(path, real)
    if sector_size not in (None, disk.sector_size):
        raise DiskError(
            f"{path} has sectors of {disk.sector_size} bytes, not {sector_size}. "
            "A sector size can be chosen for plain files only.",
            disk=path,
        )
    return disk


def parse_lsblk(document: Node) -> list[Disk]:
    """The whole disks in the output of ``lsblk --json --bytes``, ordered by path, each once."""
    found: dict[str, Disk] = {}
    for node in document["blockdevices"]:
        for each in _walk(node):
            kind = _kind(each)
            if kind and each["kname"] not in found:
                found[each["kname"]] = _parse_node(each, kind)
    return sorted(found.values(), key=lambda disk: disk.path)


def _read_device(path: str, real: str) -> Disk:
    try:
        document = json.loads(run(["lsblk", "--json", "--bytes", "--output", _COLUMNS, real]).stdout)
    except ToolFailed as error:
        raise DiskError(f"{path} is no disk that can be used: it may have no medium.", disk=path) from error
    node = document["blockdevices"][0]
    kind = _kind(node)
    if kind is None:
        parent = f" of /dev/{node['pkname']}" if node.get("pkname") else ""
        raise DiskError(f"{path} is no whole disk but a {node['type']}{parent}. Name the disk itself.", disk=path)
    return _complete(_parse_node(node, kind), _loops(), _links())


def _read_file(real: str, info: os.stat_result, sector_size: int) -> Disk:
    return Disk(
        path=real,
        size=info.st_size,
        sector_size=sector_size,
        physical_sector_size=max(sector_size, 4096),
        kind="file",
        read_only=not os.access(real, os.W_OK),
        in_use=tuple(f"{loop['name']} is attached to it" for loop in _loops() if _is_behind(loop, real, info)),
        device=f"file:{info.st_dev}:{info.st_ino}",
    )


def _is_behind(loop: Node, path: str, info: os.stat_result) -> bool:
    where = f"{os.major(info.st_dev)}:{os.minor(info.st_dev)}"
    same_inode = (int(loop["back-ino"]), loop["back-maj:min"].strip()) == (info.st_ino, where)
    return same_inode or loop["back-file"] == path


def _loops() -> list[Node]:
    said = run(["losetup", "--json", "--list", "--output", _LOOP_COLUMNS]).stdout
    return list(json.loads(said)["loopdevices"]) if said.strip() else []  # it says nothing when there are none


def _walk(node: Node) -> t.Iterator[Node]:
    yield node
    for child in node.get("children", ()):
        yield from _walk(child)


def _kind(node: Node) -> str | None:
    """What kind of whole disk a node is; None for everything else."""
    kind = node["type"]
    if _NO_DISKS.fullmatch(node["kname"]):
        return None
    if kind == "disk":
        return "disk" if _HARDWARE.fullmatch(node["kname"]) else "virtual"
    if kind.startswith("raid"):
        return "raid"
    return kind if kind in {"loop", "mpath"} else None


def _path(node: Node) -> str:
    if node["kname"].startswith("dm-"):
        return f"/dev/mapper/{node['name']}"
    return f"/dev/{node['kname']}"


def _flag(value: t.Any) -> bool:
    return value in (True, 1, "1")  # strings until util-linux 2.33


def _text(value: t.Any) -> str | None:
    return (str(value).strip() if value is not None else "") or None


def _vendor(value: t.Any) -> str | None:
    """The maker's name. A virtio disk has the number of its PCI vendor there."""
    text = _text(value)
    return None if text and text.startswith("0x") else text


def _parse_node(node: Node, kind: str) -> Disk:
    pluggable = _flag(node["hotplug"]) and not node["kname"].startswith(_NEVER_PLUGGED)
    return Disk(
        path=_path(node),
        size=int(node["size"]),
        sector_size=int(node["log-sec"]),
        physical_sector_size=int(node["phy-sec"]),
        kind=kind,
        serial=_text(node["serial"]),
        wwn=_text(node["wwn"]),
        model=_text(node["model"]),
        vendor=_vendor(node["vendor"]),
        transport=_text(node["tran"]),
        rotational=_flag(node["rota"]),
        removable=_flag(node["rm"]) or pluggable,
        read_only=_flag(node["ro"]),
        in_use=tuple(_uses(node)),
        device=node["maj:min"].strip(),
    )


def _uses(node: Node) -> t.Iterator[str]:
    """Why a disk may not be touched: what is mounted from it, or built on it."""
    where = node.get("mountpoint")
    if where:
        yield f"{_path(node)} is " + ("used as swap" if where == "[SWAP]" else f"mounted on {where}")
    for child in node.get("children", ()):
        if child["type"] != "part":
            yield f"{_path(node)} is held by {_path(child)} ({child['type']})"
        yield from _uses(child)


def _links() -> dict[str, list[str]]:
    """The persistent names that udev gave, by the node they lead to."""
    found: dict[str, list[str]] = {}
    for folder in map(Path, _LINK_FOLDERS):
        for link in sorted(folder.iterdir()) if folder.is_dir() else ():
            found.setdefault(os.path.realpath(link), []).append(str(link))
    return found


def _complete(disk: Disk, loops: list[Node], links: dict[str, list[str]]) -> Disk:
    """Add what lsblk does not say, or says only where udev runs."""
    real = os.path.realpath(disk.path)
    folder = Path("/sys/dev/block") / disk.device
    attached = (f"{loop['name']} is attached to it" for loop in loops if loop["back-file"] == real)
    uses = (*disk.in_use, *attached)
    return dataclasses.replace(
        disk,
        serial=disk.serial or _first(folder, "serial", "device/serial") or _scsi_serial(folder),
        wwn=disk.wwn or _wwn(_first(folder, "wwid", "device/wwid")),
        model=disk.model or _first(folder, "device/model", "device/name"),
        vendor=disk.vendor or _vendor(_first(folder, "device/vendor")),
        transport=disk.transport or _subsystem(folder),
        removable=disk.removable or _first(folder, "device/type") == "SD",
        links=tuple(links.get(real, ())),
        in_use=uses or _held(disk.path),
        device=disk.device + _sequence(folder),
    )


def _first(folder: Path, *names: str) -> str | None:
    for name in names:
        try:
            text = (folder / name).read_text(errors="replace").strip("\0 \n")
        except OSError:
            continue
        if text:
            return text
    return None


def _scsi_serial(folder: Path) -> str | None:
    """The unit serial number page, as the disk itself answered: a header of four bytes, then text."""
    try:
        return _text((folder / "device/vpd_pg80").read_bytes()[4:].decode("ascii", "replace").strip("\0"))
    except OSError:
        return None


def _wwn(wwid: str | None) -> str | None:
    """A world wide name as udev writes it; the kernel has other things in the same file, too."""
    if wwid and wwid.startswith("naa."):
        return "0x" + wwid[4:]
    return wwid if wwid and wwid.startswith(("eui.", "nvme.")) else None


def _subsystem(folder: Path) -> str | None:
    name = os.path.basename(os.path.realpath(folder / "device/subsystem"))
    return name if name in {"virtio", "nvme", "mmc"} else None


def _sequence(folder: Path) -> str:
    """The kernel's running number of disks, since 5.15: another disk in the same place has another."""
    number = _first(folder, "diskseq")
    return f"#{number}" if number else ""


def _held(path: str) -> tuple[str, ...]:
    """Ask the kernel whether somebody has the disk for himself.

    lsblk does not see everything: ZFS, the second disk of a btrfs, a mount in another namespace.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_EXCL | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EBUSY:
            return ("another program or a mounted filesystem has it for itself",)
    return ()
