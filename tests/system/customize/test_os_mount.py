# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployed systems on disks of real filesystems, mounted and unmounted; logical volumes are in test_boot_env.py."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint, select
from ansible_collections.golden.fleet.plugins.module_utils._errors import DiskInUse, OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.deployed import (
    MountRequest,
    ensure_mounted,
    ensure_unmounted,
    probe,
)
from ansible_collections.golden.fleet.plugins.module_utils._os.marker import Marker, deployed_info, mark
from ansible_collections.golden.fleet.plugins.module_utils._os.mount import mounts_at
from ansible_collections.golden.fleet.plugins.module_utils._os.record import leftovers, record_of

from tests.support import disks
from tests.support.disks import MIB, Piece, call, looped, make_gpt, mounted

RELEASE = {"etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n'}
WINDOWS = {"Windows/System32/config/SYSTEM": b"regf"}
MARKER = Marker("lab-a:2026.11", "a" * 64, "5f0c9d6f8a0d1b7f", "2026-11-01T12:00:00Z")
HAS_VFAT = "\tvfat\n" in Path("/proc/filesystems").read_text("ascii")


_COLLECTION = Path(__file__).resolve().parents[3] / ".cache"


class Reference:
    """A disk with partitions of these kinds."""

    def __init__(self, path: Path, *kinds: str) -> None:
        self.pieces, at = [], MIB
        for kind in kinds:
            self.pieces.append(Piece(kind, at, disks.SIZE[kind]))
            at += disks.SIZE[kind] + MIB
        self.path = make_gpt(path / "disk.img", at + 2 * MIB, self.pieces)

    def uuid(self, number: int) -> str:
        piece = self.pieces[number - 1]
        where = ["--offset", str(piece.start), "--size", str(piece.size)]
        return call("blkid", "--probe", *where, "--output", "value", "--match-tag", "UUID", self.path).strip()

    @contextlib.contextmanager
    def opened(self, number: int, *options: str) -> t.Iterator[Path]:
        piece = self.pieces[number - 1]
        with looped(self.path, "--offset", str(piece.start), "--sizelimit", str(piece.size)) as node:
            kind = "ntfs-3g" if piece.kind == "ntfs" else piece.kind
            with mounted(node, "-t", kind, *options) as folder:
                yield folder

    def fill(self, number: int, files: t.Mapping[str, bytes | str], beneath: str = ".") -> None:
        with self.opened(number) as top:
            for name, content in files.items():
                file = top / beneath / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def change(self, number: int, change: t.Callable[[Path], object]) -> None:
        """Whatever a program does to a volume."""
        piece = self.pieces[number - 1]
        part = disks.extract(self.path, piece.start, piece.size, self.path.with_suffix(".part"))
        change(part)
        call("dd", f"if={part}", f"of={self.path}", "bs=1M", "conv=notrunc", f"seek={piece.start}", "oflag=seek_bytes")
        part.unlink()


@pytest.fixture
def root(tmp_path: Path) -> t.Iterator[Path]:
    folder = tmp_path / "os"
    yield folder
    ensure_unmounted(str(folder), check=False)


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path) -> t.Iterator[None]:
    """Whatever a test does, in the end there is neither a mount nor a loop device nor a record more."""
    yield
    assert mounts_at(str(tmp_path)) == []
    assert str(tmp_path) not in call("losetup", "--list", "--noheadings")
    assert [each for each in leftovers() if each.disk.startswith(str(tmp_path))] == []


def request(disk: Reference, root: Path, **changes: t.Any) -> MountRequest:
    return dataclasses.replace(MountRequest(DiskHint(path=str(disk.path)), str(root)), **changes)


def linux(path: Path, *kinds: str, fstab: str = "", number: int = 1) -> Reference:
    disk = Reference(path, *kinds)
    for each in range(1, len(kinds) + 1):
        fstab = fstab.replace(f"<{each}>", disk.uuid(each))
    disk.fill(number, {**RELEASE, "etc/fstab": fstab})
    return disk


def options(place: Path) -> set[str]:
    return set(call("findmnt", "--noheadings", "--output", "OPTIONS", "--mountpoint", place).strip().split(","))


