# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A store in a directory: of this machine, or of whatever is mounted there."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import stat
import threading
import time
import typing as t

from .._errors import (
    AlreadyInStore,
    NotInStore,
    StoreBroken,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
)
from .._units import show_size
from .base import Entries, Entry, Store, temporary_key

_MOST_PIECES = 1024  # IOV_MAX of Linux
# Much of a pack goes past the page cache: copying it there takes as long as a quarter of compressing it.
_BLOCK = 4096  # enough for direct I/O on every filesystem
_WORTH_DIRECT = 1 << 20  # bytes
_NO_DIRECT = {errno.EINVAL, errno.EOPNOTSUPP}
_MOST_DIRECT = 9 << 20  # bytes read at once: the memory for it is kept, for each thread
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not make us wait

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_RENAME_NOREPLACE = 1

_FULL_HINT = "Make room with golden.fleet.image_prune, or grow the filesystem."
_LINK_HINT = (
    "A symbolic link is in the way, and links inside a store are not followed. "
    "Use a bind mount where a part of the store has to lie elsewhere."
)
_FAILURES: tuple[tuple[set[int], type[StoreError], str], ...] = (
    ({errno.EROFS}, StoreRefused, "Mount it writable."),
    ({errno.EACCES, errno.EPERM}, StoreRefused, "Check owner and mode, and as whom this task runs."),
    (_GONE, StoreBroken, "Something else has that name: look there, and move it aside."),
    (
        {errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.ENODEV, errno.ENXIO},
        StoreUnreachable,
        "Check the mount and its file server.",
    ),
)


class DirectoryStore(Store):
    """Keys are paths beneath one directory.

    Every component of a path is opened beneath the one before it, and never through a symbolic link:
    whoever can write into the store cannot lead us out of it.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._local = threading.local()

    def _read_all(self, key: str) -> bytes:
        with self._file(key) as (fd, size):
            self._check_amount(key, size)
            return self._bytes(fd, key, 0, size)

    def _read_range(self, key: str, start: int, length: int) -> bytes:
        with self._file(key) as (fd, _size):
            return self._bytes(fd, key, start, length)

    def _bytes(self, fd: int, key: str, start: int, length: int) -> bytes:
        data = self._read_direct(fd, start, length) or os.pread(fd, length, start)
        if len(data) == length:
            return data
        pieces, have = [data], len(data)
        while data and have < length:  # Linux reads at most 2 GiB at once, network filesystems sometimes less
            data = os.pread(fd, length - have, start + have)
            pieces.append(data)
            have += len(data)
        if have < length:
            raise self.too_short(key, start + length, start + have)
        return b"".join(pieces)

    def _read_direct(self, fd: int, start: int, length: int) -> bytes:
        """Much of a pack, past the page cache; nothing where that is not possible."""
        first = start // _BLOCK * _BLOCK
        span = -(-(start + length - first) // _BLOCK) * _BLOCK
        if not _WORTH_DIRECT <= span <= _MOST_DIRECT:
            return b""
        if not hasattr(self._local, "room"):
            self._local.room = memoryview(mmap.mmap(-1, _MOST_DIRECT))
        room = self._local.room
        have = _direct(fd, lambda: os.preadv(fd, [room[:span]], first))
        return bytes(room[start - first : min(have, start - first + length)])

    def _size(self, key: str) -> int:
        with self._file(key) as (_fd, size):
            return size

    def _write(self, key: str, data: t.Sequence[memoryview]) -> None:
        with self._new_file(key, data) as (folder, temporary, name):
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def _create(self, key: str, data: t.Sequence[memoryview]) -> None:
        with self._new_file(key, data) as (folder, temporary, name):
            _move_if_free(folder, temporary, name)

    def _delete(self, key: str) -> None:
        with contextlib.suppress(NotInStore), self._folder_of(key, "delete") as (folder, name):
            try:
                os.unlink(name, dir_fd=folder)
            except IsADirectoryError:
                _remove_if_empty(folder, name)
            os.fsync(folder)

    def _children(self, folder: str) -> Entries:
        now = time.time()
        with contextlib.suppress(NotInStore), self._told("list", folder), self._folder(folder) as fd:
            return [entry for name in os.listdir(fd) for entry in _entries(fd, name, now)]
        return []

    def _age(self, key: str) -> float:
        now = self._now()
        with self._file(key) as (fd, _size):
            return max(0.0, now - os.fstat(fd).st_mtime)

    def _remove_temporary(self, path: str) -> None:
        self._delete(path.rstrip("/"))

    def _now(self) -> float:
        """The store's clock: that of the file server, where the directory comes from one."""
        try:
            with self._folder("") as folder:
                temporary = temporary_key("now")
                fd = os.open(temporary, _NEW_FILE, 0o600, dir_fd=folder)
                try:
                    return os.fstat(fd).st_mtime
                finally:
                    os.close(fd)
                    os.unlink(temporary, dir_fd=folder)
        except OSError:  # read-only, full or not there yet: then its clock does not matter much
            return time.time()

    @contextlib.contextmanager
    def _folder(self, folder: str, create: bool = False) -> t.Iterator[int]:
        """An open descriptor of a folder of the store; "" is the store itself."""
        if create:
            _make_root(self.url)
        with contextlib.ExitStack() as opened:
            fd = os.open(self.url, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, fd)
            for name in filter(None, folder.split("/")):
                fd = _open_folder(fd, name, create)
                opened.callback(os.close, fd)
            yield fd

    @contextlib.contextmanager
    def _folder_of(self, key: str, verb: str, create: bool = False) -> t.Iterator[tuple[int, str]]:
        """An open descriptor of the folder that holds an object, and the object's name in it."""
        folder, _slash, name = key.rpartition("/")
        with self._told(verb, key), self._folder(folder, create) as fd:
            yield fd, name

    @contextlib.contextmanager
    def _file(self, key: str) -> t.Iterator[tuple[int, int]]:
        """An open descriptor of an object, and its size."""
        with self._folder_of(key, "read") as (folder, name):
            fd = os.open(name, _FILE, dir_fd=folder)
            try:
                found = os.fstat(fd)
                if not stat.S_ISREG(found.st_mode):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                yield fd, found.st_size
            finally:
                os.close(fd)

    @contextlib.contextmanager
    def _new_file(self, key: str, data: t.Sequence[memoryview]) -> t.Iterator[tuple[int, str, str]]:
        """Data in a temporary file beside its final name, safely on the disk.

        Gives the descriptor of the folder and both names. The renaming, by the caller, is made durable.
        """
        with self._folder_of(key, "write", create=True) as (folder, name):
            temporary = temporary_key(name)
            try:
                _fill(folder, temporary, data)
                yield folder, temporary, name
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)

    @contextlib.contextmanager
    def _told(self, verb: str, key: str) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failure(verb, key, error) from error

    def _failure(self, verb: str, key: str, error: OSError) -> StoreError:
        facts = {"store": self.url, "key": key}
        said = f"Cannot {verb} {key or 'the folder'} in the store {self.url}: {error.strerror}."
        if error.errno == errno.EEXIST:
            return AlreadyInStore(f"There is a {key} in the store {self.url} already.", **facts)
        if error.errno == errno.ELOOP or self._is_link(key):
            return StoreBroken(f"{said} {_LINK_HINT}", **facts)
        if error.errno in _GONE and verb != "write":
            where = "" if os.path.isdir(self.url) else " There is no such directory; is it mounted?"
            return NotInStore(f"There is no {key} in the store {self.url}.{where}", **facts)
        if error.errno in _FULL:
            return StoreFull(f"{said} {self._space()} {_FULL_HINT}", **facts)
        kind, hint = next(
            ((kind, hint) for codes, kind, hint in _FAILURES if error.errno in codes),
            (StoreBroken, "Check the filesystem and the disk beneath it."),
        )
        return kind(f"{said} {hint}", uid=os.geteuid(), **facts)

    def _is_link(self, key: str) -> bool:
        """Is a part of this path a symbolic link? Opening one as a folder says only that it is none."""
        parts = key.split("/")
        paths = (os.path.join(self.url, *parts[:count]) for count in range(1, len(parts) + 1))
        return any(map(os.path.islink, paths))

    def _space(self) -> str:
        try:
            found = os.statvfs(self.url)
        except OSError:
            return ""
        return f"{show_size(found.f_bavail * found.f_frsize)} are free there."


