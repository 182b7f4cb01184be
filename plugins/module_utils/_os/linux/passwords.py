# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Hashes of passwords as /etc/shadow has them, by the library that PAM itself uses: libxcrypt."""

from __future__ import annotations

import ctypes
import re
import typing as t

from ..._errors import LibraryMissing, OsError, UsageError

YESCRYPT, SHA512 = "$y$", "$6$"
_EFFORT = {YESCRYPT: 0, SHA512: 100_000}  # 0: what the library takes for right
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2")
_LONGEST = 511  # bytes that the library takes
# An image may have one that takes days, or all memory.
_OF_OURS = re.compile(r"\$6\$(?:rounds=[0-9]{1,6}\$)?(?!rounds=)|\$y\$j[./0-9A]T\$")
_HASH = re.compile(r"\$[a-z0-9]{1,8}\$[\x21-\x39\x3b-\x7e]{8,}|[!*]+")


def scheme_for(pam: str) -> str:
    """The hash for a system.

    :param pam: how it hashes the passwords that are set on it: the text of its PAM configuration.
    """
    return YESCRYPT if re.search(r"^[^#\n]*pam_unix\.so[^#\n]*\byescrypt\b", pam, re.MULTILINE) else SHA512


def hashed(password: str, scheme: str) -> str:
    """:raises UsageError: this cannot be a password.
    :raises LibraryMissing: libxcrypt is not installed.
    """
    library = _library()
    setting = library.crypt_gensalt(scheme.encode(), _EFFORT[scheme], None, 0)
    found = _crypt(library, password, setting) if setting else None
    if found is None:
        raise OsError(f"The library libcrypt of this machine cannot make hashes of the kind {scheme}.")
    return found


def fits(password: str, known: str) -> bool:
    """Whether a hash is of this password; not where it is of another kind, or takes longer than ours."""
    if not _OF_OURS.match(known):
        return False
    return _crypt(_library(), password, known.encode("utf-8", "surrogateescape")) == known


def check_password(password: str) -> None:
    """:raises UsageError: nobody could log in with it."""
    if (
        not password
        or len(password.encode("utf-8", "surrogateescape")) > _LONGEST
        or re.search(r"[\x00-\x1f\x7f]", password)
    ):
        raise UsageError(f"The password is empty, longer than {_LONGEST} bytes, or has control characters.")


def check_hash(value: str) -> None:
    """:raises UsageError: it is none, such as the password itself."""
    if not _HASH.fullmatch(value):
        raise UsageError("The password_hash is none as /etc/shadow has them. Make one with: mkpasswd -m yescrypt")


def _crypt(library: t.Any, password: str, setting: bytes) -> str | None:
    found = library.crypt(password.encode("utf-8", "surrogateescape"), setting)
    # So it says that it cannot.
    return None if not found or found.startswith(b"*") else str(found, "ascii", "replace")


def _library() -> t.Any:
    for name in _LIBRARIES:
        try:
            library = ctypes.CDLL(name)
            library.crypt.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
            library.crypt_gensalt.argtypes = [ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_int]
        except (OSError, AttributeError):  # not there, or one without crypt_gensalt()
            continue
        library.crypt.restype = library.crypt_gensalt.restype = ctypes.c_char_p
        return library
    raise LibraryMissing(
        "Passwords cannot be hashed on this machine: it has no libxcrypt. Install the package 'libcrypt1', or give "
        "password_hash."
    )
