# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real disks on plain files: filesystems with files in them, partition tables, loop devices, mounts."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
_MOUNTS = 0x00020000  # CLONE_NEWNS
MKFS: dict[str, list[str]] = {
    "btrfs": ["mkfs.btrfs", "-q", "-L", "data"],
    "exfat": ["mkfs.exfat", "-L", "data"],
    "ext2": ["mkfs.ext2", "-q", "-L", "data"],
    "ext3": ["mkfs.ext3", "-q", "-L", "data"],
    "ext4": ["mkfs.ext4", "-q", "-L", "data"],
    "f2fs": ["mkfs.f2fs", "-q", "-l", "data"],
    "ntfs": ["mkntfs", "-q", "-F", "-Q", "-L", "data"],
    "swap": ["mkswap", "-q", "-L", "data"],
    "vfat": ["mkfs.vfat", "-n", "DATA"],
    "xfs": ["mkfs.xfs", "-q", "-L", "data"],
}
# The smallest filesystem of each kind that its mkfs makes, with room for some files.
SIZE = {
    "btrfs": 130 * MIB,
    "exfat": 16 * MIB,
    "ext2": 16 * MIB,
    "ext3": 24 * MIB,
    "ext4": 24 * MIB,
    "f2fs": 104 * MIB,  # the smallest that partclone reads
    "ntfs": 24 * MIB,
    "swap": 8 * MIB,
    "vfat": 40 * MIB,
    "xfs": 304 * MIB,
}
_LARGE_SECTORS = {"xfs": ["-s", "size=4096"], "vfat": ["-S", "4096"], "ntfs": ["-s", "4096"]}
GPT_LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"


@dataclass(frozen=True)
class Piece:
    """A partition to be made: kind is a key of MKFS, or "" for one that stays as it is."""

    kind: str
    start: int
    size: int
    files: t.Mapping[str, bytes] | None = None


