# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds a small, real Debian 12 on a disk file that boots with UEFI and with BIOS, in two states.

This month's state is last month's after an update: packages were installed and files changed in place, so
that the two disks share most of their content, as those of a fleet do. Both are kept in the user's cache, with the
SSH key that opens them: whatever card they are booted with asks for an address by DHCP, and root may log in with it.

The build is a process of its own, because its mounts must be nobody else's: this file is also that program.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

HOSTNAME = "golden-demo"
DISK_SIZE = 2 << 30
LOGIN_PROMPT = f"{HOSTNAME} login:"
# What each state shows above its login prompt.
LAST_MONTH = "Demo computer, last month's state"
THIS_MONTH = "Demo computer, this month's state"

_SUITE = "bookworm"
_PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "zstd", "e2fsprogs", "systemd-sysv", "udev", "dbus",
    "iproute2", "openssh-server", "python3", "less",
)  # fmt: skip
_UPDATE = ("git", "vim")

_RESULT = "result"
_MIB = 1 << 20
_ROOT_UUID = "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e01"
_SWAP_UUID = "6a1c2b0e-7d52-4f7e-9a53-3c1f3a0d1e02"
_ESP_SERIAL = "60D1F1EE"

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "MTOOLS_SKIP_CHECK": "1"}

_INITRAMFS_CONF = "MODULES=list\nCOMPRESS=zstd\n"
_INITRAMFS_HOOK = """\
#!/bin/sh
[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules virtio_pci virtio_blk ext4
"""
_FSTAB = f"""\
UUID={_ROOT_UUID} / ext4 errors=remount-ro 0 1
UUID={_ESP_SERIAL[:4]}-{_ESP_SERIAL[4:]} /boot/efi vfat umask=0077 0 2
UUID={_SWAP_UUID} none swap sw 0 0
"""
# An emulated processor has nothing to protect but pays for it with a third of its time. A panic ends the machine.
_GRUB_CFG = f"""\
linux /vmlinuz root=UUID={_ROOT_UUID} ro console=ttyS0 mitigations=off panic=5
initrd /initrd.img
boot
"""
# What the boot loader carries inside itself, only to find its configuration on the root filesystem.
_GRUB_EMBEDDED = f"""\
serial --unit=0 --speed=115200
terminal_output serial
search --no-floppy --fs-uuid --set=root {_ROOT_UUID}
configfile /boot/grub/grub.cfg
"""
# By its MAC address: clones share what else a client would name itself by, and must not share an address.
_NETWORK = """\
[Match]
Name=en* eth*

[Network]
DHCP=ipv4
LinkLocalAddressing=no

[DHCPv4]
ClientIdentifier=mac
"""
_GRUB_MODULES = (
    "part_gpt", "ext2", "search", "search_fs_uuid", "configfile", "normal", "linux", "serial", "terminal",
    "boot",
)  # fmt: skip


@dataclass(frozen=True)
class _Piece:
    """A partition of our disk, in bytes."""

    start: int
    size: int
    type: str