def test_a_linux_with_all_that_its_fstab_names(tmp_path: Path, root: Path) -> None:
    fstab = (
        "UUID=<1> / ext4\nUUID=<2> /boot ext4\nUUID=<3> /srv/data\\040of\\040all xfs\nLABEL=archive /srv/archive xfs\n"
    )
    disk = linux(tmp_path, "ext4", "ext4", "xfs", fstab=fstab)
    disk.fill(2, {"vmlinuz": b"kernel"})
    found = ensure_mounted(request(disk, root))
    assert found["changed"]
    assert (found["family"], found["release"]["id"], found["windows"]) == ("linux", "debian", None)
    assert (found["partition"], found["disk"], found["root"]) == ("1", str(disk.path), str(root))
    assert [(each["path"], each["source"], each["type"]) for each in found["mounts"]] == [
        ("/", "1", "ext4"),
        ("/boot", "2", "ext4"),
        ("/srv/data of all", "3", "xfs"),
    ]
    assert [each["source"] for each in found["skipped"]] == ["LABEL=archive"]
    assert found["diff"]["after"]["mounts"] == ["/", "/boot", "/srv/data of all"]
    assert (root / "boot/vmlinuz").read_bytes() == b"kernel"
    for place in (root, root / "boot", root / "srv/data of all"):
        assert {"rw", "nosuid", "nodev", "noexec"} <= options(place)
    (root / "srv/data of all/note").write_text("written")
    with pytest.raises(DiskInUse):
        select(DiskHint(path=str(disk.path)))
    gone = ensure_unmounted(str(root), check=False)
    assert (gone["changed"], gone["disk"]) == (True, str(disk.path))
    assert not root.exists()
    with disk.opened(3) as folder:
        assert (folder / "note").read_text() == "written"
    for number, kind in ((1, "ext4"), (2, "ext4"), (3, "xfs")):
        piece = disk.pieces[number - 1]
        disks.check_filesystem(disks.extract(disk.path, piece.start, piece.size, tmp_path / f"part{number}"), kind)


