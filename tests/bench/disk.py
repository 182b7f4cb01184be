# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The disks that everybody captures: real files of this machine, and the same with 5 % changed.

A program of its own, because it holds the names of 100,000 files, and the memory of the bench is part of
what it sees of the programs that it starts (see measure.py).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from .measure import BenchError, program, sync

ROOTS = ("/usr", "/opt", "/var/lib")  # taken in this order, each sorted by path, until there is enough
CHANGED_SHARE = 0.05  # of the used bytes
_FACTS = "disk.json"
PATTERNS = ("neighbours", "scattered")
_BUILD = 1  # part of the cache key: count up when the way of building changes
_SEED = 2026
_BLOCK = 1 << 20
_NEIGHBOURHOOD = 16 << 20  # bytes of neighbouring files that change together


@dataclass(frozen=True)
class Size:
    """How big the disk is, and how many bytes of files it holds at least."""

    disk: int
    files: int


SIZES = {"full": Size(12 << 30, 6_000_000_000), "small": Size(2 << 30, 600_000_000)}


@dataclass(frozen=True)
class Change:
    """What differs between the two disks."""

    files: int
    bytes: int  # of file content that was rewritten
    compressed: int  # the same bytes as one stream through zstd -3
    chunks: int  # aligned pieces of 1 MiB that differ, metadata of the filesystem included


@dataclass(frozen=True)
class Disks:
    """Two disks of the same size in plain files."""

    before: Path
    after: Path
    size: int
    files: int
    file_bytes: int
    change: Change


class _File(t.NamedTuple):
    path: str
    size: int


