# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The one family of exceptions: what failed, where, and what to do about it."""

from __future__ import annotations

import typing as t

from ._fields import plain


class GoldenError(Exception):
    """Base of everything this collection raises on purpose.

    :param message: one or two sentences for a person: what failed, on which disk or store, and what to do. It may quote
        what a program, a disk or another machine said.
    :param facts: JSON-serialisable details; a module adds them to its result.
    """

    def __init__(self, message: str, **facts: t.Any) -> None:
        self.message = plain(message)
        super().__init__(self.message)
        self.facts = facts


class UsageError(GoldenError):
    """What the user asked for makes no sense."""


class ToolMissing(GoldenError):
    """A program that is needed is not installed."""


class ToolFailed(GoldenError):
    """A program ended with an error. Facts: ``cmd``, ``rc``, ``stderr``."""


class LibraryMissing(GoldenError):
    """A Python library that is needed is not installed for this interpreter."""


class DiskError(GoldenError):
    """Something about a disk. Fact: ``disk``."""


class NoDiskMatches(DiskError):
    """No disk fits the hint. Fact: ``candidates``."""


class SeveralDisksMatch(DiskError):
    """More than one disk fits the hint. Fact: ``candidates``."""


class DiskInUse(DiskError):
    """The disk is mounted, held by LVM, RAID, LUKS or swap, or opened exclusively by somebody."""


class DiskChanged(DiskError):
    """The opened disk is not the one that was chosen."""


class DiskNotEmpty(DiskError):
    """The disk holds something and nobody said to erase it. Fact: ``contents``."""


class DiskTooSmall(DiskError):
    """The image does not fit. Facts: ``size``, ``needed`` in bytes."""


class SectorSizeDiffers(DiskError):
    """Image and disk have different logical sector sizes."""


class FilesystemUnfit(DiskError):
    """A filesystem cannot be captured as it is. Facts: ``disk``, ``partition``, ``filesystem``, ``reason``."""


class StoreError(GoldenError):
    """Something about a store. Fact: ``store``."""


class StoreUnreachable(StoreError):
    """No connection, or it broke and retries did not help."""


class StoreRefused(StoreError):
    """Credentials are missing or wrong, or the path may not be written."""


class StoreFull(StoreError):
    """No space left."""


class NotInStore(StoreError):
    """There is no such object."""


class AlreadyInStore(StoreError):
    """There is such an object already."""


class StoreBroken(StoreError):
    """The store answered, but not with what it should hold."""


class ImageError(GoldenError):
    """Something about an image. Fact: ``image``."""


class ImageNotFound(ImageError):
    """No such image, version or tag."""


class ImageExists(ImageError):
    """This version is there already."""


class ImageBusy(ImageError):
    """Somebody else is capturing this version, or pruning this store, right now."""


class ImageDamaged(ImageError):
    """A manifest, index, pack or chunk is not what it says it is."""


class ImageUnsupported(ImageError):
    """The image was made by a newer format version or holds something we do not know."""


class JobError(GoldenError):
    """Something about a job: gone, died, belongs to somebody else."""


class NetbootError(GoldenError):
    """Something about network boot. Facts: ``mac``, ``entry``."""


class NetbootDamaged(NetbootError):
    """A file of the imaging server about one boot cannot be understood."""


class NetbootUnreachable(NetbootError):
    """The imaging server does not answer. What goes on there, nobody knows."""


class NetbootRefused(NetbootError):
    """A check-in that does not count. The machine is not told why."""


class PowerError(GoldenError):
    """A machine's power or boot device is not as it should be. Facts: ``provider``, ``address``."""


class PowerRefused(PowerError):
    """The management controller, or the machine, does not accept the credentials."""


class PowerUnsupported(PowerError):
    """This provider cannot do that."""


class PowerIgnored(PowerError):
    """What was asked for did not happen in time. Fact: ``seen``."""


class OsError(GoldenError):
    """Something about the operating system on a deployed disk. Facts: ``disk``, ``path``."""


class DomainError(GoldenError):
    """Something about an Active Directory domain. Facts: ``domain``, ``server``, ``dn``, ``ou``."""


class DomainRefused(DomainError):
    """The domain does not accept the credentials."""


class DomainForbidden(DomainError):
    """The credentials are good, but do not allow that."""


class DomainUnreachable(DomainError):
    """No domain controller answers."""


class ComputerExists(DomainError):
    """There is an account of this name already, and it is not to be reused. Fact: ``exists``."""
