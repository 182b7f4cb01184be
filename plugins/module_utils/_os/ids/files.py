# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The files of a disk that name its ids.

They are known by their place in a filesystem, whatever system it belongs to: so a disk may hold several, and nothing
depends on an fstab that is just being changed.
"""

from __future__ import annotations

import fnmatch
import io
import re
import stat
import struct
import typing as t

from ..._errors import OsError
from ..beneath import Root
from . import grub, initramfs, windows
from .fat import Fat
from .names import Renaming

_UNITS = "/etc/systemd/system/*"
_FSTAB = "/etc/fstab"
_REGISTRY = "/Windows/System32/config/SYSTEM"
_CONFIGURATION = (
    _FSTAB,
    "/etc/crypttab",
    "/etc/cmdline.d/*",
    "/etc/default/grub",
    "/etc/default/grub.d/*",
    "/etc/dracut.conf",
    "/etc/dracut.conf.d/*",
    "/etc/grub.d/*",
    "/etc/initramfs-tools/conf.d/*",
    "/etc/initramfs-tools/initramfs.conf",
    "/etc/kernel/cmdline",
    "/etc/mkinitcpio.conf",
    "/etc/mkinitcpio.conf.d/*",
    _UNITS,
    "/etc/udev/rules.d/*",
)
# Where /boot is a filesystem of its own, and where it is not.
_BOOT = (
    "/grub/*.cfg",
    "/grub/*/load.cfg",
    "/grub/grubenv",
    "/grub/menu.lst",
    "/grub2/*.cfg",
    "/grub2/*/load.cfg",
    "/grub2/grubenv",
    "/loader/*.conf",
    "/loader/entries/*.conf",
    "/extlinux/*.conf",
    "/syslinux/*.cfg",
    "/refind_linux.conf",
    "/EFI/*/*.cfg",
    "/EFI/*/*.conf",
    "/EFI/*/grubenv",
    "/EFI/*/*/*.conf",
)
_CORES = ("/grub/i386-pc/core.img", "/grub2/i386-pc/core.img")
_PROGRAMS = ("/EFI/*/*.efi", "/grub/*/core.efi", "/grub/*/grub.efi", "/grub2/*/core.efi", "/grub2/*/grub.efi")
_RAMDISKS = ("/initrd*", "/initramfs*", "/*/*/initrd*")
_LEFT_BEHIND = ("*.bak", "*.old-dkms", "*.dpkg-*")  # nobody starts these, and nobody makes them anew
_BCD = ("/EFI/Microsoft/Boot/BCD", "/Boot/BCD")
_FALLBACKS = ("/EFI/BOOT/BOOT*.EFI",)
_RECOVERY = ("/Windows/System32/Recovery/ReAgent.xml", "/Recovery/WindowsRE/ReAgent.xml")
_MOST = 512 << 20  # of a kernel with its initramfs in one file
_MOST_TEXT = 4 << 20
_NAMED = re.compile(
    r"""^[ \t]*(?:(?:PART)?UUID="?|/dev/disk/by-(?:part)?uuid/)([0-9A-Za-z-]+)""", re.MULTILINE | re.IGNORECASE
)
# In the optional header of a program, of 32 and of 64 bits: where its signatures are, and how long.
_SIGNATURES_AT = {0x10B: 0x80, 0x20B: 0x90}

_Renamed = t.Callable[[str, bytes, Renaming], bytes]


