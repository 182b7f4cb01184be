# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Users and groups by name, as the deployed system has them: this one's mean nothing there."""

from __future__ import annotations

from .._errors import OsError
from .beneath import Root
from .linux.records import is_number

_MOST = 16 << 20  # bytes of a file of accounts


def user_id(root: Root, user: str) -> int:
    """:param user: a name, or a number.
    :raises OsError: there is no such user.
    """
    return _id(root, "/etc/passwd", "user", user)


def group_id(root: Root, group: str) -> int:
    """:param group: a name, or a number.
    :raises OsError: there is no such group.
    """
    return _id(root, "/etc/group", "group", group)


def _id(root: Root, path: str, kind: str, name: str) -> int:
    if is_number(name):
        return int(name)
    found = id_in((root.read(path, _MOST) or b"").decode("utf-8", "surrogateescape"), name)
    if found is None:
        raise OsError(f"The deployed system has no {kind} {name} in {path}.", path=path)
    return found


def id_in(accounts: str, name: str) -> int | None:
    """The number of a name in the text of passwd or group, which both have it in the third field."""
    for line in accounts.splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and is_number(fields[2]):
            return int(fields[2])
    return None
