# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Distinguished names of Active Directory, as far as computers need them. Pure."""

from __future__ import annotations

import re

from .._errors import UsageError
from .._os.hostnames import check_hostname

_PART = re.compile(r"\s*[A-Za-z][A-Za-z0-9-]*\s*=(?:[^,+\"\\<>;=\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])+")


def check_domain(name: str) -> str:
    """The DNS name of a domain, in lower case.

    :raises UsageError: it is none.
    """
    check_hostname(name)
    if "." not in name:
        raise UsageError(f"{name!r} has no dot. Give the DNS name of the domain, such as lab.example.")
    return name.lower()


def base_of(domain: str) -> str:
    """What the names of all that is in a domain end in."""
    return ",".join(f"DC={label}" for label in domain.split("."))


def check_ou(dn: str, domain: str) -> str:
    """The distinguished name of a folder of a domain, without needless spaces.

    :raises UsageError: it is none, or of another domain.
    """
    parts = _parts(dn)
    if not all(_PART.fullmatch(part) for part in parts):
        raise UsageError(f"{dn!r} is no distinguished name. Write it as OU=Lab A,{base_of(domain)}.")
    clean = ",".join(part.strip() for part in parts)
    if not clean.casefold().endswith(f",{base_of(domain)}".casefold()):
        raise UsageError(f"{dn!r} is not in the domain {domain}: it does not end in {base_of(domain)}.")
    return clean


def parent_of(dn: str) -> str:
    """The folder that something is in."""
    return ",".join(_parts(dn)[1:])


def same(one: str, other: str) -> bool:
    """Whether two distinguished names mean the same, however each writes it."""
    return _plain(one) == _plain(other)


def _plain(dn: str) -> list[str]:
    return ["=".join(_unescaped(word.strip()) for word in part.split("=", 1)).casefold() for part in _parts(dn)]


def _unescaped(text: str) -> str:
    """RFC 4514: a character, or a byte of UTF-8 in hexadecimal digits, after a backslash."""
    plain = re.sub(rb"\\([0-9A-Fa-f]{2}|.)", lambda found: _meant(found[1]), text.encode())
    return plain.decode("utf-8", "replace")


def _meant(escaped: bytes) -> bytes:
    return escaped if len(escaped) == 1 else bytes.fromhex(escaped.decode("ascii"))


def _parts(dn: str) -> list[str]:
    return re.findall(r"(?:^|,)((?:\\.|[^,])*)", dn)