class Files:
    """The files of one filesystem, in whatever folder of it a system's own root is.

    :param name: what messages call it.
    :param tops: folders that may be the root of a system.
    :param esp: it is what a UEFI starts from.
    """

    def __init__(self, name: str, tree: Root | Fat, tops: t.Sequence[str] = ("",), esp: bool = False) -> None:
        self.name = name
        self.tree = tree
        self.esp = esp
        self._tops = tops
        self._boots = [f"{top}{folder}" for top in tops for folder in ("", "/boot")]

    def rename(self, names: Renaming, write: bool) -> list[str]:
        """Put new ids in the place of the old ones.

        :returns: the files that are changed by that.
        :raises OsError: one cannot be.
        """
        changed = []
        for path, most, renamed in self._each() if names else ():
            before = self._read(path, most)
            after = renamed(path, before, names)
            if after != before:
                changed.append(path)
                if write:
                    self._write(path, after)
        if names and isinstance(self.tree, Root) and self.tree.windows and self.tree.exists(_REGISTRY):
            changed += [_REGISTRY] if windows.rename_drives(self.tree, names, write) else []
        self._refuse_units(names)
        return changed

    def ramdisks_naming(self, names: Renaming) -> dict[str, bool]:
        """The initramfs files that name an old id, or may; and whether they surely do."""
        found: dict[str, bool] = {}
        for path in self._found(self._boots, _RAMDISKS) if names else ():
            if not any(fnmatch.fnmatchcase(path, each) for each in _LEFT_BEHIND):
                says = initramfs.names_in(self._read(path, _MOST), names)
                found.update({} if says is False else {path: bool(says)})
        return found

    def named(self) -> set[str]:
        """The ids of filesystems and partitions in each fstab."""
        texts = [self._read(path, _MOST_TEXT).decode("latin-1") for path in self._found(self._tops, (_FSTAB,))]
        return {each.lower() for text in texts for each in _NAMED.findall(text)}

    def boot_configurations(self) -> list[tuple[str, bytes]]:
        """Those of Windows."""
        return [(path, self._read(path, _MOST_TEXT)) for path in self._found(self._boots, _BCD)]

    def starts_by_itself(self) -> bool:
        """Whether a firmware that knows nothing of this disk finds what to start."""
        return bool(self._found(("",), _FALLBACKS))

    def _each(self) -> t.Iterator[tuple[str, int, _Renamed]]:
        kinds: tuple[tuple[t.Iterable[str], t.Iterable[str], int, _Renamed], ...] = (
            (self._tops, _CONFIGURATION, _MOST_TEXT, lambda _path, data, names: names.text(data)),
            (self._boots, _BOOT, _MOST_TEXT, lambda _path, data, names: names.text(data)),
            (self._boots, _CORES, _MOST_TEXT, lambda _path, data, names: grub.renamed_file(data, names)),
            (self._boots, _PROGRAMS, _MOST, _renamed_program),
            (self._boots, _BCD, _MOST_TEXT, lambda _path, data, names: windows.renamed(data, names)),
            (self._tops, _RECOVERY, _MOST_TEXT, lambda _path, data, names: windows.renamed_information(data, names)),
        )
        for tops, patterns, most, renamed in kinds:
            for path in self._found(tops, patterns):
                yield path, most, renamed

    def _found(self, tops: t.Iterable[str], patterns: t.Iterable[str]) -> list[str]:
        every = [f"{top}{pattern}" for top in tops for pattern in patterns]
        if isinstance(self.tree, Fat):
            files = self.tree.files
            found = [path for each in every for path in files if _fits(path, each)]
        else:
            found = [path for each in every for path in _expanded(self.tree, each)]
        return list(dict.fromkeys(found))

    def _read(self, path: str, most: int) -> bytes:
        return self.tree.read(path, most) or b""

    def _write(self, path: str, data: bytes) -> None:
        if isinstance(self.tree, Root):
            self.tree.put(path, io.BytesIO(data), keep=True)
        else:
            self.tree.write(path, data)

    def _refuse_units(self, names: Renaming) -> None:
        for path in self._found(self._tops, (_UNITS,)):
            if names.named_in(path.encode()):
                raise OsError(
                    f"{path} of the deployed system has an id of this disk in its own name. Have it in the fstab "
                    "instead, or under a label.",
                    path=path,
                )


def _renamed_program(path: str, data: bytes, names: Renaming) -> bytes:
    after = names.text(data)
    if after != data and _is_signed(data):
        raise OsError(
            f"{path} on a boot partition names an id of this disk, and is signed, so that it must not be changed. "
            "Nothing was changed. Leave the ids of this disk as they are.",
            path=path,
        )
    return after


def _is_signed(program: bytes) -> bool:
    try:
        header = struct.unpack_from("<I", program, 0x3C)[0] + 24
        table = header + _SIGNATURES_AT[struct.unpack_from("<H", program, header)[0]]
        return bool(struct.unpack_from("<I", program, table + 4)[0])
    except (struct.error, KeyError):  # it is no program
        return False


def _fits(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path.lower(), pattern.lower())


def _expanded(root: Root, pattern: str) -> list[str]:
    """Files; of those that a star stands for, plain ones that are no links."""
    *folders, name = pattern.split("/")[1:]
    places = [""]
    for part in folders:
        places = [each for place in places for each in _entries(root, place, part) if _is(stat.S_ISDIR, root, each)]
    return [
        each
        for place in places
        for each in _entries(root, place, name)
        if "*" not in name or (_is(stat.S_ISREG, root, each) and root.link_target(each) is None)
    ]


def _entries(root: Root, folder: str, part: str) -> list[str]:
    if "*" in part:
        return [f"{folder}/{each}" for each in root.names(folder or "/") if fnmatch.fnmatchcase(each, part)]
    return [f"{folder}/{part}"] if root.exists(f"{folder}/{part}") else []


def _is(kind: t.Callable[[int], bool], root: Root, path: str) -> bool:
    info = root.info(path)
    return bool(info and kind(info.st_mode))