def build(work: Path, size: str, pattern: str) -> Disks:
    """The disks, from the cache when the machine's files are the same as then.

    :param pattern: which files change: "neighbours" or "scattered".
    """
    # In namespaces of its own: however it ends, its programs, mounts and loop devices end with it.
    builder = ["unshare", "--mount-proc", "--pid", "--fork", "--kill-child", *program("disk"), str(work), size, pattern]
    done = subprocess.run(builder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError("The disks could not be built; the lines above say why.")
    folder = Path(done.stdout.strip())
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    change = Change(**json.loads((folder / f"{pattern}.json").read_text(encoding="utf-8")))
    return Disks(folder / "before.img", folder / f"{pattern}.img", change=change, **facts)


def copy(source: Path, target: Path) -> None:
    """A copy that keeps holes."""
    subprocess.run(["cp", "--sparse=always", "--", str(source), str(target)], check=True)
    sync(target)


def blank(path: Path, size: int) -> None:
    """A new disk that holds nothing."""
    path.unlink(missing_ok=True)
    with open(path, "xb") as file:
        file.truncate(size)


def zeroed(path: Path, size: int) -> None:
    """A new disk of zeros whose blocks are all there, as a real disk's are: no filesystem has to find them."""
    blank(path, size)
    zeros = ["dd", "if=/dev/zero", f"of={path}", f"bs={8 * _BLOCK}", f"count={size // (8 * _BLOCK)}"]
    subprocess.run([*zeros, "oflag=direct", "conv=notrunc", "status=none"], check=True)


def _build(work: Path, name: str, pattern: str) -> Path:
    size = SIZES[name]
    paths, files = _choose(size.files)
    folder = work / f"disks-{name}-{_key(size, paths)}"
    if not (folder / _FACTS).exists():
        for old in work.glob(f"disks-{name}-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        file_bytes = sum(file.size for file in files)
        _say(f"building the disk: {len(files)} files, {file_bytes / 1e9:.2f} GB")
        _fill(folder / "before.img", size.disk, paths)
        _write(folder / _FACTS, {"size": size.disk, "files": len(files), "file_bytes": file_bytes})
    if not (folder / f"{pattern}.json").exists():
        _say(f"changing {CHANGED_SHARE:.0%} of it")
        image = folder / f"{pattern}.img"
        copy(folder / "before.img", image)
        order = _neighbours(files) if pattern == "neighbours" else _scattered(files)
        _write(folder / f"{pattern}.json", asdict(_change(folder / "before.img", image, order)))
    return folder


def _write(path: Path, facts: dict[str, t.Any]) -> None:
    path.write_text(json.dumps(facts, indent=2), encoding="utf-8")


def _choose(enough: int) -> tuple[list[str], list[_File]]:
    """All paths to copy, folders first; and the regular files among them, each inode once."""
    paths: list[str] = []
    files: list[_File] = []
    seen: set[tuple[int, int]] = set()
    total = 0
    for path, status in _walk():
        if total >= enough:
            return paths, files
        paths.append(path)
        if stat.S_ISREG(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            files.append(_File(path, status.st_size))
            total += status.st_size
    if total >= enough:
        return paths, files
    raise BenchError(f"{', '.join(ROOTS)} hold {total / 1e9:.1f} GB of files, not {enough / 1e9:.1f} GB.")


def _walk() -> t.Iterator[tuple[str, os.stat_result]]:
    """Folders, regular files and symbolic links below the roots, ordered, without other filesystems."""
    for root in ROOTS:
        device = os.stat(root).st_dev
        for folder, names, leaves in os.walk(root):
            here = os.lstat(folder)
            if here.st_dev != device:
                names.clear()
                continue
            names.sort()
            yield folder, here
            links = [name for name in names if os.path.islink(os.path.join(folder, name))]
            for name in sorted([*leaves, *links]):
                path = os.path.join(folder, name)
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                    yield path, status


def _key(size: Size, paths: t.Iterable[str]) -> str:
    digest = hashlib.sha256(repr((_BUILD, size, CHANGED_SHARE, _SEED)).encode())
    for path in paths:
        status = os.lstat(path)
        # Python leaves and removes files in folders whenever it runs; what counts is the files themselves.
        told = (0, 0) if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)
        digest.update(repr((path, status.st_mode, told)).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:16]


def _fill(image: Path, size: int, paths: t.Sequence[str]) -> None:
    blank(image, size)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    names = image.with_name("names")
    names.write_bytes(b"\0".join(os.fsencode(path.lstrip("/")) for path in paths))
    with _mounted(image) as top:
        # tar keeps the order, so that the files of a folder lie together, as on a freshly installed machine.
        reading = ["tar", "-C", "/", "--no-recursion", "--null", "-T", str(names), "-cf", "-"]
        with subprocess.Popen(reading, stdout=subprocess.PIPE) as reader:
            subprocess.run(["tar", "-C", str(top), "-xpf", "-"], stdin=reader.stdout, check=True)
        if reader.returncode:
            raise BenchError("tar could not read all files; did one change meanwhile? Run again.")
    names.unlink()


@contextlib.contextmanager
def _mounted(image: Path) -> t.Iterator[Path]:
    top = image.with_suffix(".mnt")
    top.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop,noatime", str(image), str(top)], check=True)
    try:
        yield top
    finally:
        subprocess.run(["umount", str(top)], check=True)
        top.rmdir()
    sync(image)


def _change(before: Path, after: Path, order: t.Iterable[_File]) -> Change:
    """Rewrite files of `after` in place, each with what other files held.

    The contents of all chosen files, one behind the other, move along by an odd number of bytes: so the
    new data is as compressible as the old, and no aligned piece of it is on the disk already.
    """
    stream = after.with_suffix(".stream")
    with _mounted(after) as top:
        usage = os.statvfs(top)
        used = (usage.f_blocks - usage.f_bfree) * usage.f_frsize
        chosen = _take(order, round(used * CHANGED_SHARE))
        total = sum(file.size for file in chosen)
        with open(stream, "wb") as out:
            for file in chosen:
                out.write((top / file.path.lstrip("/")).read_bytes())
        _rewrite(top, chosen, stream, start=total // 2 | 1)
    compressed = _compressed(stream)
    stream.unlink()
    return Change(len(chosen), total, compressed, _differing(before, after))


def _neighbours(files: t.Sequence[_File]) -> t.Iterator[_File]:
    """Groups of files that follow each other, groups in a shuffled but fixed order.

    This is how an update looks on a disk that was installed package by package: the files of a package
    lie together. On our disk the files of a folder do.
    """
    groups: dict[int, list[_File]] = {}
    at = 0
    for file in files:
        groups.setdefault(at // _NEIGHBOURHOOD, []).append(file)
        at += file.size
    order = sorted(groups)
    random.Random(_SEED).shuffle(order)
    return (file for group in order for file in groups[group])


def _scattered(files: t.Sequence[_File]) -> t.Iterator[_File]:
    """Every file as likely as any other: the worst for whoever works in pieces bigger than a file."""
    return iter(random.Random(_SEED).sample(files, len(files)))


def _take(order: t.Iterable[_File], enough: int) -> list[_File]:
    """Files in this order until there are enough bytes, without the ones that would be too many."""
    chosen: list[_File] = []
    total = 0
    for file in order:
        if file.size and total + file.size <= enough:
            chosen.append(file)
            total += file.size
        if total > enough * 0.999:
            break
    return chosen


def _rewrite(top: Path, chosen: t.Iterable[_File], stream: Path, start: int) -> None:
    with open(stream, "rb") as source:
        source.seek(start)
        for file in chosen:
            data = source.read(file.size)
            if len(data) < file.size:
                source.seek(0)
                data += source.read(file.size - len(data))
            with open(top / file.path.lstrip("/"), "r+b") as target:
                target.write(data)


def _compressed(path: Path) -> int:
    with subprocess.Popen(["zstd", "-q", "-3", "-c", str(path)], stdout=subprocess.PIPE) as packer:
        output = t.cast(t.IO[bytes], packer.stdout)
        return sum(len(block) for block in iter(lambda: output.read(_BLOCK), b""))


def _differing(before: Path, after: Path) -> int:
    with open(before, "rb") as one, open(after, "rb") as other:
        blocks = iter(lambda: (one.read(_BLOCK), other.read(_BLOCK)), (b"", b""))
        return sum(left != right for left, right in blocks)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    try:
        print(_build(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
    except BenchError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
