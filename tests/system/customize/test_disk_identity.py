# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks of real filesystems get ids of their own, and what names these follows."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils import _machine, _run
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, ToolMissing, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.ids import volumes
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.renew import renew
from ansible_collections.golden.fleet.plugins.module_utils._os.mount import mounts_at
from ansible_collections.golden.fleet.plugins.module_utils._os.record import leftovers

from tests.support import disks
from tests.support.deployed import play
from tests.support.disks import MIB, Piece, call, looped, make_dos, make_gpt, mounted, own_mounts

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
            size = disks.SIZE[kind or "vfat"]
            self.pieces.append(Piece(kind, at, size))
            at += size + MIB
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
    with own_mounts():
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


def test_computers_share_no_id(computer: Computer) -> None:
    every = [set(computer.ids.values())]
    for seed in (SEED, OTHER):
        computer.renew(seed)
        every.append(set(computer.ids.values()))
    assert len(set.union(*every)) == sum(map(len, every))
    assert computer.text(1, "etc/fstab") == fstab(computer.ids)


def test_a_disk_with_a_dos_table(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4", "swap", label="dos")
    before = computer.ids
    uuids = [f"{before['table'][2:]}-{number:02x}" for number in (1, 2)]
    lines = f"PARTUUID={uuids[0]} / ext4 defaults 0 1\n/dev/disk/by-partuuid/{uuids[1]} none swap sw 0 0\n"
    computer.write(1, {"etc/os-release": RELEASE, "etc/fstab": lines})
    code = everything(computer)[:440]
    computer.renew()
    after = computer.ids
    assert set(after.values()).isdisjoint(before.values())
    assert computer.text(1, "etc/fstab") == lines.replace(before["table"][2:], after["table"][2:])
    assert everything(computer)[:440] == code
    assert not computer.renew()["changed"]


def test_a_disk_without_a_table_and_without_a_system(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4")
    disks.make_filesystem(computer.path, "xfs", disks.SIZE["xfs"])
    before = computer.ids
    assert computer.renew()["changed"]
    assert list(before) == ["filesystem disk"]
    assert computer.ids != before
    disks.check_filesystem(computer.path, "xfs")


def test_subvolumes_of_a_btrfs(tmp_path: Path) -> None:
    """A system in a subvolume that is the default, and one beside it."""
    computer = Computer(tmp_path, "btrfs")
    line = f"UUID={computer.ids['filesystem 1']} / btrfs defaults 0 0\n"
    with computer.opened(1) as top:
        for name in ("@", "@other"):
            call("btrfs", "subvolume", "create", top / name)
        call("btrfs", "subvolume", "create", top / "@/deep")
        call("btrfs", "subvolume", "set-default", top / "@/deep")
        for name in ("@", "@other", "@/deep"):
            (top / name / "etc").mkdir()
            (top / name / "etc/fstab").write_text(line)
    done = computer.renew()
    assert sorted(done["files"]) == [f"partition 1: /{name}/etc/fstab" for name in ("@/deep", "@", "@other")]
    with computer.opened(1, "-o", "subvolid=5") as top:
        for name in ("@", "@other", "@/deep"):
            assert (
                top / name / "etc/fstab"
            ).read_text() == f"UUID={computer.ids['filesystem 1']} / btrfs defaults 0 0\n"


TWIN = "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e77"


BITLOCKER = {0: b"\xeb\x58\x90-FVE-FS-", 0xB0: (MIB).to_bytes(8, "little"), MIB: b"-FVE-FS-\x40\0\2\0"}


def _put(node: str, pieces: t.Mapping[int, bytes]) -> None:
    with open(node, "r+b") as file:
        for offset, data in pieces.items():
            file.seek(offset)
            file.write(data)


def _hibernate(node: str) -> None:
    call("mkswap", node)
    with open(node, "r+b") as file:
        file.seek(4086)
        file.write(b"S1SUSPEND\0")


def _hibernated_windows(node: str) -> None:
    call("mkntfs", "-q", "-F", "-Q", node)
    with mounted(node, "-t", "ntfs-3g") as top:
        (top / "Windows").mkdir()
        (top / "hiberfil.sys").write_bytes(b"hibr".ljust(4096, b"\0"))


REFUSED: dict[str, tuple[t.Callable[[str], object], str]] = {
    "LVM": (lambda node: call("pvcreate", "--config", "devices{use_devicesfile=0}", "-y", node), "belongs to LVM"),
    "LUKS": (lambda node: _put(node, {0: b"LUKS\xba\xbe\0\1"}), "encrypted with LUKS"),
    "f2fs": (lambda node: call("mkfs.f2fs", "-q", "-f", node), "of kind f2fs"),
    "BitLocker": (lambda node: _put(node, BITLOCKER), "must not be changed: it is encrypted with BitLocker"),
    "hibernated Linux": (_hibernate, "hibernated Linux"),
    "hibernated Windows": (_hibernated_windows, "hibernated"),
    "twins": (lambda node: call("mkfs.ext4", "-q", "-F", "-U", TWIN, node), "names an id that more than one"),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_changed_is_refused_before_anything_is(reason: str, tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4", "f2fs")
    spoil, said = REFUSED[reason]
    computer.write(1, {"etc/os-release": RELEASE, "etc/fstab": f"UUID={TWIN} / ext4 defaults\n"})
    piece = computer.pieces[0]
    with looped(computer.path, "--offset", str(piece.start), "--sizelimit", str(piece.size)) as node:
        call("e2fsck", "-fp", node)
        call("tune2fs", "-U", TWIN, node)
    piece = computer.pieces[1]
    with looped(computer.path, "--offset", str(piece.start), "--sizelimit", str(piece.size)) as node:
        spoil(node)
    before = everything(computer)
    with pytest.raises(OsError, match=said):
        computer.renew()
    assert everything(computer) == before


def test_odd_files(tmp_path: Path) -> None:
    """A link out of the system, a fifo where there should be a file: nothing outside is touched, nothing half done."""
    computer = Computer(tmp_path, "ext4")
    outside = tmp_path / "outside"
    line = f"UUID={computer.ids['filesystem 1']} / ext4 defaults\n"
    outside.write_text(line)
    computer.write(1, {"etc/os-release": RELEASE, "etc/fstab": line, "boot/grub/x": ""})
    with computer.opened(1) as top:
        (top / "etc/crypttab").symlink_to(outside)
        (top / "boot/grub/grub.cfg").symlink_to("../../../../../.." + str(outside))
        (top / "boot/grub2").symlink_to("grub2")
        (top / "etc/default").write_text("a file")
    with pytest.raises(OsError, match="Too many levels of symbolic links"):
        computer.renew()
    with computer.opened(1) as top:
        (top / "boot/grub2").unlink()
        os.mkfifo(top / "etc/default.fifo")
        (top / "etc/crypttab").unlink()
        os.mkfifo(top / "etc/crypttab")
    before = computer.ids
    with pytest.raises(OsError, match=r"/etc/crypttab of the deployed system is no plain file"):
        computer.renew()
    assert computer.ids == before
    with computer.opened(1) as top:
        (top / "etc/crypttab").unlink()
    done = computer.renew()
    assert done["files"] == ["partition 1: /etc/fstab"]
    assert outside.read_text() == line


def test_a_program_that_is_missing_is_missed_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computer = Computer(tmp_path, "ext4", "xfs")
    before = everything(computer)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("blkid", "debugfs", "dumpe2fs", "e2fsck", "losetup", "lsblk", "sfdisk", "wipefs"):
        (tools / name).symlink_to(str(shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")))
    monkeypatch.setattr(_run, "_SYSTEM_PATHS", ())
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(ToolMissing, match=r"tune2fs is not installed .* Install the package 'e2fsprogs'"):
        computer.renew()
    assert everything(computer) == before


def _killed(computer: Computer, at: int) -> bool:
    """Renew in another process, which is killed where it starts its so-many-th program."""
    pid = os.fork()
    if pid == 0:
        left, start = at, subprocess.run

        def counted(*arguments: t.Any, **options: t.Any) -> t.Any:
            nonlocal left
            # Between making a loop device and detaching it there is a moment in which it would stay; a restart ends it.
            left -= "--detach" not in arguments[0]
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return start(*arguments, check=options.pop("check"), **options)

        subprocess.run = counted  # type: ignore[assignment]
        try:
            computer.renew()
            os._exit(0)
        finally:
            os._exit(1)
    _pid, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_whenever_it_is_killed_the_next_run_completes_it(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4", "swap", "ext2")
    ids = computer.ids
    text = "UUID={filesystem 1} / ext4 defaults 0 1\nUUID={filesystem 2} none swap sw\nUUID={filesystem 3} /boot ext2\n"
    computer.write(1, {"etc/os-release": RELEASE, "etc/fstab": text.format_map(ids)})
    computer.write(3, {"grub/grub.cfg": f"root=UUID={ids['filesystem 1']}"})
    pristine = tmp_path / "pristine.img"
    shutil.copyfile(computer.path, pristine)
    assert computer.renew()["changed"]
    wanted = computer.ids
    kills, at = 0, 1
    while True:
        shutil.copyfile(pristine, computer.path)
        if not _killed(computer, at):
            break
        computer.renew(SEED if at % 2 else OTHER)
        assert not computer.renew(SEED if at % 2 else OTHER)["changed"]
        now = computer.ids
        assert at % 2 == 0 or now == wanted
        assert computer.text(1, "etc/fstab") == text.format_map(now)
        assert computer.text(3, "grub/grub.cfg") == f"root=UUID={now['filesystem 1']}"
        kills, at = kills + 1, at + 3
    assert kills > 20


TOOL = {"ext4": "tune2fs -U", "btrfs": "btrfstune"}


@pytest.mark.parametrize("kind", TOOL)
def test_a_filesystem_that_was_being_changed_when_the_power_failed(kind: str, tmp_path: Path) -> None:
    """Its tool is killed while it writes, and what is left cannot be mounted."""
    computer = Computer(tmp_path, kind)
    with computer.opened(1) as top:
        for number in range(5000):
            (top / f"{number}").touch()
    computer.write(1, {"etc/fstab": f"UUID={computer.ids['filesystem 1']} / {kind} defaults\n"})
    _cut_off(computer, TOOL[kind])
    assert computer.renew(check=True)["changed"]
    with pytest.raises(AssertionError, match="mount"), computer.opened(1):
        pass
    computer.renew()
    computer.check(tmp_path)
    assert not computer.renew()["changed"]
    assert computer.text(1, "etc/fstab") == f"UUID={computer.ids['filesystem 1']} / {kind} defaults\n"


def _cut_off(computer: Computer, tool: str) -> None:
    """Renew, until a tool was started, and is killed at a moment from which on its filesystem cannot be mounted."""
    pid = os.fork()
    if pid == 0:
        start = subprocess.run

        def cut(argv: t.Sequence[str], **options: t.Any) -> t.Any:
            if not " ".join(argv).startswith(tool):
                return start(argv, check=options.pop("check"), **options)
            patience = 0.002
            before = Path(argv[-1]).read_bytes()
            while _mounts(argv[-1]):
                with open(argv[-1], "r+b") as device:
                    device.write(before)
                    os.fsync(device.fileno())
                running = subprocess.Popen(
                    argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )
                time.sleep(patience)
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                patience *= 1.1
                assert patience < 5, "it is always done before it is killed"
            os.kill(os.getpid(), signal.SIGKILL)
            return None

        def _mounts(node: str) -> bool:
            folder = computer.path.with_name("tried")
            folder.mkdir(exist_ok=True)
            # In a copy: what is mounted is written to.
            shutil.copyfile(node, folder.with_suffix(".img"))
            done = start(["mount", "-o", "loop", folder.with_suffix(".img"), folder], capture_output=True, check=False)
            if done.returncode == 0:
                start(["umount", folder], check=True)
            return done.returncode == 0

        subprocess.run = cut  # type: ignore[assignment]
        try:
            computer.renew()
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_what_an_initramfs_has_and_nobody_can_make_anew(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4", "swap")
    ids = computer.ids
    resume = gzip.compress(f"RESUME=UUID={ids['filesystem 2']}\n".encode())
    computer.write(1, {"etc/os-release": RELEASE, "etc/fstab": "", "boot/initrd.img-6": resume})
    before = everything(computer)
    with pytest.raises(OsError, match="no system on it has a program that makes it anew: partition 1: /boot/initrd"):
        computer.renew()
    assert everything(computer) == before
    computer.write(1, {"boot/initrd.img-6": b"\x02\x21\x4c\x18 packed by lz4"})
    done = computer.renew()
    assert done["notes"] == ["partition 1: /boot/initrd.img-6 cannot be looked into, nor made anew here."]


def program(text: str, signed: bool) -> bytes:
    """As much of a boot loader as tells whether it is signed."""
    head = bytearray(0x40) + bytearray(b"PE\0\0") + bytearray(20 + 0xF0)
    head[0x3C] = 0x40
    struct.pack_into("<H", head, 0x58, 0x20B)
    struct.pack_into("<II", head, 0x58 + 0x90, len(head), 8 if signed else 0)
    return bytes(head) + text.encode()


@pytest.mark.parametrize("signed", [True, False])
def test_a_boot_loader_that_carries_an_id(signed: bool, tmp_path: Path) -> None:
    computer = Computer(tmp_path, "vfat", "ext4")
    text = f"search.fs_uuid {computer.ids['filesystem 2']} root "
    loader = tmp_path / "loader.efi"
    loader.write_bytes(program(text, signed))
    part = disks.extract(computer.path, MIB, computer.pieces[0].size, tmp_path / "part")
    call("mmd", "-i", part, "::/EFI", "::/EFI/Linux")
    call("mcopy", "-i", part, loader, "::/EFI/Linux/A Long Name.efi")
    disks.place(part, computer.path, MIB)
    before = everything(computer)
    if signed:
        with pytest.raises(OsError, match=r"/EFI/Linux/A Long Name\.efi on a boot partition .* is signed"):
            computer.renew()
        assert everything(computer) == before
        return
    assert computer.renew()["files"] == ["partition 1: /EFI/Linux/A Long Name.efi"]
    disks.extract(computer.path, MIB, computer.pieces[0].size, part)
    call("mcopy", "-n", "-i", part, "::/EFI/Linux/A Long Name.efi", tmp_path / "after.efi")
    assert (tmp_path / "after.efi").read_bytes() == program(
        f"search.fs_uuid {computer.ids['filesystem 2']} root ", signed=False
    )


def test_a_unit_that_has_an_id_in_its_name_is_refused(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4")
    escaped = computer.ids["filesystem 1"].replace("-", "\\x2d")
    computer.write(1, {f"etc/systemd/system/dev-disk-by\\x2duuid-{escaped}.swap": "[Swap]\n"})
    before = everything(computer)
    with pytest.raises(OsError, match="has an id of this disk in its own name"):
        computer.renew()
    assert everything(computer) == before


def test_a_boot_partition_that_is_damaged(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "")
    volume = disks.sparse(tmp_path / "volume", disks.SIZE["vfat"])
    call("mkfs.vfat", "-F", "32", volume)
    with volume.open("r+b") as file:
        file.seek(44)
        file.write(b"\xf0\xff\xff\x0f")  # where its first folder would be
    disks.place(volume, computer.path, MIB)
    before = everything(computer)
    with pytest.raises(OsError, match="A boot partition cannot be read"):
        computer.renew()
    assert everything(computer) == before


def test_without_a_seed_the_firmware_tells_computers_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    computer = Computer(tmp_path, "ext4")
    firmware = tmp_path / "firmware"
    monkeypatch.setattr(_machine, "_FIRMWARE", firmware)
    hint = DiskHint(path=str(computer.path))
    firmware.mkdir()
    for useless in (None, "00000000-0000-0000-0000-000000000000", "03000200-0400-0500-0006-000700080009"):
        if useless:
            (firmware / "product_uuid").write_text(f"{useless}\n")
        with pytest.raises(UsageError, match="Give it a seed"):
            renew(hint, None, check=False)
    (firmware / "product_uuid").write_text("4C4C4544-0042-3510-8051-B4C04F4E4D31\n")
    assert renew(hint, None, check=False)["changed"]
    assert not renew(hint, "4c4c4544-0042-3510-8051-b4c04f4e4d31", check=False)["changed"]


def test_the_role_does_it_before_it_mounts_the_system(tmp_path: Path) -> None:
    computer = Computer(tmp_path, "ext4", "ext4")
    before = computer.ids
    line = "UUID={filesystem 1} / ext4 defaults\nUUID={filesystem 2} /var ext4 defaults\n"
    computer.write(1, {"etc/os-release": RELEASE, "etc/fstab": line.format_map(before), "etc/debian_version": "12\n"})
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "golden_fresh_ids": True,
        "golden_hostname": "pc-07",
        "customize_disk": {"path": str(computer.path)},
    }
    done = play(tmp_path, None, variables, [{"ansible.builtin.include_role": {"name": "golden.fleet.customize"}}])
    assert done.returncode == 0, done.stdout + done.stderr
    after = computer.ids
    assert set(after.values()).isdisjoint(before.values())
    assert computer.text(1, "etc/fstab") == line.format_map(after)
    assert computer.text(1, "etc/hostname") == "pc-07\n"
    assert not computer.renew("pc-07")["changed"], "its seed is the name in the inventory"
