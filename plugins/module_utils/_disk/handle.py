# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. An open disk: exclusive, direct I/O, and certainly the one that was chosen."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
import time
import types
import typing as t

from .._errors import DiskChanged, DiskError, DiskInUse
from .facts import read_disk
from .model import Disk

_BLKRRPART = 0x125F
_FILE_ALIGNMENT = 4096  # enough for direct I/O on every filesystem
# udev takes the lock, or opens a partition, for a moment whenever it looks: it is not a reason to give up.
_PATIENCE = 3.0  # seconds


def aligned_buffer(size: int) -> memoryview:
    """A writable, zeroed buffer that direct I/O accepts."""
    return memoryview(mmap.mmap(-1, size))


def refuse_read_only(disk: Disk) -> None:
    """:raises DiskError: nobody can write to this disk."""
    if disk.read_only:
        raise DiskError(
            f"Disk {disk.path} is read-only. Release its write protection, or choose another disk.", disk=disk.path
        )


class DiskHandle:
    """Opens a disk that was chosen; a context manager. Reading and writing are safe from several threads.

    :param disk: as :func:`~.select.select` or :func:`~.facts.read_disk` gave it.
    :raises DiskInUse: somebody else has it.
    :raises DiskChanged: the path leads to another disk by now.
    :raises DiskError: it cannot be opened.
    """

    def __init__(self, disk: Disk, writable: bool) -> None:
        self.disk = disk
        self.size = disk.size
        self.writable = writable
        self.fd = -1  # direct I/O, where the filesystem below a plain file allows it
        self._plain_fd = -1  # for what direct I/O refuses: the odd end of a plain file, unaligned pieces
        self._alignment = _FILE_ALIGNMENT if disk.kind == "file" else disk.sector_size

    def __enter__(self) -> DiskHandle:
        found = self._look()
        if found.in_use:
            raise self._busy("; ".join(found.in_use))
        if self.writable:  # root may open a read-only device for writing, on some kernels
            refuse_read_only(found)
        try:
            self._open()
            self.check_identity()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self._close()

    def check_identity(self) -> None:
        """Is the open disk still the one that was chosen? To be asked again just before the first write.

        :raises DiskChanged: it is not.
        """
        found = self._look()
        info = os.fstat(self.fd)
        if stat.S_ISBLK(info.st_mode):
            opened = f"{os.major(info.st_rdev)}:{os.minor(info.st_rdev)}"
        else:
            opened = f"file:{info.st_dev}:{info.st_ino}"
        size = os.lseek(self._plain_fd, 0, os.SEEK_END)  # of a block device, too; nobody uses the position
        if opened != self.disk.device.partition("#")[0] or size != self.disk.size:
            raise self._changed(f"the open disk is {opened} with {size} bytes", found)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill the buffer from the disk. What lies beyond the disk's end reads as zeros.

        :raises DiskError: the disk does not give these bytes.
        """
        inside = max(0, min(len(buffer), self.size - offset))
        done = 0
        while done < inside:
            count = self._transfer(os.preadv, buffer[done:inside], offset + done)
            if not count:
                raise self._failed("read", offset + done, "it ended too early")
            done += count
        buffer[inside:] = bytes(len(buffer) - inside)

    def write_from(self, buffer: memoryview, offset: int) -> None:
        """Write the whole buffer to the disk.

        :raises DiskError: the disk does not take these bytes, or they reach beyond its end.
        """
        if offset < 0 or offset + len(buffer) > self.size:
            raise self._failed("written", offset, f"{len(buffer)} bytes there reach beyond its end")
        done = 0
        while done < len(buffer):
            done += self._transfer(os.pwritev, buffer[done:], offset + done)

    def sync(self) -> None:
        """Everything that was written is on the disk when this returns.

        :raises DiskError: it is not.
        """
        try:
            os.fsync(self._plain_fd)
            os.fsync(self.fd)
        except OSError as error:
            raise DiskError(
                f"Disk {self.disk.path} did not confirm what was written to it: {error.strerror}. It may be failing.",
                disk=self.disk.path,
            ) from error

    def reread_table(self) -> bool:
        """Tell the kernel that the partition table changed, where it reads partition tables.

        :returns: False if it still believes in the old one, because somebody has a partition of the disk open.
        :raises DiskError: the kernel cannot read the table.
        """
        if self.disk.kind == "file":
            return True
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.ioctl(self.fd, _BLKRRPART)
                return True
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTTY):
                    return True
                if error.errno != errno.EBUSY:
                    raise DiskError(
                        f"The kernel cannot read the new partition table of {self.disk.path}: {error.strerror}.",
                        disk=self.disk.path,
                    ) from error
                if time.monotonic() > deadline:
                    return False
            time.sleep(0.1)

    def _look(self) -> Disk:
        sector_size = self.disk.sector_size if self.disk.kind == "file" else None
        try:
            found = read_disk(self.disk.path, sector_size)
        except DiskError as error:
            raise DiskChanged(
                f"Disk {self.disk.path}, which was chosen, is gone: {error.message}", disk=self.disk.path
            ) from error
        if found.identity != self.disk.identity:
            raise self._changed("another disk answers there", found)
        return found

    def _open(self) -> None:
        mode = os.O_RDWR if self.writable else os.O_RDONLY
        exclusive = 0 if self.disk.kind == "file" else os.O_EXCL
        try:
            self.fd = self._open_direct(mode | exclusive | os.O_CLOEXEC)
            # A second O_EXCL of ours would be refused; through /proc it is surely the same node.
            self._plain_fd = os.open(f"/proc/self/fd/{self.fd}", mode | os.O_CLOEXEC)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise self._busy("another program or a mounted filesystem has it for itself") from error
            aim = "for writing" if self.writable else "for reading"
            raise DiskError(
                f"Disk {self.disk.path} cannot be opened {aim}: {error.strerror}.", disk=self.disk.path
            ) from error
        self._lock()

    def _open_direct(self, flags: int) -> int:
        try:
            return os.open(self.disk.path, flags | os.O_DIRECT)
        except OSError as error:
            if error.errno != errno.EINVAL:  # tmpfs and some network filesystems have no direct I/O
                raise
        return os.open(self.disk.path, flags)

    def _lock(self) -> None:
        """The lock that udev and systemd honour: see systemd's "Locking Block Device Access"."""
        deadline = time.monotonic() + _PATIENCE
        kind = fcntl.LOCK_EX if self.writable else fcntl.LOCK_SH
        while True:
            try:
                fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise self._busy("it is locked, perhaps by another capture or apply") from error
            time.sleep(0.1)

    def _close(self) -> None:
        for fd in (self._plain_fd, self.fd):
            if fd >= 0:
                os.close(fd)
        self.fd = self._plain_fd = -1

    def _transfer(self, call: t.Callable[[int, t.Any, int], int], piece: memoryview, offset: int) -> int:
        """One system call; through the page cache where direct I/O cannot serve the piece."""
        what = "read" if call is os.preadv else "written"
        direct = offset % self._alignment == 0 and len(piece) % self._alignment == 0
        try:
            if direct:
                try:
                    return call(self.fd, [piece], offset)
                except OSError as error:
                    if error.errno != errno.EINVAL:  # its memory is not aligned
                        raise
            return call(self._plain_fd, [piece], offset)
        except OSError as error:
            raise self._failed(what, offset, error.strerror or str(error)) from error

    def _busy(self, why: str) -> DiskInUse:
        return DiskInUse(
            f"Disk {self.disk.path} is in use: {why}. Unmount or release it, or boot the machine into the "
            "boot environment.",
            disk=self.disk.path,
        )

    def _changed(self, how: str, found: Disk) -> DiskChanged:
        return DiskChanged(
            f"Disk {self.disk.path} is not the one that was chosen: {how}. Chosen was {self.disk.identity}, "
            f"found is {found.identity}. Nothing more is written. Look at the machine's disks and start again.",
            disk=self.disk.path,
        )

    def _failed(self, what: str, offset: int, why: str) -> DiskError:
        return DiskError(
            f"Disk {self.disk.path} could not be {what} at byte {offset}: {why}. The disk may be failing.",
            disk=self.disk.path,
            offset=offset,
        )
