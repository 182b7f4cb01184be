# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The locales that a deployed Linux has, or can generate."""

from __future__ import annotations

import re
import struct
import typing as t

from ..beneath import Root

GENERATE: t.Final = "/etc/locale.gen"
_SUPPORTED = "/usr/share/i18n/SUPPORTED"
_GENERATORS = ("/usr/sbin/locale-gen", "/usr/bin/locale-gen")
_FOLDERS = ("/usr/lib/locale", "/usr/lib64/locale")
_ALWAYS = {"C", "POSIX", "C.utf8"}
_NAME = re.compile(r"(?P<place>C|POSIX|[a-z]{2,3}_[A-Z]{2})(?P<codes>\.[A-Za-z0-9-]{1,20})?(?P<kind>@[a-z]{1,20})?")
# The head of glibc's locarchive.h: a magic number, then 13 others of 32 bits; the names lie together.
_HEAD = struct.Struct("<14I")
_MAGIC = 0xDE020109
_MOST_NAMES = 1 << 20


def full_name(name: str) -> str | None:
    """With its character set, which is UTF-8 where none is said; None if it cannot be a locale."""
    found = _NAME.fullmatch(name)
    if not found:
        return None
    codes = found["codes"] or ("" if found["place"] == "POSIX" or name == "C" else ".UTF-8")
    return f"{found['place']}{codes}{found['kind'] or ''}"


def is_there(root: Root, name: str) -> bool:
    """Whether programs can use it at once."""
    wanted = _stored(name)
    if wanted in _ALWAYS:
        return True
    for folder in _FOLDERS:
        if any(_stored(each) == wanted for each in root.names(folder)):
            return True
        with root.opened(f"{folder}/locale-archive") as file:
            if file and wanted.encode() in _names_in(file):
                return True
    return False


def generator(root: Root) -> str | None:
    """The program that makes locales as /etc/locale.gen says."""
    return next((path for path in _GENERATORS if root.exists(path)), None) if root.exists(GENERATE) else None


def charset_of(root: Root, name: str) -> str | None:
    """By which locale.gen knows it; None if it cannot be generated."""
    text = (root.read(_SUPPORTED) or b"").decode("utf-8", "replace")
    known = {words[0]: words[1] for words in map(str.split, text.splitlines()) if len(words) == 2}
    return known.get(name)


def with_locale(text: str, name: str, charset: str) -> str:
    """The text of locale.gen with this one among those that are generated."""
    lines = text.split("\n")
    if any(line.split() == [name, charset] for line in lines):
        return text
    for number, line in enumerate(lines):
        if line.startswith("#") and line[1:].split() == [name, charset]:
            lines[number] = f"{name} {charset}"
            return "\n".join(lines)
    body = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{body}{name} {charset}\n"


def _stored(name: str) -> str:
    """As glibc calls what it has stored: the character set in small letters and digits."""
    found = _NAME.fullmatch(name)
    if not found:
        return name
    codes = re.sub(r"[^a-z0-9]", "", (found["codes"] or "").lower())
    return f"{found['place']}{'.' if codes else ''}{codes}{found['kind'] or ''}"


def _names_in(file: t.BinaryIO) -> set[bytes]:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return set()
    magic, _serial, _hash, _used, _size, start, used, *_rest = _HEAD.unpack(head)
    if magic != _MAGIC or used > _MOST_NAMES:
        return set()
    file.seek(start)
    return set(file.read(used).split(b"\0"))