def _make_root(path: str) -> None:
    """The directory itself. Only owner and group may enter: images hold secrets of the reference computer."""
    try:
        os.makedirs(path, mode=0o750, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from error


def _open_folder(parent: int, name: str, create: bool) -> int:
    """A descriptor of a folder in an open folder."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    with contextlib.suppress(FileExistsError):  # somebody else was faster
        os.mkdir(name, 0o755, dir_fd=parent)
        os.fsync(parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def _fill(folder: int, name: str, data: t.Sequence[memoryview]) -> None:
    fd = os.open(name, _NEW_FILE, 0o644, dir_fd=folder)
    try:
        pieces = _after(list(data), _write_direct(fd, data[0]) if data else 0)
        while pieces:
            written = os.writev(fd, pieces[:_MOST_PIECES])
            pieces = _after(pieces, written)
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_direct(fd: int, piece: memoryview) -> int:
    """Write the whole blocks of a big piece past the page cache, as far as that is possible.

    :returns: bytes written.
    """
    whole = len(piece) // _BLOCK * _BLOCK
    if whole < _WORTH_DIRECT:
        return 0
    return _direct(fd, lambda: os.write(fd, piece[:whole]))


def _direct(fd: int, transfer: t.Callable[[], int]) -> int:
    """Bytes transferred with direct I/O: none where the filesystem has none, or the memory is not aligned."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_DIRECT)
        return transfer()
    except OSError as error:
        if error.errno not in _NO_DIRECT:
            raise
        return 0
    finally:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags)


def _after(pieces: list[memoryview], written: int) -> list[memoryview]:
    """What is left of the pieces when so many bytes of them are written."""
    for index, piece in enumerate(pieces):
        if written < len(piece):
            return [piece[written:], *pieces[index + 1 :]]
        written -= len(piece)
    return []


def _move_if_free(folder: int, temporary: str, name: str) -> None:
    """Give a file its name, if nobody has it: one step, so that of several who try one succeeds."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        rename_if_free(folder, temporary, name)  # FAT, exFAT, some FUSE filesystems
    else:
        os.unlink(temporary, dir_fd=folder)


def rename_if_free(folder: int, old: str, new: str) -> None:
    """renameat2(RENAME_NOREPLACE), which Python does not offer. NFS does not know it, but it has links."""
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    if renameat2(folder, os.fsencode(old), folder, os.fsencode(new), _RENAME_NOREPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), new)


def _remove_if_empty(folder: int, name: str) -> None:
    try:
        os.rmdir(name, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise


def _entries(folder: int, name: str, now: float) -> t.Iterator[Entry]:
    """One entry, or none for what is neither a file nor a folder."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:  # deleted meanwhile
        return
    age = max(0.0, now - found.st_mtime)
    if stat.S_ISDIR(found.st_mode):
        yield Entry(name, True, 0, age)
    elif stat.S_ISREG(found.st_mode):
        yield Entry(name, False, found.st_size, age)
