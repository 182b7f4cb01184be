# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Files beneath the root of a deployed system, which is untrusted: its links never lead out of it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import secrets
import shutil
import stat
import typing as t

from .._errors import OsError
from . import acl
from .ntfs_names import folded

_PIECE = 1 << 20
_MOST_LINKS = 40  # as the kernel has it
_SELINUX = "security.selinux"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Opening a fifo for reading would wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Root:
    """The root directory of a mounted system. Paths are absolute, as that system sees them.

    Links are followed as that system would follow them: an absolute one starts at this root, and ``..`` ends there.
    Each step is taken from an open directory, so that nothing depends on what a name means a moment later.

    A Windows takes ``windows`` and ``Windows`` for the same name, and so do we there: what exists keeps its name, and
    two names that differ in nothing else are an error. Its links are not followed, because nobody else has them where
    we write. What we put there belongs to administrators and to the system alone.

    :raises OsError: by all methods, where something is in the way or cannot be read or written.
    """

    def __init__(self, path: str, windows: bool = False) -> None:
        self.path = path
        self.windows = windows

    def read(self, path: str, most: int = 1 << 20) -> bytes | None:
        """A plain file; None if there is none.

        :param most: bytes; a longer file is an error.
        """
        with self.opened(path) as file:
            data = file.read(most + 1) if file else None
        if data is not None and len(data) > most:
            raise OsError(f"{path} of the deployed system has more than {most} bytes.", path=path)
        return data

    @contextlib.contextmanager
    def opened(self, path: str) -> t.Iterator[t.BinaryIO | None]:
        """A plain file, to be read; None if there is none."""
        with self._errors(path):
            try:
                with self._folder_of(path) as (folder, name):
                    fd = os.open(name, _FILE, dir_fd=folder)
            except FileNotFoundError:
                yield None
                return
            try:
                _refuse_odd(os.fstat(fd), path)
                with open(fd, "rb", closefd=False) as file:
                    yield file
            finally:
                os.close(fd)

    def write(self, path: str, data: bytes, mode: int | None = None, owner: tuple[int, int] | None = None) -> None:
        """Put a file there, all of it or nothing. Missing folders are made.

        :param mode: by default that of the file before, or 0644.
        :param owner: user and group id; by default those of the file before, or root.
        """
        self.put(path, io.BytesIO(data), mode, owner)

    def put(
        self,
        path: str,
        source: t.BinaryIO,
        mode: int | None = None,
        owner: tuple[int, int] | None = None,
        readable: bool = False,
        keep: bool = False,
    ) -> None:
        """As write(), of a file that may be large.

        :param readable: on Windows: by all users.
        :param keep: on Windows: what is there before keeps its security descriptor and its attributes.
        """
        with self._errors(path), self._folder_of(path, make=True) as (folder, name):
            before = _plain(folder, name, path)
            temporary = f".golden-{secrets.token_hex(8)}"
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
            try:
                with open(fd, "wb") as file:
                    if self.windows and keep and before:
                        _inherit(fd, folder, name)
                    elif self.windows:
                        os.setxattr(fd, acl.ATTRIBUTE, acl.READABLE if readable else acl.PRIVATE)
                    else:
                        _protect(fd, before, mode, owner)
                        _label(fd, folder, name)
                    shutil.copyfileobj(source, file, _PIECE)
                    file.flush()
                    os.fsync(fd)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def folder(
        self,
        path: str,
        mode: int | None = 0o755,
        owner: tuple[int, int] | None = (0, 0),
        readable: bool | None = None,
    ) -> bool:
        """Make a folder, and those above it; one that exists gets mode and owner, too.

        :param mode: None: that of a folder that exists is left as it is. So with ``owner``.
        :param readable: on Windows: by all users; None: a new folder is private, another is left as it is.
        :returns: whether anything has changed.
        """
        with self._errors(path), self._folder_of(path, make=True) as (above, name):
            made = False
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=above)
                made = True
            fd = os.open(name, _DIRECTORY, dir_fd=above)
            try:
                if self.windows:
                    return _admit(fd, made, readable)
                info = os.fstat(fd)
                has = (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)
                left = (0o755, 0, 0) if made else has
                wanted = (left[0] if mode is None else mode, *(left[1:] if owner is None else owner))
                if has == wanted:
                    return made
                os.fchown(fd, *wanted[1:])
                os.fchmod(fd, wanted[0])
                return True
            finally:
                os.close(fd)

    def link(self, path: str, target: str, owner: tuple[int, int] = (0, 0)) -> bool:
        """A symbolic link; what is there before must be a link, or a plain file.

        :param owner: of a new one.
        :returns: whether anything has changed.
        """
        with self._errors(path), self._holder_of(path, make=True) as (folder, name):
            with contextlib.suppress(OSError):
                if os.readlink(name, dir_fd=folder) == target:
                    return False
            temporary = f".golden-{secrets.token_hex(8)}"
            os.symlink(target, temporary, dir_fd=folder)
            try:
                os.chown(temporary, *owner, dir_fd=folder, follow_symlinks=False)
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            return True

    def move(self, path: str, name: str) -> None:
        """Give what is there another name in the same folder; nothing may be there before, but an empty folder."""
        with self._errors(path), self._holder_of(path) as (folder, old):
            os.rename(old, name, src_dir_fd=folder, dst_dir_fd=folder)

    @contextlib.contextmanager
    def locked(self, path: str) -> t.Iterator[None]:
        """Wait until nobody else holds the lock that this file is to programs of that system, and hold it."""
        with self._errors(path), self._folder_of(path) as (folder, name):
            _plain(folder, name, path)
            fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX)
                yield
            finally:
                os.close(fd)

    def info(self, path: str) -> os.stat_result | None:
        """Of a file or folder, where its path is a link, too; None if there is none."""
        with self._errors(path), contextlib.suppress(FileNotFoundError), self._folder_of(path) as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        return None

    def remove(self, path: str) -> None:
        """Take a plain file away. Nothing if there is none."""
        with self._errors(path), contextlib.suppress(FileNotFoundError), self._folder_of(path) as (folder, name):
            _plain(folder, name, path)
            os.unlink(name, dir_fd=folder)

    def remove_all(self, path: str) -> bool:
        """Take away what is there: a file, a link (not what it leads to), a folder with all that is in it.

        :returns: whether there was anything.
        """
        with self._errors(path), contextlib.suppress(FileNotFoundError), self._holder_of(path) as (folder, name):
            if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=folder)
            else:
                # It opens each folder from the one above, and follows no link.
                shutil.rmtree(f"/proc/self/fd/{folder}/{name}")
            return True
        return False

    def link_target(self, path: str) -> str | None:
        """Where a symbolic link leads; None if there is none."""
        with self._errors(path), contextlib.suppress(FileNotFoundError), self._holder_of(path) as (folder, name):
            if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                return os.readlink(name, dir_fd=folder)
        return None

    def descriptor(self, path: str) -> bytes:
        """The security descriptor of a file or folder on NTFS; nothing where it has none."""
        with self._errors(path), self._folder_of(path) as (folder, name):
            fd = os.open(name, _FILE, dir_fd=folder)
            try:
                return _descriptor(fd)
            finally:
                os.close(fd)

    def names(self, path: str) -> list[str]:
        """What is in a folder, in order; nothing if there is no such folder."""
        with self._errors(path), contextlib.suppress(FileNotFoundError), self._folder_of(f"{path}/.") as (folder, _dot):
            return sorted(os.listdir(folder))
        return []

    def place(self, path: str, make: bool = False) -> str | None:
        """Where a folder lies, as the running system sees it, without any link; None if there is none.

        :param make: make it where there is none.
        """
        folder_of = self._folder_of(f"{path}/.", make)
        with self._errors(path), contextlib.suppress(FileNotFoundError), folder_of as (folder, _dot):
            return os.readlink(f"/proc/self/fd/{folder}")
        return None

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return self.info(path) is not None

    @contextlib.contextmanager
    def _folder_of(self, path: str, make: bool = False) -> t.Iterator[tuple[int, str]]:
        """The open directory of what a path means, where its last part is a link, too, and the name there."""
        walk = _Walk(self, make)
        try:
            yield walk.to(path)
        finally:
            walk.close()

    @contextlib.contextmanager
    def _holder_of(self, path: str, make: bool = False) -> t.Iterator[tuple[int, str]]:
        """The open directory of a path itself, also where its last part is a link, and the name there."""
        parts = _parts(path)
        if not parts or parts[-1] in {".", ".."}:
            raise OsError(f"{path} of the deployed system names no entry of a folder.", path=path)
        walk = _Walk(self, make)
        try:
            folder, _dot = walk.to("/".join([*parts[:-1], "."]))
            yield folder, walk.stored(parts[-1])
        finally:
            walk.close()

    @contextlib.contextmanager
    def _errors(self, path: str) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OsError(f"{path} of the deployed system: {os.strerror(error.errno or 0)}.", path=path) from error