def call(*argv: str | Path, stdin: str | None = None, ok: t.Container[int] = (0,)) -> str:
    """Run a program and return what it says; an AssertionError says what went wrong."""
    done = subprocess.run(
        [str(word) for word in argv],
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode in ok, f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def sparse(path: Path, size: int) -> Path:
    """A new file of so many bytes that takes no space."""
    with path.open("wb") as file:
        file.truncate(size)
    return path


@contextlib.contextmanager
def looped(path: Path, *options: str) -> t.Iterator[str]:
    """A loop device for a file."""
    node = call("losetup", "--find", "--show", *options, path).strip()
    try:
        yield node
    finally:
        call("losetup", "--detach", node)


@contextlib.contextmanager
def own_mounts() -> t.Iterator[None]:
    """What is mounted meanwhile is seen by nobody else.

    A mount namespace that somebody else makes meanwhile would take a copy along, and keep the disk busy.
    """
    before = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        assert libc.unshare(_MOUNTS) == 0, os.strerror(ctypes.get_errno())
        try:
            call("mount", "--make-rprivate", "/")
            yield
        finally:
            folder = os.getcwd()
            assert libc.setns(before, _MOUNTS) == 0, os.strerror(ctypes.get_errno())
            os.chdir(folder)
    finally:
        os.close(before)


@contextlib.contextmanager
def mounted(path: Path | str, *options: str) -> t.Iterator[Path]:
    """A filesystem of a file or device, mounted."""
    with tempfile.TemporaryDirectory(prefix="golden-mount-") as folder:
        call("mount", *(options or ("-o", "loop")), path, folder)
        try:
            yield Path(folder)
        finally:
            call("umount", folder)


def make_filesystem(
    path: Path, kind: str, size: int, files: t.Mapping[str, bytes] | None = None, sector_size: int = 512
) -> Path:
    """A new file that is a filesystem with these files in it, cleanly unmounted."""
    sparse(path, size)
    special = _LARGE_SECTORS.get(kind, []) if sector_size == 4096 else []
    call(*MKFS[kind], *special, path)
    if files:
        _FILL[kind](path, files)
    return path


def read_files(path: Path, kind: str, names: t.Iterable[str]) -> dict[str, bytes]:
    """The content of these files in a filesystem."""
    return _READ[kind](path, list(names))


def check_filesystem(path: Path, kind: str) -> None:
    """Let the filesystem's own checker judge, reading only; an AssertionError says what it found."""
    call(*_CHECK[kind], path)


def make_gpt(path: Path, size: int, pieces: t.Sequence[Piece], sector_size: int = 512) -> Path:
    """A disk with a GPT and the filesystems of these pieces."""
    lines = [f"start={piece.start // sector_size}, size={piece.size // sector_size}" for piece in pieces]
    return _make_disk(path, size, "label: gpt\n" + "\n".join(lines) + "\n", pieces, sector_size)


def make_dos(path: Path, size: int, script: str, pieces: t.Sequence[Piece]) -> Path:
    """A disk with a DOS partition table from this sfdisk script, and the filesystems of these pieces."""
    return _make_disk(path, size, "label: dos\n" + script, pieces, 512)


def extract(disk: Path, start: int, size: int, target: Path) -> Path:
    """A piece of a disk as a file of its own."""
    call("dd", f"if={disk}", f"of={target}", "bs=1M", "conv=sparse", "status=none",
         f"skip={start}", f"count={size}", "iflag=skip_bytes,count_bytes")  # fmt: skip
    return target


def place(source: Path, disk: Path, start: int) -> None:
    """Put a file into a disk."""
    call("dd", f"if={source}", f"of={disk}", "bs=1M", "conv=notrunc,sparse", "status=none",
         f"seek={start}", "oflag=seek_bytes")  # fmt: skip


def _make_disk(path: Path, size: int, script: str, pieces: t.Sequence[Piece], sector_size: int) -> Path:
    sparse(path, size)
    if sector_size == 512:
        call("sfdisk", "--quiet", path, stdin=script)
    else:
        with looped(path, "--sector-size", str(sector_size)) as node:
            call("sfdisk", "--quiet", node, stdin=script)
    for piece in pieces:
        if piece.kind:
            part = path.with_name(f"{path.name}.{piece.start}")
            make_filesystem(part, piece.kind, piece.size, piece.files, sector_size)
            place(part, path, piece.start)
            part.unlink()
    return path


def _fill_mounted(path: Path, files: t.Mapping[str, bytes]) -> None:
    with mounted(path) as folder:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


def _read_mounted(path: Path, names: t.Sequence[str]) -> dict[str, bytes]:
    with mounted(path, "-o", "loop,ro") as folder:
        return {name: (folder / name).read_bytes() for name in names}


def _fill_with(*command: str) -> t.Callable[[Path, t.Mapping[str, bytes]], None]:
    """With a program that copies one file in; {disk}, {source} and {name} stand in its arguments."""

    def fill(path: Path, files: t.Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="golden-files-") as folder:
            for name, content in files.items():
                source = Path(folder) / name
                source.write_bytes(content)
                call(*(word.format(disk=path, source=source, name=name, folder=folder) for word in command))

    return fill


def _read_with(*command: str) -> t.Callable[[Path, t.Sequence[str]], dict[str, bytes]]:
    def read(path: Path, names: t.Sequence[str]) -> dict[str, bytes]:
        return {
            name: subprocess.run(
                [word.format(disk=path, name=name) for word in command], stdout=subprocess.PIPE, check=True
            ).stdout
            for name in names
        }

    return read


def _fill_f2fs(path: Path, files: t.Mapping[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(prefix="golden-files-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        call("sload.f2fs", "-f", folder, path)


_FILL: dict[str, t.Callable[[Path, t.Mapping[str, bytes]], None]] = {
    "btrfs": _fill_mounted,
    "ext2": _fill_mounted,
    "ext3": _fill_mounted,
    "ext4": _fill_mounted,
    "f2fs": _fill_f2fs,
    "ntfs": _fill_with("ntfscp", "-q", "{disk}", "{source}", "{name}"),
    "vfat": _fill_with("mcopy", "-i", "{disk}", "{source}", "::{name}"),
    "xfs": _fill_mounted,
}
_READ: dict[str, t.Callable[[Path, t.Sequence[str]], dict[str, bytes]]] = {
    "btrfs": _read_mounted,
    "ext2": _read_mounted,
    "ext3": _read_mounted,
    "ext4": _read_mounted,
    "ntfs": _read_with("ntfscat", "{disk}", "{name}"),
    "vfat": _read_with("mtype", "-i", "{disk}", "::{name}"),
    "xfs": _read_mounted,
}
_CHECK: dict[str, list[str]] = {
    "btrfs": ["btrfs", "check", "--readonly", "--check-data-csum"],
    "exfat": ["fsck.exfat", "-n"],
    "ext2": ["e2fsck", "-fn"],
    "ext3": ["e2fsck", "-fn"],
    "ext4": ["e2fsck", "-fn"],
    "f2fs": ["fsck.f2fs", "--dry-run"],
    "ntfs": ["ntfsfix", "-n"],
    "swap": ["swaplabel"],
    "vfat": ["fsck.vfat", "-n"],
    "xfs": ["xfs_repair", "-n"],
}
