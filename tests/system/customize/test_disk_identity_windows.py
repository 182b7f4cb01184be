# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks as those of a Windows, with UEFI and with a BIOS: boot configuration, drive letters and recovery follow.

What is written is read back by a reader of others. Whether a real Windows starts from it, only one can tell:
docs/windows.md.
"""

from __future__ import annotations

import dataclasses
import os
import struct
import typing as t
import uuid
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.ids import volumes
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.renew import renew
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import Value, string
from regipy.registry import RegistryHive

from tests.support.disks import MIB, Piece, call, extract, make_dos, make_gpt, mounted, own_mounts, place
from tests.support.hives import make_hive, unclean
from tests.support.windows import HIVE_ACL, fill, keys, write_hive

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="filesystems are mounted")

MANAGER = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
LOADER = "{fde483f1-1482-11e2-90a1-00505698002c}"
RECOVERY = "{7409376d-f38e-11e1-bc89-00505698002c}"
ESP = Piece("vfat", MIB, 40 * MIB)
RESERVED = Piece("", 41 * MIB, 16 * MIB)
WINDOWS = Piece("ntfs", 57 * MIB, 48 * MIB)
TOOLS = Piece("ntfs", 105 * MIB, 24 * MIB)
SIZE = 131 * MIB
REAGENT = '<WindowsRE><WinreLocation path="\\Recovery\\WindowsRE" id="{}" offset="{}" guid="{{{}}}"/></WindowsRE>'
TITLE = "Windows Boot Manager"
NO_GUID = str(uuid.UUID(int=0))


@dataclasses.dataclass
class Pc:
    """A disk of a Windows.

    :ivar boot: number of the partition with the boot configuration; it is in a FAT or an NTFS.
    """

    path: Path
    pieces: tuple[Piece, ...]
    boot: int
    bcd: str

    @property
    def ids(self) -> dict[str, str]:
        return {name: each.value for name, each in volumes.look(read_disk(str(self.path))).ids.items()}

    def device(self, number: int) -> bytes:
        """How Windows names a partition in a boot configuration."""
        if "partition 1" in self.ids:
            partition, disk = guid(self.ids[f"partition {number}"]), guid(self.ids["table"])
        else:
            partition, disk = self.pieces[number - 1].start.to_bytes(16, "little"), self.signature + bytes(12)
        head = struct.pack("<IIII", 6, 0, 0x48, 0)
        return (
            bytes(16) + head + partition + struct.pack("<II", 0, int("partition 1" not in self.ids)) + disk + bytes(16)
        )

    @property
    def signature(self) -> bytes:
        return int(self.ids["table"], 16).to_bytes(4, "little")

    def drive(self, number: int) -> bytes:
        """How it remembers a drive letter."""
        if "partition 1" in self.ids:
            return b"DMIO:ID:" + guid(self.ids[f"partition {number}"])
        return self.signature + self.pieces[number - 1].start.to_bytes(8, "little")

    def configuration(self, stranger: bytes = b"") -> dict[str, dict[str, Value]]:
        nested = bytes(16) + bytes(range(32)) + self.device(len(self.pieces))[16:] + "\\winre.wim".encode("utf-16-le")
        loader = self.device(len(self.pieces) - 1)
        return {
            rf"Objects\{MANAGER}\Elements\11000001": {"Element": Value(3, self.device(self.boot))},
            rf"Objects\{MANAGER}\Elements\12000004": {"Element": string(TITLE)},
            rf"Objects\{LOADER}\Elements\11000001": {"Element": Value(3, loader)},
            rf"Objects\{LOADER}\Elements\21000001": {"Element": Value(3, stranger or loader)},
            rf"Objects\{RECOVERY}\Elements\31000003": {"Element": Value(3, nested)},
        }

    def reagent(self) -> str:
        gpt = "partition 1" in self.ids
        number = 0 if gpt else int(self.ids["table"], 16)
        return REAGENT.format(number, self.pieces[-1].start, self.ids["table"].lower() if gpt else NO_GUID)

    def opened(self, number: int) -> t.ContextManager[Path]:
        piece = self.pieces[number - 1]
        return mounted(self.path, "-t", "ntfs-3g", "-o", f"loop,offset={piece.start},sizelimit={piece.size}")

    def fill(self, bcd: bytes) -> None:
        with self.opened(len(self.pieces) - 1) as top:
            fill(top)
            drives = {
                r"\DosDevices\C:": Value(3, self.drive(len(self.pieces) - 1)),
                r"\DosDevices\D:": Value(3, b"usb"),
            }
            write_hive(top, "SYSTEM", make_hive({**keys()["SYSTEM"], "MountedDevices": drives}))
            write(top / "Windows/System32/Recovery/ReAgent.xml", self.reagent().encode())
        with self.opened(len(self.pieces)) as top:
            write(top / "Recovery/WindowsRE/ReAgent.xml", self.reagent().encode())
        self.write_bcd(bcd)

    def write_bcd(self, content: bytes) -> None:
        piece = self.pieces[self.boot - 1]
        if piece.kind == "ntfs":
            with self.opened(self.boot) as top:
                write(top / self.bcd, content)
                os.setxattr(top / self.bcd, "system.ntfs_acl", HIVE_ACL)
            return
        part, source = self.path.with_suffix(".part"), self.path.with_suffix(".bcd")
        source.write_bytes(content)
        extract(self.path, piece.start, piece.size, part)
        folders = self.bcd.split("/")[:-1]
        call(
            "mmd", "-i", part, "-D", "s", *(f"::/{'/'.join(folders[: n + 1])}" for n in range(len(folders))), ok=(0, 1)
        )
        call("mcopy", "-o", "-i", part, source, f"::/{self.bcd}")
        place(part, self.path, piece.start)

    def read_bcd(self, target: Path) -> Path:
        piece = self.pieces[self.boot - 1]
        if piece.kind == "ntfs":
            with self.opened(self.boot) as top:
                target.write_bytes((top / self.bcd).read_bytes())
        else:
            target.unlink(missing_ok=True)
            part = extract(self.path, piece.start, piece.size, self.path.with_suffix(".part"))
            call("mcopy", "-n", "-i", part, f"::/{self.bcd}", target)
        return target

    def renew(self, check: bool = False) -> dict[str, t.Any]:
        return renew(DiskHint(path=str(self.path)), "pc-07", check)


def guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def devices(hive: Path, pc: Pc) -> dict[str, t.Any]:
    """The elements of a boot configuration that are no text, by a reader of others."""
    found = RegistryHive(str(hive))
    return {
        key: each.value if isinstance(each.value, bytes) else bytes.fromhex(each.value)
        for key, value in pc.configuration().items()
        for each in found.get_key(f"\\{key}").iter_values(trim_values=False)
        if value["Element"].type == "binary"
    }


def expected(pc: Pc) -> dict[str, t.Any]:
    every = ((key, value["Element"]) for key, value in pc.configuration().items())
    return {key: value.data for key, value in every if value.type == "binary"}


def uefi(folder: Path) -> Pc:
    pieces = (ESP, RESERVED, WINDOWS, TOOLS)
    disk = make_gpt(folder / "uefi.img", SIZE, pieces)
    call("sfdisk", "--quiet", "--part-type", disk, "1", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
    return Pc(disk, pieces, 1, "EFI/Microsoft/Boot/BCD")


def bios(folder: Path) -> Pc:
    """With the partition that Windows calls "System Reserved"."""
    pieces = (Piece("ntfs", MIB, 40 * MIB), WINDOWS, TOOLS)
    lines = "".join(f"start={each.start // 512}, size={each.size // 512}, type=7\n" for each in pieces)
    return Pc(make_dos(folder / "bios.img", SIZE, lines, pieces), pieces, 1, "Boot/BCD")


@pytest.fixture(autouse=True)
def own() -> t.Iterator[None]:
    with own_mounts():
        yield


@pytest.fixture(params=[uefi, bios])
def pc(request: pytest.FixtureRequest, tmp_path: Path) -> Pc:
    found: Pc = request.param(tmp_path)
    found.fill(make_hive(found.configuration()))
    return found


def test_all_that_names_partitions_follows(pc: Pc, tmp_path: Path) -> None:
    old, size = pc.ids, pc.read_bcd(tmp_path / "bcd").stat().st_size
    done = pc.renew()
    new = pc.ids
    assert set(old.values()).isdisjoint(new.values())
    hive = pc.read_bcd(tmp_path / "bcd")
    assert devices(hive, pc) == expected(pc)
    assert RegistryHive(str(hive)).get_key(rf"\Objects\{MANAGER}\Elements\12000004").get_value("Element") == TITLE
    assert hive.stat().st_size == size
    with pc.opened(len(pc.pieces) - 1) as top:
        key = RegistryHive(str(top / "Windows/System32/config/SYSTEM")).get_key(r"\MountedDevices")
        drives = {each.name: each.value for each in key.iter_values()}
        assert drives == {r"\DosDevices\C:": pc.drive(len(pc.pieces) - 1).hex(), r"\DosDevices\D:": b"usb".hex()}
        assert (top / "Windows/System32/Recovery/ReAgent.xml").read_text() == pc.reagent()
    with pc.opened(len(pc.pieces)) as top:
        assert (top / "Recovery/WindowsRE/ReAgent.xml").read_text() == pc.reagent()
    if pc.pieces[0].kind == "ntfs":
        with pc.opened(1) as top:
            assert Root(str(top), windows=True).descriptor(f"/{pc.bcd}") == HIVE_ACL
    else:
        assert [note[:41] for note in done["notes"]] == ["partition 1 has no EFI/BOOT/BOOTX64.EFI: "]
    assert len(done["files"]) == 4
    assert not pc.renew()["changed"]


def test_a_configuration_that_names_another_disk_is_refused(pc: Pc) -> None:
    stranger = bytearray(pc.device(1))
    stranger[0x38:0x3C] = b"else"
    pc.write_bcd(make_hive(pc.configuration(bytes(stranger))))
    before = pc.path.read_bytes()
    with pytest.raises(OsError, match=r"BCD in partition 1 of .* names 1 partitions that are not on this disk"):
        pc.renew()
    assert pc.path.read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(unclean, "is not clean"), (lambda hive: b"no hive".ljust(len(hive), b"\0"), "is no registry hive")],
)
def test_a_damaged_configuration_is_refused(pc: Pc, spoil: t.Callable[[bytes], bytes], said: str) -> None:
    pc.write_bcd(spoil(make_hive(pc.configuration())))
    before = pc.path.read_bytes()
    with pytest.raises(OsError, match=said):
        pc.renew(check=True)
    assert pc.path.read_bytes() == before