class _Walk:
    """A way through a tree, as the open directories from its root to here."""

    def __init__(self, root: Root, make: bool) -> None:
        self._open = [os.open(root.path, _DIRECTORY)]
        self._windows = root.windows
        self._make = make
        self._links = 0

    def to(self, path: str) -> tuple[int, str]:
        """The open directory that holds what the path means, and its name there."""
        todo = _parts(path)
        name = "."
        while todo:
            name = self.stored(todo.pop(0))
            if name in {".", ".."}:
                self._up(len(name) - 1)
                name = "."
            elif (link := self._link(name)) is not None:
                self._up(len(self._open) if link.startswith("/") else 0)
                todo[:0] = _parts(link)
                name = "."
            elif todo:
                self._down(name)
        return self._open[-1], name

    def close(self) -> None:
        for fd in self._open:
            os.close(fd)

    def stored(self, name: str) -> str:
        """As the folder that was reached has it."""
        if not self._windows or name in {".", ".."}:
            return name
        found = [each for each in os.listdir(self._open[-1]) if folded(each) == folded(name)]
        if len(found) > 1:
            raise OsError(f"The deployed system has two names that Windows cannot tell apart: {' and '.join(found)}.")
        return found[0] if found else name

    def _up(self, levels: int) -> None:
        for _each in range(min(levels, len(self._open) - 1)):
            os.close(self._open.pop())

    def _link(self, name: str) -> str | None:
        try:
            target = os.readlink(name, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # no link, or nothing at all
                return None
            raise
        self._links += 1
        if self._windows or self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return target

    def _down(self, name: str) -> None:
        try:
            self._open.append(os.open(name, _DIRECTORY, dir_fd=self._open[-1]))
        except FileNotFoundError:
            if not self._make:
                raise
            os.mkdir(name, 0o755, dir_fd=self._open[-1])
            self._open.append(os.open(name, _DIRECTORY, dir_fd=self._open[-1]))
            if self._windows:
                os.setxattr(self._open[-1], acl.ATTRIBUTE, acl.PRIVATE)
            else:
                os.fchmod(self._open[-1], 0o755)  # the umask has had its say


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _protect(fd: int, before: os.stat_result | None, mode: int | None, owner: tuple[int, int] | None) -> None:
    if owner or before:
        os.fchown(fd, *(owner or (before.st_uid, before.st_gid)))  # type: ignore[union-attr]
    os.fchmod(fd, stat.S_IMODE(before.st_mode) if mode is None and before else 0o644 if mode is None else mode)


def _label(fd: int, folder: int, name: str) -> None:
    """Give a file the SELinux label of the one before it; without one, nothing may read it until all is relabelled."""
    with contextlib.suppress(OSError):  # nothing was there, or it has no label
        os.setxattr(fd, _SELINUX, os.getxattr(f"/proc/self/fd/{folder}/{name}", _SELINUX, follow_symlinks=False))


def _admit(fd: int, made: bool, readable: bool | None) -> bool:
    """Let administrators, or all users, into a folder of a Windows; whether anything has changed."""
    wanted = acl.READABLE if readable else acl.PRIVATE
    if made or (readable is not None and _descriptor(fd) != wanted):
        os.setxattr(fd, acl.ATTRIBUTE, wanted)
        return True
    return False


def _descriptor(fd: int) -> bytes:
    try:
        return acl.read(fd)
    except OSError:
        return b""


def _inherit(fd: int, folder: int, name: str) -> None:
    """Protect a file of a Windows as the one that it will replace."""
    before = os.open(name, _FILE, dir_fd=folder)
    try:
        acl.copy(before, fd)
    finally:
        os.close(before)


def _plain(folder: int, name: str, path: str) -> os.stat_result | None:
    """What is there before, which must be a plain file: a fifo or folder is somebody's trap, or a mistake."""
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    _refuse_odd(info, path)
    return info


def _refuse_odd(info: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise OsError(f"{path} of the deployed system is no plain file.", path=path)
