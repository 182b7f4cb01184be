# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Users and groups in the texts of a system's account files. Pure: texts go in, texts come out."""

from __future__ import annotations

import typing as t

from ..._errors import OsError
from .login_defs import Defaults
from .records import (
    Fields,
    drop,
    find,
    free_number,
    free_range,
    groups_of,
    is_number,
    members,
    numbers,
    put,
    rows,
    with_member,
    without_member,
)

PASSWD, SHADOW, GROUP, GSHADOW = "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"
SUBUID, SUBGID = "/etc/subuid", "/etc/subgid"
# A user who is not in passwd yet, or any more, is nobody: what stands in the others meanwhile does no harm. Who is
# taken away is known by group and shadow until the end.
ORDER_TO_ADD = (GSHADOW, GROUP, SUBUID, SUBGID, SHADOW, PASSWD)
ORDER_TO_DROP = (PASSWD, GSHADOW, GROUP, SUBUID, SUBGID, SHADOW)
NO_PASSWORD = "*"  # noqa: S105  # and not locked, so that sshd takes keys also where it does not ask PAM

Texts = t.Dict[str, str]  # noqa: UP006  # evaluated at run time; without the files that a system does not have


class Account(t.NamedTuple):
    """What shall be said of a user. None: whatever is said already, or else the default.

    :ivar group: name or number of the primary group.
    :ivar groups: others that the user is to be in, too.
    :ivar not_groups: others that the user is not to be in.
    :ivar password: its hash.
    """

    name: str
    uid: int | None = None
    group: str | None = None
    groups: tuple[str, ...] = ()
    not_groups: tuple[str, ...] = ()
    comment: str | None = None
    home: str | None = None
    shell: str | None = None
    password: str | None = None


def passwd_fields(passwd: str, name: str) -> Fields | None:
    """Those of a user; None if there is none.

    :raises OsError: they make no sense.
    """
    fields = find(passwd, name)
    if fields is not None and (len(fields) != 7 or not all(map(is_number, fields[2:4]))):
        raise OsError(f"{PASSWD} of the deployed system has a line of {name} that makes no sense.", path=PASSWD)
    return fields


def with_user(texts: Texts, account: Account, defaults: Defaults, today: int) -> Texts:
    """With this user.

    :param today: days since 1970.
    :raises OsError: a number or a group that is asked for does not fit what is there.
    """
    name, after = account.name, dict(texts)
    old = passwd_fields(after[PASSWD], name)
    uid = _uid(after[PASSWD], old, account, defaults)
    gid = old[3] if old and account.group is None else _primary_group(after, uid, account, defaults)
    for group in account.groups:
        _need_group(after[GROUP], group)
    for path in (GROUP, GSHADOW):
        for group in account.groups:
            after[path] = with_member(after.get(path, ""), group, name)
        for group in account.not_groups:
            after[path] = without_member(after.get(path, ""), group, name)
    if old is None:
        _add_subordinate_ids(after, name, defaults)
    after[PASSWD] = put(after[PASSWD], _passwd_fields(old, account, str(uid), gid, defaults))
    after[SHADOW] = _with_password(after[SHADOW], old, account, defaults, today)
    return {path: after[path] for path in texts}


def without_user(texts: Texts, name: str) -> Texts:
    """Without this user; and without the group of the same name, where nobody else is in it."""
    after = {path: drop(text, name) if path not in {GROUP, GSHADOW} else text for path, text in texts.items()}
    own = find(texts[GROUP], name)
    users = {fields[3] for fields in rows(after[PASSWD]) if len(fields) > 3}
    was_there = find(texts[PASSWD], name) or find(texts[SHADOW], name)
    unused = was_there and own is not None and len(own) > 2 and own[2] not in users and not set(members(own)) - {name}
    for path in {GROUP, GSHADOW} & set(texts):
        for group in groups_of(texts[path], name):
            after[path] = without_member(after[path], group, name)
        if unused:
            after[path] = drop(after[path], name)
    return after


