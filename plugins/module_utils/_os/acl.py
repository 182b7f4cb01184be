# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Who may do what with a file on NTFS, as ntfs-3g takes it: a security descriptor, self-relative.

What ntfs-3g makes without one is open to everybody. The layout is Microsoft's MS-DTYP, sections 2.4.2 to 2.4.6.
"""

from __future__ import annotations

import ctypes
import os
import struct

ATTRIBUTE = "system.ntfs_acl"
_FLAGS = "system.ntfs_attrib"  # hidden, system, and so on
_LONGEST = 1 << 16

_SYSTEM = (5, (18,))  # S-1-5-18
_ADMINISTRATORS = (5, (32, 544))
_USERS = (5, (32, 545))
_ALL = 0x001F01FF
_READ_AND_RUN = 0x001200A9
_INHERIT = 0x03  # by files and folders
_SELF_RELATIVE, _DACL_PRESENT, _DACL_PROTECTED = 0x8000, 0x0004, 0x1000

Sid = tuple[int, tuple[int, ...]]


def _sid(sid: Sid) -> bytes:
    authority, parts = sid
    return struct.pack("<BB", 1, len(parts)) + authority.to_bytes(6, "big") + struct.pack(f"<{len(parts)}I", *parts)


def _allow(sid: Sid, rights: int) -> bytes:
    body = struct.pack("<I", rights) + _sid(sid)
    return struct.pack("<BBH", 0, _INHERIT, 4 + len(body)) + body


def _descriptor(*entries: bytes) -> bytes:
    """Owned by Administrators, group SYSTEM, with these entries and none from the folder above."""
    owner, group = _sid(_ADMINISTRATORS), _sid(_SYSTEM)
    body = b"".join(entries)
    dacl = struct.pack("<BBHHH", 2, 0, 8 + len(body), len(entries), 0) + body
    control = _SELF_RELATIVE | _DACL_PRESENT | _DACL_PROTECTED
    at = 20
    header = struct.pack("<BBHIIII", 1, 0, control, at, at + len(owner), 0, at + len(owner) + len(group))
    return header + owner + group + dacl


PRIVATE = _descriptor(_allow(_SYSTEM, _ALL), _allow(_ADMINISTRATORS, _ALL))
READABLE = _descriptor(_allow(_SYSTEM, _ALL), _allow(_ADMINISTRATORS, _ALL), _allow(_USERS, _READ_AND_RUN))


def read(fd: int) -> bytes:
    """The security descriptor of an open file or folder.

    Not by os.getxattr(): that tries with a short buffer first, for which ntfs-3g has another error than all others.

    :raises OSError: there is none.
    """
    buffer = ctypes.create_string_buffer(_LONGEST)
    get = ctypes.CDLL(None, use_errno=True).fgetxattr
    get.restype, get.argtypes = ctypes.c_ssize_t, (ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
    length = get(fd, ATTRIBUTE.encode(), buffer, _LONGEST)
    if length < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return buffer.raw[:length]


def copy(source: int, target: int) -> None:
    """Give an open file the security descriptor and the attributes of another."""
    os.setxattr(target, ATTRIBUTE, read(source))
    os.setxattr(target, _FLAGS, os.getxattr(source, _FLAGS))