def test_again_and_check_mode(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /boot ext4\n")
    content = disk.path.read_bytes()
    would = ensure_mounted(request(disk, root, check=True))
    assert would["changed"]
    assert would["skipped"] == [
        {"path": "/boot", "source": f"UUID={disk.uuid(2)}", "reason": "There is no folder for it; it would be made."}
    ]
    probed = probe(request(disk, root))
    assert (probed["changed"], probed["release"]["id"], probed["objection"]) == (False, "debian", None)
    assert not ensure_unmounted(str(root), check=False)["changed"]
    assert (disk.path.read_bytes(), root.exists()) == (content, False), "looking has written"

    first = ensure_mounted(request(disk, root))
    before = mounts_at(str(root))
    for check in (True, False):
        again = ensure_mounted(request(disk, root, check=check))
        assert again == {**first, "changed": False, "diff": {"before": first["diff"]["after"]} | again["diff"]}
        assert again["diff"]["before"] == again["diff"]["after"]
    assert probe(request(disk, root))["mounts"] == first["mounts"]
    assert mounts_at(str(root)) == before

    assert ensure_unmounted(str(root), check=True)["changed"]
    assert mounts_at(str(root)) == before
    assert ensure_unmounted(str(root), check=False)["changed"]
    for check in (True, False):
        assert not ensure_unmounted(str(root), check=check)["changed"]


def test_asked_otherwise_it_is_mounted_otherwise(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4")
    disk.fill(1, {f"{name}/.keep": b"" for name in ("dev", "proc", "sys")})
    program = root / "true"
    ensure_mounted(request(disk, root))
    shutil.copy(shutil.which("true") or "", program)
    with pytest.raises(PermissionError):
        subprocess.run([program], check=True)
    host = mounts_at("/dev")
    assert ensure_mounted(request(disk, root, execute=True))["changed"]
    assert not ensure_mounted(request(disk, root, execute=True))["changed"]
    assert not {"noexec", "nodev", "nosuid"} & options(root)
    assert (root / "dev/null").is_char_device()
    assert (root / "proc/self/status").exists()
    assert (root / "sys/block").is_dir()
    subprocess.run([program], check=True)
    call("mount", "-t", "tmpfs", "tmpfs", root / "dev/shm")
    assert mounts_at("/dev") == host, "what is mounted in there must not come to the running system"
    ensure_unmounted(str(root), check=False)
    assert mounts_at("/dev") == host
    with disk.opened(1) as folder:
        assert os.listdir(folder / "dev") == [".keep"]


def test_usr_of_its_own_says_what_system_it_is(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="/dev/sda1 / ext4\n/dev/sda2 /usr ext4\n")
    disk.fill(2, {"lib/os-release": RELEASE["etc/os-release"]})
    with disk.opened(1) as folder:
        (folder / "etc/os-release").unlink()
        (folder / "etc/os-release").symlink_to("../usr/lib/os-release")
        (folder / "usr").mkdir()
    assert deployed_info(read_disk(str(disk.path)))["release"]["version"] == "12"
    assert ensure_mounted(request(disk, root))["release"]["version"] == "12"


@pytest.mark.parametrize("name", ["@rootfs", "@", "root"])
def test_subvolumes_of_btrfs(tmp_path: Path, root: Path, name: str) -> None:
    disk = Reference(tmp_path, "btrfs", "ext4")
    with disk.opened(1) as top:
        for each in (name, "@home"):
            call("btrfs", "subvolume", "create", top / each)
    fstab = f"UUID={disk.uuid(1)} / btrfs subvol={name}\nUUID={disk.uuid(1)} /home btrfs subvol=/@home,noatime\n"
    disk.fill(1, {**RELEASE, "etc/fstab": fstab}, beneath=name)
    found = ensure_mounted(request(disk, root))
    assert found["partition"] == f"1:{name}"
    assert [(each["path"], each["subvolume"]) for each in found["mounts"]] == [
        ("/", f"subvol={name}"),
        ("/home", "subvol=/@home"),
    ]
    (root / "home/teacher").mkdir()
    ensure_unmounted(str(root), check=False)
    assert mark(read_disk(str(disk.path)), MARKER, check=False)["changed"]
    assert deployed_info(read_disk(str(disk.path)))["marker"]["image"] == MARKER.image
    with disk.opened(1) as top:
        assert os.listdir(top / "@home") == ["teacher"]
        assert (top / name / "etc/ansible/facts.d/golden.fact").exists()


def test_default_subvolume_of_btrfs_comes_first(tmp_path: Path, root: Path) -> None:
    """As SUSE has it, where older states of the root are kept beside it."""
    disk = Reference(tmp_path, "btrfs")
    with disk.opened(1) as top:
        for each in ("@", "@/now"):
            call("btrfs", "subvolume", "create", top / each)
        call("btrfs", "subvolume", "set-default", top / "@/now")
    with disk.opened(1, "-o", "subvol=@/now") as top:
        (top / "etc").mkdir()
        (top / "etc/os-release").write_bytes(RELEASE["etc/os-release"])
        (top / "etc/fstab").write_text(f"UUID={disk.uuid(1)} / btrfs\nUUID={disk.uuid(1)} /old btrfs subvol=@\n")
    found = ensure_mounted(request(disk, root))
    assert (found["partition"], found["mounts"][1]["subvolume"]) == ("1", "subvol=@")
    assert (root / "old/now/etc/fstab").exists()


def test_two_roots_on_one_btrfs(tmp_path: Path, root: Path) -> None:
    disk = Reference(tmp_path, "btrfs")
    with disk.opened(1) as top:
        for each in ("@", "root"):
            call("btrfs", "subvolume", "create", top / each)
    for each in ("@", "root"):
        disk.fill(1, {**RELEASE, "etc/fstab": ""}, beneath=each)
    with pytest.raises(OsError, match="more than one.*option partition: 1:@ or 1:root"):
        ensure_mounted(request(disk, root))
    assert ensure_mounted(request(disk, root, partition="1:root"))["partition"] == "1:root"


def test_a_windows(tmp_path: Path, root: Path) -> None:
    disk = Reference(tmp_path, "vfat", "ntfs", "ntfs")
    disk.fill(2, WINDOWS)
    disk.fill(3, {"Recovery/WindowsRE/Winre.wim": b"MSWIM"})
    found = ensure_mounted(request(disk, root))
    assert (found["family"], found["release"], found["partition"]) == ("windows", {}, "2")
    assert found["windows"]["registry"], "this one's is no registry"
    assert [each["path"] for each in found["mounts"]] == ["/"]
    assert {"rw", "nosuid", "nodev", "noexec"} <= options(root)
    (root / "Windows/note").write_text("written")
    ensure_unmounted(str(root), check=False)
    with disk.opened(2) as folder:
        assert (folder / "Windows/note").read_text() == "written"
    with pytest.raises(OsError, match="exec is for Linux"):
        ensure_mounted(request(disk, root, execute=True))


def hibernate(disk: Reference) -> None:
    disk.fill(1, {"hiberfil.sys": b"hibr" + bytes(4092)})


def mark_dirty(disk: Reference) -> None:
    disk.change(1, lambda part: call("ntfsfix", part))


@pytest.mark.parametrize(
    ("harm", "why"),
    [(hibernate, "hibernated.*powercfg /h off"), (mark_dirty, "marked dirty.*chkdsk")],
    ids=["hibernated", "dirty"],
)
def test_a_windows_that_must_not_be_written_to(
    tmp_path: Path, root: Path, harm: t.Callable[[Reference], None], why: str
) -> None:
    disk = Reference(tmp_path, "ntfs")
    disk.fill(1, WINDOWS)
    harm(disk)
    content = disk.path.read_bytes()
    for check in (True, False):
        with pytest.raises(OsError, match=rf"(?s)Partition 1 of .*disk\.img \(ntfs\) must not be written to.*{why}"):
            ensure_mounted(request(disk, root, check=check))
    found = probe(request(disk, root))
    assert found["family"] == "windows"
    assert "must not be written to" in found["objection"]
    assert disk.path.read_bytes() == content
    assert not root.exists()


def test_nothing_to_be_found(tmp_path: Path, root: Path) -> None:
    disk = Reference(tmp_path, "ext4", "ntfs", "ext4")
    with pytest.raises(OsError, match=r"no operating system on .*disk\.img that can be read\.$"):
        ensure_mounted(request(disk, root))
    with disk.path.open("r+b") as file:
        for number, header in ((1, b"LUKS\xba\xbe\0\1"), (2, b"\xeb\x58\x90-FVE-FS-")):
            start = disk.pieces[number - 1].start
            for at in (0, 1024):
                file.seek(start + at)
                file.write(bytes(512))
            file.seek(start)
            file.write(header)
            if number == 2:
                bitlocker(file, start)
    with pytest.raises(OsError, match=r"Partition 1 .*LUKS.* Partition 2 .*BitLocker\. Turn BitLocker off"):
        ensure_mounted(request(disk, root))
    blank = disks.sparse(tmp_path / "blank.img", MIB)
    with pytest.raises(OsError, match="no operating system"):
        ensure_mounted(MountRequest(DiskHint(path=str(blank)), str(root)))


def bitlocker(file: t.BinaryIO, start: int) -> None:
    """The rest of its header, and what that refers to."""
    for at, content in (
        (160, bytes.fromhex("3bd66749292ed84a8399f6a339e3d001") + MIB.to_bytes(8, "little")),
        (MIB, b"-FVE-FS-" + b"\x00\x01\x02\x00" + bytes(500)),
    ):
        file.seek(start + at)
        file.write(content)


def test_two_systems(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", "ntfs")
    disk.fill(2, {"etc/os-release": b"ID=fedora\nPRETTY_NAME=Fedora\n", "etc/fstab": ""})
    disk.fill(3, WINDOWS)
    with pytest.raises(
        OsError, match=r"more than one.* Fedora in partition 2\. Windows in partition 3\. .* partition: 1 or 2 or 3"
    ):
        ensure_mounted(request(disk, root))
    with pytest.raises(OsError, match="no operating system .* in partition 4"):
        ensure_mounted(request(disk, root, partition="4"))
    assert ensure_mounted(request(disk, root, partition="2"))["release"]["id"] == "fedora"
    assert ensure_mounted(request(disk, root, partition="3"))["family"] == "windows"


@pytest.mark.parametrize("target", ["/", "../../../../..", ".", "/etc/.."])
def test_links_do_not_lead_a_mount_point_out(tmp_path: Path, root: Path, target: str) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /boot ext4\n")
    with disk.opened(1) as folder:
        (folder / "boot").symlink_to(target)
    with pytest.raises(OsError, match="/boot of the deployed system is, or leads to, what is mounted already"):
        ensure_mounted(request(disk, root))
    assert not root.exists()


@pytest.mark.parametrize("path", ["/link/deep", "/../../../../../../{outside}", "/absolute"])
def test_mount_points_are_beneath_the_root(tmp_path: Path, root: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    disk = linux(tmp_path, "ext4", "ext4", fstab=f"UUID=<2> {path.format(outside=outside)} ext4\n")
    with disk.opened(1) as folder:
        (folder / "link").symlink_to("../../../../../..")
        (folder / "absolute").symlink_to(outside)
    ensure_mounted(request(disk, root))
    assert len(mounts_at(str(root))) == 2
    assert not os.path.ismount(outside)


def test_a_mount_point_that_is_none(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /etc/fstab ext4\n")
    with pytest.raises(OsError, match="/etc/fstab of the deployed system: Not a directory"):
        ensure_mounted(request(disk, root))
    disk.fill(1, {"etc/fstab": f"UUID={disk.uuid(2)} /etc/fstab ext4 nofail\n"})
    assert "Not a directory" in ensure_mounted(request(disk, root))["skipped"][0]["reason"]


def test_what_hides_the_system_does_not_stay_mounted(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /etc ext4\n")
    for verb in (ensure_mounted, probe):
        with pytest.raises(OsError, match="no operating system at"):
            verb(request(disk, root))
        assert mounts_at(str(tmp_path)) == []
        assert record_of(str(root)) is None
        assert not root.exists()


def test_odd_names_of_mount_points(tmp_path: Path, root: Path) -> None:
    disk = linux(
        tmp_path, "ext4", "ext4", "ext4", fstab="UUID=<2> /a\\012b ext4\nUUID=<3> /a\\012b/c\\134d\\040 ext4\n"
    )
    assert [each["path"] for each in ensure_mounted(request(disk, root))["mounts"]] == ["/", "/a\nb", "/a\nb/c\\d "]
    assert ensure_unmounted(str(root), check=False)["changed"]


def test_two_in_one_place(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", "ext4", fstab="UUID=<2> /boot ext4\nUUID=<3> /boot ext4 noauto\n")
    found = ensure_mounted(request(disk, root))
    assert [each["source"] for each in found["mounts"]] == ["1", "2"]
    assert "mounted already" in found["skipped"][0]["reason"]


def test_what_it_needs_must_be_mounted(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /home ext4\n")
    disk.change(2, lambda part: call("debugfs", "-w", "-R", "feature FEATURE_I31", part))
    with pytest.raises(OsError, match=r"Partition 2 of .*disk\.img \(ext4\) cannot be mounted"):
        ensure_mounted(request(disk, root))
    assert mounts_at(str(root)) == []


@pytest.mark.parametrize("named", [True, False])
def test_the_efi_system_partition(tmp_path: Path, root: Path, named: bool) -> None:
    disk = linux(tmp_path, "vfat", "ext4", fstab="UUID=<1> /boot/efi vfat umask=0077\n" if named else "", number=2)
    call("sfdisk", "--quiet", "--part-type", disk.path, "1", "U")
    with disk.opened(2) as folder:
        (folder / "boot/efi").mkdir(parents=True)
    if not HAS_VFAT and named:
        with pytest.raises(OsError, match=r"Partition 1 of .*disk\.img \(vfat\) cannot be mounted"):
            ensure_mounted(request(disk, root))
        return
    found = ensure_mounted(request(disk, root))
    assert found["firmware"] == ["uefi"]
    there = [(each["path"], each["source"]) for each in found["mounts"]]
    assert there == [("/", "2"), ("/boot/efi", "1")] if HAS_VFAT else [("/", "2")]


def test_a_program_that_keeps_it(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.golden.fleet.plugins.module_utils._os.mount._PATIENCE", 0.2)
    disk = linux(tmp_path, "ext4")
    ensure_mounted(request(disk, root))
    with subprocess.Popen(["sleep", "60"], cwd=root / "etc") as program:
        try:
            with pytest.raises(OsError, match=rf"target is busy.*In use by sleep \(process {program.pid}\)"):
                ensure_unmounted(str(root), check=False)
        finally:
            program.kill()
    assert ensure_unmounted(str(root), check=False)["changed"]


def test_who_keeps_its_device(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.golden.fleet.plugins.module_utils._os.mount._PATIENCE", 0.2)
    disk = linux(tmp_path, "ext4")
    ensure_mounted(request(disk, root))
    device = call("findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", root).strip()
    with open(device, "rb"), pytest.raises(OsError, match=rf"is not free, and.* keeps {Path(device).name}"):
        ensure_unmounted(str(root), check=False)
    assert mounts_at(str(root)) == []
    assert ensure_unmounted(str(root), check=False)["changed"], "it was not known to be on the disk"


def test_after_somebody_has_unmounted_a_part(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /boot ext4\n")
    ensure_mounted(request(disk, root))
    call("umount", root / "boot")
    would = ensure_mounted(request(disk, root, check=True))
    assert (would["changed"], mounts_at(str(root))) == (True, [str(root)])
    assert ensure_mounted(request(disk, root))["changed"]
    assert mounts_at(str(root)) == [str(root), f"{root}/boot"]
    call("umount", "--recursive", root)
    assert ensure_unmounted(str(root), check=False)["changed"], "the record is still there"


_KILLED = """
import os, sys
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint
from ansible_collections.golden.fleet.plugins.module_utils._os import assembly, deployed
calls = 0
real = assembly.mount
def mount(*args):
    global calls
    real(*args)
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
assembly.mount = mount
deployed.ensure_mounted(deployed.MountRequest(DiskHint(path=sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize("step", [1, 3, 4], ids=["looking", "root", "boot"])
@pytest.mark.parametrize("then", ["mounted", "unmounted"])
def test_killed_in_the_middle(tmp_path: Path, root: Path, step: int, then: str) -> None:
    """Looking mounts both filesystems, one after the other."""
    disk = linux(tmp_path, "ext4", "ext4", fstab="UUID=<2> /boot ext4\n")
    command = [sys.executable, "-c", _KILLED, disk.path, root, str(step)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(_COLLECTION)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert str(disk.path) in call("losetup", "--list", "--noheadings")
    if then == "mounted":
        assert ensure_mounted(request(disk, root))["changed"]
    assert ensure_unmounted(str(root), check=True)["changed"]
    assert ensure_unmounted(str(root), check=False)["changed"]
    assert select(DiskHint(path=str(disk.path))).path == str(disk.path), "nothing has the disk any more"


def test_what_others_have_mounted_is_theirs(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4")
    root.mkdir()
    call("mount", "-t", "tmpfs", "tmpfs", root)
    try:
        with pytest.raises(OsError, match="was not mounted by golden.fleet.os_mount"):
            ensure_unmounted(str(root), check=False)
        with pytest.raises(OsError, match="Something is mounted at"):
            ensure_mounted(request(disk, root))
        assert os.path.ismount(root)
    finally:
        call("umount", root)
    (root / "file").touch()
    with pytest.raises(OsError, match="no empty folder"):
        ensure_mounted(request(disk, root))
    for place in ("/", "/tmp/..", "/usr/../"):
        with pytest.raises(UsageError, match="is the system that runs"):
            ensure_unmounted(place, check=False)


def test_another_disk_is_mounted(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4")
    (tmp_path / "other").mkdir()
    other = linux(tmp_path / "other", "ext4")
    ensure_mounted(request(disk, root))
    for call_it in (ensure_mounted, probe):
        with pytest.raises(
            OsError, match=r"is mounted, which is not the disk that is meant: its path is .*state: unmounted"
        ):
            call_it(request(other, root))
    assert not ensure_mounted(MountRequest(DiskHint(), str(root)))["changed"], "auto: it is the one that is meant"


def test_a_disk_that_went_away(tmp_path: Path, root: Path) -> None:
    disk = linux(tmp_path, "ext4")
    ensure_mounted(request(disk, root))
    disk.path.unlink()
    assert ensure_unmounted(str(root), check=False)["changed"]