def others_with_home(passwd: str, name: str, home: str) -> list[str]:
    """The other users who live there, or beneath."""
    beneath = home.rstrip("/") + "/"
    return [
        fields[0]
        for fields in rows(passwd)
        if fields[0] != name and len(fields) > 5 and f"{fields[5].rstrip('/')}/".startswith(beneath)
    ]


def _uid(passwd: str, old: Fields | None, account: Account, defaults: Defaults) -> int:
    if old is not None:
        if account.uid is not None and int(old[2]) != account.uid:
            raise OsError(
                f"The deployed system has a user {account.name} already, with the number {old[2]}, not "
                f"{account.uid}. The files of that user would be lost to the new number: leave uid out, or take the "
                "user away first, with state=absent."
            )
        return int(old[2])
    if account.uid is None:
        uid = free_number(numbers(passwd), *defaults.uids)
        if uid is None:
            raise OsError(f"The deployed system has no number left for a new user, from {PASSWD} and login.defs.")
        return uid
    taken = next((fields[0] for fields in rows(passwd) if len(fields) > 2 and fields[2] == str(account.uid)), None)
    if taken:
        raise OsError(f"The deployed system has the number {account.uid} already, of the user {taken}.")
    return account.uid


def _primary_group(after: Texts, uid: int, account: Account, defaults: Defaults) -> str:
    """Its number; made where each user has one."""
    if account.group is not None:
        return _need_group(after[GROUP], account.group)
    if not defaults.own_group:
        return _need_group(after[GROUP], defaults.group)
    if known := find(after[GROUP], account.name):
        return _need_group(after[GROUP], known[0])
    used = numbers(after[GROUP])
    gid = uid if uid not in used else free_number(used, *defaults.gids)
    if gid is None:
        raise OsError(f"The deployed system has no number left for a new group, from {GROUP} and login.defs.")
    after[GROUP] = put(after[GROUP], [account.name, "x", str(gid), ""])
    if GSHADOW in after:
        after[GSHADOW] = put(after[GSHADOW], [account.name, "!", "", ""])
    return str(gid)


def _need_group(text: str, group: str) -> str:
    found = find(text, group) or next((each for each in rows(text) if each[2:3] == [group]), None)
    if found is None or len(found) < 4 or not is_number(found[2]):
        raise OsError(f"The deployed system has no group {group}.")
    return found[2]


def _passwd_fields(old: Fields | None, account: Account, uid: str, gid: str, defaults: Defaults) -> Fields:
    fields = old or [account.name, "x", uid, gid, "", f"{defaults.home}/{account.name}", "/bin/sh"]
    return [
        account.name,
        fields[1] if account.password is None else "x",
        uid,
        gid,
        fields[4] if account.comment is None else account.comment,
        account.home or fields[5],
        account.shell or fields[6],
    ]


def _with_password(shadow: str, old: Fields | None, account: Account, defaults: Defaults, today: int) -> str:
    known = find(shadow, account.name)
    if known is not None and len(known) < 9:
        raise OsError(f"{SHADOW} of the deployed system has a line of {account.name} that makes no sense.")
    if old is not None and account.password is None:
        return shadow
    # Day 0 means that the password must be changed at once; the clock of this machine may not be set.
    day = str(today) if today > 0 else ""
    if known is None or old is None:  # what a user of this name had once, counts no more
        known = [account.name, NO_PASSWORD, day, *defaults.password_days, "", "", ""]
    if account.password is not None:
        known = [account.name, account.password, day, *known[3:]]
    return put(shadow, known)


def _add_subordinate_ids(after: Texts, name: str, defaults: Defaults) -> None:
    for path, (low, high, count) in ((SUBUID, defaults.subordinate_uids), (SUBGID, defaults.subordinate_gids)):
        if path in after and count and not find(after[path], name):
            start = free_range(after[path], low, high, count)
            if start is not None:
                after[path] = put(after[path], [name, str(start), str(count)])
