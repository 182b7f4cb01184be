# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Debian whose disk got ids of its own boots, although boot loaders and initramfs carry the old ones inside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import DiskHint
from ansible_collections.golden.fleet.plugins.module_utils._os.ids import volumes
from ansible_collections.golden.fleet.plugins.module_utils._os.ids.renew import renew
from ansible_collections.golden.fleet.plugins.module_utils._os.record import leftovers
from ansible_collections.golden.fleet.tests.support import debian
from ansible_collections.golden.fleet.tests.support.disks import MIB, call, looped, make_filesystem, mounted, own_mounts
from ansible_collections.golden.fleet.tests.support.qemu import Firmware, Machine

pytestmark = pytest.mark.slow

_DEADLINE = 480
_GRUB = Path("/usr/lib/grub/i386-pc")


class _Clones(t.NamedTuple):
    reference: Path
    disks: dict[Firmware, Path]
    results: dict[Firmware, dict[str, t.Any]]


def _ids(disk: Path) -> dict[str, str]:
    return {place: each.value for place, each in volumes.look(read_disk(str(disk))).ids.items()}


def _root_of(disk: Path) -> t.ContextManager[Path]:
    piece = debian._ROOT
    return mounted(disk, "-o", f"loop,offset={piece.start},sizelimit={piece.size}")


def _prepare(disk: Path) -> None:
    """Its initramfs resumes from the swap; and where a kernel has no FAT, its ESP is not mounted."""
    ids = _ids(disk)
    with _root_of(disk) as root:
        (root / "etc/initramfs-tools/conf.d/resume").write_text(f"RESUME=UUID={ids['filesystem 3']}\n")
        fstab = root / "etc/fstab"
        fstab.write_text(fstab.read_text().replace("umask=0077", "umask=0077,nofail"))
        call("chroot", root, "update-initramfs", "-u")
        assert ids["filesystem 3"] in _resume(root)


def _install_grub(disk: Path, folder: Path) -> None:
    """As GRUB does by itself for a BIOS: protected against programs that write into its place.

    It wants to know where its files lie, which is on another disk here, because no kernel shows the partitions of ours.
    """
    files = make_filesystem(folder / "grub.img", "ext4", 24 * MIB)
    config = folder / "embedded.cfg"
    config.write_text(debian._GRUB_EMBEDDED)
    with looped(files) as node, mounted(node) as top, looped(disk) as whole:
        shutil.copyfile(_GRUB / "boot.img", top / "boot.img")
        debian._grub_image("i386-pc", top / "core.img", config, "biosdisk")
        (folder / "device.map").write_text(f"(hd0) {whole}\n(hd1) {node}\n")
        call(_GRUB / "grub-bios-setup", "-s", "-d", top, "-m", folder / "device.map", whole)
    assert _redundancy(disk) > 0


def _redundancy(disk: Path) -> int:
    with disk.open("rb") as file:
        file.seek(debian._BIOS_BOOT.start + 512 + 16)
        return int.from_bytes(file.read(4), "little")


def _resume(root: Path) -> str:
    (archive,) = (path.name for path in (root / "boot").glob("initrd.img-*"))
    script = f"unmkinitramfs /boot/{archive} /tmp/unpacked && cat /tmp/unpacked/conf/conf.d/resume; rm -r /tmp/unpacked"
    return call("chroot", root, "sh", "-c", script)


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[_Clones]:
    folder = tmp_path_factory.mktemp("clones")
    reference = folder / "reference.img"
    debian.copy_disk(debian.disks().this_month, reference)
    found = _Clones(reference, {}, {})
    with own_mounts():
        _prepare(reference)
        _install_grub(reference, folder)
        for firmware in t.get_args(Firmware):
            disk = folder / f"{firmware}.img"
            debian.copy_disk(reference, disk)
            found.disks[firmware] = disk
            found.results[firmware] = renew(DiskHint(path=str(disk)), f"pc-{firmware}", check=False)
        yield found


@pytest.mark.parametrize("firmware", t.get_args(Firmware))
def test_it_boots(firmware: Firmware, clones: _Clones, tmp_path: Path) -> None:
    ids = clones.results[firmware]["ids"]
    with Machine(clones.disks[firmware], firmware, tmp_path) as machine:
        machine.wait_for(f"root=UUID={ids['filesystem 4']['after']}", _DEADLINE)
        machine.wait_for(debian.THIS_MONTH, _DEADLINE)
        machine.wait_for(debian.LOGIN_PROMPT, _DEADLINE)
        assert "Dependency failed" not in machine.console()


def test_no_id_is_shared(clones: _Clones) -> None:
    every = [set(_ids(disk).values()) for disk in (clones.reference, *clones.disks.values())]
    assert len(set.union(*every)) == sum(map(len, every))
    assert len(every[0]) == 1 + 4 + 3


def test_the_old_ids_are_nowhere(clones: _Clones) -> None:
    old = _ids(clones.reference)
    for firmware, disk in clones.disks.items():
        files = clones.results[firmware]["files"]
        assert [each for each in files if "initrd.img" in each]
        assert {"partition 1", "partition 2: /EFI/BOOT/BOOTX64.EFI", "partition 4: /boot/grub/grub.cfg"} < set(files)
        data = disk.read_bytes()
        assert data.count(old["filesystem 4"].encode()) == 0 or _only_in_free_blocks(disk, old["filesystem 4"])
        with _root_of(disk) as root:
            assert _ids(disk)["filesystem 3"] in _resume(root)
            assert not (root / ".golden-fleet-ids").exists()
        again = renew(DiskHint(path=str(disk)), f"pc-{firmware}", check=False)
        assert (again["changed"], again["notes"]) == (False, [])


def _only_in_free_blocks(disk: Path, word: str) -> bool:
    """No file of the root has it any more."""
    with _root_of(disk) as root:
        places = ("etc", "boot", "usr/lib", "var/lib")
        found = subprocess.run(["grep", "-rlF", word, *places], cwd=root, capture_output=True, text=True, check=False)
        return found.stdout == ""


def test_killed_before_its_initramfs_is_made_anew(clones: _Clones, tmp_path: Path) -> None:
    """Then nothing but a note says what in there is an old id."""
    disk = tmp_path / "disk.img"
    debian.copy_disk(clones.reference, disk)
    pid = os.fork()
    if pid == 0:
        start = subprocess.run

        def until_then(argv: t.Sequence[str], **options: t.Any) -> t.Any:
            if "update-initramfs" in argv:
                os.kill(os.getpid(), signal.SIGKILL)
            return start(argv, check=options.pop("check"), **options)

        subprocess.run = until_then  # type: ignore[assignment]
        try:
            renew(DiskHint(path=str(disk)), "pc-1", check=False)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    for each in leftovers():
        each.undo()
    old, new = _ids(clones.reference), _ids(disk)
    assert set(old.values()).isdisjoint(new.values())
    with _root_of(disk) as root:
        assert old["filesystem 3"] in _resume(root)
    done = renew(DiskHint(path=str(disk)), "pc-1", check=False)
    assert done["changed"]
    assert [each.rpartition("/")[2][:10] for each in done["files"]] == ["initrd.img"]
    with _root_of(disk) as root:
        assert new["filesystem 3"] in _resume(root)
    assert not renew(DiskHint(path=str(disk)), "pc-1", check=False)["changed"]
