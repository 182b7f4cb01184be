# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Home directories of a deployed Linux, and the SSH keys that their owners log in with."""

from __future__ import annotations

import re
import stat
import typing as t

from ..._errors import OsError, UsageError
from ..beneath import Root

_LARGEST_FILE = 64 << 20  # of a skeleton
_KEY = re.compile(
    r"(?:^|[ \t])((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+)[ \t]+(AAAA[A-Za-z0-9+/]{20,}={0,3})(?:[ \t]|$)"
)
_MODES = {".ssh": 0o700, ".ssh/authorized_keys": 0o600}

Owner = t.Tuple[int, int]  # noqa: UP006  # evaluated at run time


def make_home(root: Root, home: str, skeleton: str, mode: int, owner: Owner) -> None:
    """Make it with a copy of the skeleton in it, all of it or nothing."""
    parent, _slash, name = home.rpartition("/")
    building = f"{parent}/.golden-new-{name}"
    root.remove_all(building)  # of one that was interrupted
    root.folder(building, 0o700)
    todo = [""]
    while todo:
        below = todo.pop()
        for each in root.names(f"{skeleton}{below}"):
            if _copy(root, f"{skeleton}{below}/{each}", f"{building}{below}/{each}", owner):
                todo.append(f"{below}/{each}")
    root.folder(building, mode, owner)
    root.move(building, name)


def _copy(root: Root, source: str, target: str, owner: Owner) -> bool:
    """One file, link or folder of a skeleton, with its mode; whether it is a folder, which is then empty."""
    link = root.link_target(source)
    if link is not None:
        root.link(target, link, owner)
        return False
    info = root.info(source)
    if info is None:
        return False
    if stat.S_ISDIR(info.st_mode):
        root.folder(target, stat.S_IMODE(info.st_mode), owner)
        return True
    data = root.read(source, _LARGEST_FILE)
    root.write(target, data or b"", stat.S_IMODE(info.st_mode), owner)
    return False


def refuse_others_home(root: Root, home: str, uid: int) -> None:
    """:raises OsError: it is not a home directory of this user, to be taken away."""
    if root.link_target(home) is not None:
        raise OsError(f"{home} of the deployed system is a link; it is not taken away with the user.", path=home)
    info = root.info(home)
    if info is not None and (not stat.S_ISDIR(info.st_mode) or info.st_uid != uid):
        raise OsError(
            f"{home} of the deployed system belongs to the user {info.st_uid}, not to {uid}; it is not taken away. "
            "Leave remove_home out, and look who needs it.",
            path=home,
        )


class Keys(t.NamedTuple):
    """The SSH keys of a user, as they are and as they shall be."""

    before: str
    after: str
    as_sshd_wants: bool

    @property
    def changed(self) -> bool:
        return self.before != self.after or not self.as_sshd_wants


def plan_keys(root: Root, home: str, source: str, keys: t.Sequence[str], exclusive: bool, owner: Owner) -> Keys:
    """:param source: the home directory, or the skeleton that will be in it.
    :raises OsError: something there is a link: what it leads to is not for the user to own.
    """
    for name in _MODES:
        if root.link_target(f"{home}/{name}") is not None:
            raise OsError(
                f"{home}/{name} of the deployed system is a link. It is not followed: take it away first.",
                path=f"{home}/{name}",
            )
    data = root.read(f"{source}/.ssh/authorized_keys")
    before = (data or b"").decode("utf-8", "surrogateescape")
    after = with_keys(before, keys, exclusive)
    fine = all(_is(root.info(f"{home}/{name}"), mode, owner) for name, mode in _MODES.items())
    return Keys(before, after, fine or (data is None and not after))


def write_keys(root: Root, home: str, keys: Keys, owner: Owner) -> None:
    """As sshd wants them: nobody else may write anything on the way to them."""
    root.folder(f"{home}/.ssh", _MODES[".ssh"], owner)
    text = keys.after.encode("utf-8", "surrogateescape")
    root.write(f"{home}/.ssh/authorized_keys", text, _MODES[".ssh/authorized_keys"], owner)


def with_keys(text: str, keys: t.Sequence[str], exclusive: bool) -> str:
    """The text of authorized_keys with these keys; a line with one of them is replaced, with its options and comment.

    :param exclusive: and with nothing else.
    """
    if exclusive:
        return "".join(f"{key.strip()}\n" for key in keys)
    wanted = {_identity(key): key.strip() for key in keys}
    lines = []
    for line in text.split("\n"):
        known = _identity(line)
        lines.append(wanted.pop(known) if known in wanted else line)
    body = "\n".join(lines)
    if wanted and body and not body.endswith("\n"):
        body += "\n"
    return body + "".join(f"{key}\n" for key in wanted.values())


def check_keys(keys: t.Iterable[str]) -> None:
    """:raises UsageError: one is no line with a public key."""
    for key in keys:
        if _identity(key) is None or not key.strip().isprintable():
            raise UsageError(f"{key.strip()[:60]!r} is no public SSH key as authorized_keys has them.")


def _identity(line: str) -> tuple[str, str] | None:
    found = None if line.lstrip().startswith("#") else _KEY.search(line)
    return (found[1], found[2]) if found else None


def _is(info: t.Any, mode: int, owner: Owner) -> bool:
    return info is not None and (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (mode, *owner)