_BIOS_BOOT = _Piece(1 * _MIB, 1 * _MIB, "21686148-6449-6E6F-744E-656564454649")
_ESP = _Piece(2 * _MIB, 64 * _MIB, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")
_SWAP = _Piece(66 * _MIB, 128 * _MIB, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F")
_ROOT = _Piece(194 * _MIB, DISK_SIZE - 195 * _MIB, "0FC63DAF-8483-4772-8E79-3D69D8477DE4")


@dataclass(frozen=True)
class States:
    """The same computer's disk, before and after its update.

    :ivar key: SSH key that root may log in with.
    :ivar host_key: public SSH host key, by which clones are known too.
    """

    last_month: Path
    this_month: Path
    key: Path
    host_key: Path

    @classmethod
    def in_folder(cls, folder: Path) -> States:
        return cls(
            folder / "last-month.img", folder / "this-month.img", folder / "id_ed25519", folder / "ssh_host_key.pub"
        )


class BuildFailed(Exception):
    """A program that builds the disk failed; the message has what it said."""


def disks(cache: Path | None = None, say: t.Callable[[str], None] = lambda _text: None) -> States:
    """The two disk files, built when this cache has none of this recipe. Copy them; never change them.

    :param say: is told each step of a build.
    """
    cache = cache or default_cache()
    home = cache / f"debian-{_recipe()}"
    with locked(cache):
        if not home.exists():
            for outdated in cache.glob("debian-*"):
                shutil.rmtree(outdated)
            with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as folder:
                _build_apart(Path(folder), say)
                Path(folder, _RESULT).rename(home)
    return States.in_folder(home)


def are_built(cache: Path | None = None) -> bool:
    """Whether disks() will return at once."""
    return ((cache or default_cache()) / f"debian-{_recipe()}").exists()


def default_cache() -> Path:
    """Where this project keeps what is slow to build."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golden.fleet"


def copy_disk(source: Path, target: Path) -> None:
    """A sparse copy of a disk file."""
    _call("cp", "--sparse=always", "--reflink=auto", source, target)


def blank_disk(path: Path, size: int) -> None:
    """A disk file that holds nothing."""
    with path.open("wb") as file:
        file.truncate(size)


def _recipe() -> str:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


@contextlib.contextmanager
def locked(cache: Path) -> t.Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _call(*argv: str | Path, stdin: str | None = None) -> None:
    done = subprocess.run(
        [str(word) for word in argv],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_ENVIRONMENT},
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise BuildFailed(f"{argv[0]} failed with exit code {done.returncode}:\n{done.stdout[-3000:]}")


def _build_apart(folder: Path, say: t.Callable[[str], None]) -> None:
    """Build in a mount namespace of its own.

    A namespace that somebody else makes meanwhile, such as a sandboxed service, would take our mounts along and
    keep them: then umount would return with the filesystem unwritten. It also leaves nothing mounted if killed.
    """
    errors = folder / "errors"
    command = ["unshare", "--mount", sys.executable, __file__, str(folder)]
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        ) as build,
    ):
        assert build.stdout is not None
        try:
            for line in build.stdout:
                say(line.rstrip())
        except BaseException:
            os.killpg(build.pid, signal.SIGTERM)  # and whatever it started
            raise
    if build.returncode:
        raise BuildFailed(errors.read_text()[-3000:].strip())


def _build(folder: Path, say: t.Callable[[str], None]) -> None:
    result = folder / _RESULT
    result.mkdir()
    states = States.in_folder(result)
    updates = folder / "updates"
    say("partitions and filesystems")
    _partition(states.last_month)
    _make_filesystems(states.last_month, folder)
    with _mounted_root(states.last_month, folder / "root") as root:
        say("installing Debian 12 with mmdebstrap")
        _install(root, updates)
        _configure(root)
        _let_in(root, states)
        _name_state(root, LAST_MONTH)
    say("boot loaders for UEFI and BIOS")
    _make_bootable(states.last_month, folder)
    copy_disk(states.last_month, states.this_month)
    with _mounted_root(states.this_month, folder / "root") as root:
        say(f"updating a copy of it: {' and '.join(_UPDATE)}, configuration")
        _update(root, updates)
        _name_state(root, THIS_MONTH)


def _partition(disk: Path) -> None:
    blank_disk(disk, DISK_SIZE)
    lines = ["label: gpt", "unit: sectors"]
    for piece in (_BIOS_BOOT, _ESP, _SWAP, _ROOT):
        lines.append(f"start={piece.start // 512}, size={piece.size // 512}, type={piece.type}")
    _call("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", disk, stdin="\n".join(lines) + "\n")


def _make_filesystems(disk: Path, folder: Path) -> None:
    swap = folder / "swap.img"
    blank_disk(swap, _SWAP.size)
    _call("mkswap", "--uuid", _SWAP_UUID, "--label", "swap", swap)
    _place(swap, disk, _SWAP)
    options = ("-q", "-F", "-L", "root", "-U", _ROOT_UUID, "-E", f"offset={_ROOT.start}")
    _call("mkfs.ext4", *options, disk, f"{_ROOT.size // 1024}k")


def _place(source: Path, disk: Path, piece: _Piece) -> None:
    _call("dd", f"if={source}", f"of={disk}", "bs=1M", f"seek={piece.start // _MIB}", "conv=notrunc,sparse")


@contextlib.contextmanager
def _mounted_root(disk: Path, where: Path) -> t.Iterator[Path]:
    """The root filesystem of one of our disk files, mounted to be changed."""
    where.mkdir(exist_ok=True)
    _call("mount", "-o", f"loop,offset={_ROOT.start},sizelimit={_ROOT.size}", disk, where)
    try:
        yield where
    finally:
        _call("umount", where)


def _install(root: Path, updates: Path) -> None:
    """Debian itself; and the packages of the later update, downloaded to a folder outside of it."""
    (updates / "partial").mkdir(parents=True)
    early = (
        'mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/etc/initramfs-tools/hooks"; '
        f"printf %s '{_INITRAMFS_CONF}' >\"$1/etc/initramfs-tools/conf.d/golden\"; "
        f"printf %s '{_INITRAMFS_HOOK}' >\"$1/etc/initramfs-tools/hooks/golden\"; "
        'chmod 755 "$1/etc/initramfs-tools/hooks/golden"'
    )
    fetch = (
        'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes --no-install-recommends --download-only '
        f"-o Dir::Cache::Archives='{updates}' install {' '.join(_UPDATE)}"
    )
    hooks = [f"--essential-hook={early}", f"--customize-hook={fetch}"]
    _call("mmdebstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}", *hooks, _SUITE, root)


def _configure(root: Path) -> None:
    (root / "etc/hostname").write_text(f"{HOSTNAME}\n")
    (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {HOSTNAME}\n")
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/fstab").write_text(_FSTAB)
    (root / "boot/efi").mkdir()
    (root / "boot/grub").mkdir()
    (root / "boot/grub/grub.cfg").write_text(_GRUB_CFG)
    _call("chroot", root, "passwd", "--delete", "root")
    (root / "etc/systemd/network/golden.network").write_text(_NETWORK)
    _call("chroot", root, "systemctl", "enable", "systemd-networkd")
    _call("chroot", root, "systemctl", "disable", "systemd-networkd-wait-online")


def _let_in(root: Path, states: States) -> None:
    _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "golden.fleet tests", "-f", states.key)
    login = root / "root/.ssh"
    login.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(states.key.with_suffix(".pub"), login / "authorized_keys")
    shutil.copyfile(root / "etc/ssh/ssh_host_ed25519_key.pub", states.host_key)


def _update(root: Path, updates: Path) -> None:
    inside = root / "var/tmp/updates"
    shutil.copytree(updates, inside, ignore=shutil.ignore_patterns("partial", "lock"))
    _call("chroot", root, "sh", "-c", "dpkg --install /var/tmp/updates/*.deb")
    shutil.rmtree(inside)
    with (root / "etc/ssh/sshd_config").open("a") as config:
        config.write("PermitRootLogin prohibit-password\n")


def _name_state(root: Path, banner: str) -> None:
    (root / "etc/issue").write_text(f"{banner} \\n \\l\n\n")


def _make_bootable(disk: Path, folder: Path) -> None:
    embedded = folder / "embedded.cfg"
    embedded.write_text(_GRUB_EMBEDDED)
    _boot_by_uefi(disk, embedded, folder)
    _boot_by_bios(disk, embedded, folder / "core.img")


def _grub_image(target: str, output: Path, embedded: Path, *modules: str) -> None:
    options = ("-O", target, "-o", output, "-c", embedded, "-p", "/boot/grub")
    _call("grub-mkimage", *options, *_GRUB_MODULES, *modules)


def _boot_by_uefi(disk: Path, embedded: Path, folder: Path) -> None:
    loader, esp = folder / "bootx64.efi", folder / "esp.img"
    _grub_image("x86_64-efi", loader, embedded, "efi_gop")
    blank_disk(esp, _ESP.size)
    _call("mkfs.vfat", "-F", "32", "-n", "ESP", "-i", _ESP_SERIAL, esp)
    _call("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT")
    _call("mcopy", "-i", esp, loader, "::/EFI/BOOT/BOOTX64.EFI")
    _place(esp, disk, _ESP)


def _boot_by_bios(disk: Path, embedded: Path, core: Path) -> None:
    """What grub-bios-setup does, which only works on disks whose partitions the kernel sees.

    Offsets are GRUB's own: include/grub/i386/pc/boot.h and grub-core/boot/i386/pc/boot.S.
    """
    _grub_image("i386-pc", core, embedded, "biosdisk")
    first_sector = _BIOS_BOOT.start // 512
    loader = bytearray(core.read_bytes())
    sectors = -(-len(loader) // 512)
    struct.pack_into("<QHH", loader, 0x1F4, first_sector + 1, sectors - 1, 0x820)
    # The first 440 bytes are code; the disk signature and the protective MBR's entries follow.
    code = bytearray(Path("/usr/lib/grub/i386-pc/boot.img").read_bytes()[:440])
    struct.pack_into("<Q", code, 0x5C, first_sector)
    code[0x66:0x68] = b"\x90\x90"  # use the drive the BIOS names, as GRUB's own setup does on hard disks
    with disk.open("r+b") as file:
        file.write(code)
        file.seek(first_sector * 512)
        file.write(loader)


def _main() -> None:
    try:
        _build(Path(sys.argv[1]), lambda text: print(text, flush=True))
    except BuildFailed as failed:
        sys.exit(str(failed))


if __name__ == "__main__":
    _main()
