# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks of real filesystems get ids of their own, and what names these follows."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils import _run
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, ToolMissing
from ansible_collections.golden.fleet.plugins.module_utils._os.ids import volumes
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.renew import renew
from ansible_collections.golden.fleet.plugins.module_utils._os.mount import mounts_at
from ansible_collections.golden.fleet.plugins.module_utils._os.record import leftovers

from tests.support import disks
from tests.support.disks import MIB, Piece, call, looped, make_dos, make_gpt, mounted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="filesystems are mounted")

SEED, OTHER = "pc-07", "pc-08"
RELEASE = b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n'
KINDS = ("ext4", "xfs", "btrfs", "vfat", "ntfs", "swap", "ext3", "ext2")


class Computer:
    """A disk with a system in its first partition."""

    def __init__(self, folder: Path, *kinds: str, label: str = "gpt") -> None:
        self.path = folder / "disk.img"
        self.pieces, at = [], MIB
        for kind in kinds:
            self.pieces.append(Piece(kind, at, disks.SIZE[kind]))
            at += disks.SIZE[kind] + MIB
        if label == "gpt":
            make_gpt(self.path, at + 2 * MIB, self.pieces)
        else:
            script = "".join(f"start={each.start // 512}, size={each.size // 512}\n" for each in self.pieces)
            make_dos(self.path, at + MIB, script, self.pieces)

    @property
    def ids(self) -> dict[str, str]:
        return {place: each.value for place, each in volumes.look(read_disk(str(self.path))).ids.items()}

    def renew(self, seed: str = SEED, check: bool = False) -> dict[str, t.Any]:
        return renew(DiskHint(path=str(self.path)), seed, check)

    def opened(self, number: int, *options: str) -> t.ContextManager[Path]:
        piece = self.pieces[number - 1]
        offset = f"loop,offset={piece.start},sizelimit={piece.size}"
        return mounted(self.path, "-t", "ntfs-3g" if piece.kind == "ntfs" else piece.kind, "-o", offset, *options)

    def write(self, number: int, files: t.Mapping[str, str | bytes]) -> None:
        with self.opened(number) as top:
            for name, content in files.items():
                file = top / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def text(self, number: int, name: str) -> str:
        with self.opened(number) as top:
            return (top / name).read_text()

    def check(self, folder: Path) -> None:
        """Let the checker of each filesystem judge."""
        for piece in self.pieces:
            disks.check_filesystem(disks.extract(self.path, piece.start, piece.size, folder / "piece"), piece.kind)


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path) -> t.Iterator[None]:
    yield
    assert mounts_at(str(tmp_path)) == []
    assert str(tmp_path) not in call("losetup", "--list", "--noheadings")
    assert [each for each in leftovers() if each.disk.startswith(str(tmp_path))] == []


def fstab(ids: t.Mapping[str, str]) -> str:
    """Each way in which an id can be named."""
    return (
        f"# was on UUID={ids['filesystem 1']} during installation\n"
        f"UUID={ids['filesystem 1']} / ext4 errors=remount-ro 0 1\n"
        f'UUID="{ids["filesystem 2"]}" /srv xfs nofail 0 0\n'
        f"PARTUUID={ids['partition 3'].lower()} /data btrfs subvol=@x,x-systemd.requires=\\040 0 0\n"
        f"/dev/disk/by-uuid/{ids['filesystem 4']} /boot/efi vfat nofail 0 0\n"
        f"UUID={ids['filesystem 5']} /windows ntfs nofail 0 0\n"
        f"/dev/disk/by-partuuid/{ids['partition 6']} none swap sw 0 0\n"
        "UUID=00000000-1111-2222-3333-444444444444 /elsewhere ext4 nofail 0 0\n"
    )


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    found = Computer(tmp_path, *KINDS)
    ids = found.ids
    found.write(
        1,
        {
            "etc/os-release": RELEASE,
            "etc/fstab": fstab(ids),
            "etc/crypttab": f"swap PARTUUID={ids['partition 6'].lower()} /dev/urandom swap\n",
            "etc/default/grub": f'GRUB_CMDLINE_LINUX="resume=UUID={ids["filesystem 6"]}"\n',
            "etc/initramfs-tools/conf.d/resume": f"RESUME=UUID={ids['filesystem 6']}\n",
            "etc/systemd/system/srv.mount": f"What=/dev/disk/by-uuid/{ids['filesystem 2']}\n",
            "boot/grub/grub.cfg": (
                f"search --no-floppy --fs-uuid --set=root {ids['filesystem 1']}\n"
                f"linux /vmlinuz root=UUID={ids['filesystem 1']} ro\n"
                f"menuentry x --id 'gnulinux-advanced-{ids['filesystem 1']}>osprober-efi-{ids['filesystem 4']}'\n"
            ),
            "boot/grub/grubenv": f"saved_entry=gnulinux-simple-{ids['filesystem 1']}\n".ljust(1024, "#"),
            "boot/loader/entries/a.conf": f"options root=PARTUUID={ids['partition 1']}\n",
            "etc/kernel/cmdline": f"root=UUID={ids['filesystem 1'].upper()}\n",
        },
    )
    return found


def everything(computer: Computer) -> bytes:
    """All bytes of the disk."""
    return computer.path.read_bytes()


def test_all_ids_are_new_and_all_that_names_them_follows(computer: Computer, tmp_path: Path) -> None:
    before = computer.ids
    assert len(before) == 1 + 2 * len(KINDS)
    checked = computer.renew(check=True)
    assert (checked["changed"], computer.ids) == (True, before)
    done = computer.renew()
    after = computer.ids
    assert done == {**checked, "changed": True}
    assert set(after.values()).isdisjoint(before.values())
    assert done["ids"] == {place: {"before": before[place], "after": after[place]} for place in before}
    assert computer.text(1, "etc/fstab") == fstab(after)
    texts = [computer.text(1, each.partition(": /")[2]) for each in done["files"] if each.startswith("partition 1")]
    assert len(texts) == 9
    for old in before.values():
        assert not any(old.lower() in text.lower() for text in texts)
    assert f"root=UUID={after['filesystem 1'].upper()}" in computer.text(1, "etc/kernel/cmdline")
    assert len(computer.text(1, "boot/grub/grubenv")) == 1024
    computer.check(tmp_path)
    again = computer.renew()
    assert (again["changed"], again["files"], computer.ids) == (False, [], after)
    with computer.opened(1) as top:
        assert not (top / ".golden-fleet-ids").exists()
