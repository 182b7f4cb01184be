# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Places one file, folder or link in the tree of a deployed system, or takes it away."""

from __future__ import annotations

import hashlib
import re
import stat
import typing as t

from .._errors import OsError, UsageError
from . import acl
from .beneath import Root
from .linux.selinux import order_relabel
from .ntfs_names import can_be
from .owners import group_id, user_id
from .tree import LINUX, WINDOWS, Tree

FILE, DIRECTORY, LINK, ABSENT = "file", "directory", "link", "absent"
PRIVATE, READABLE = "private", "readable"
_PIECE = 1 << 20
_LONGEST_SHOWN = 100_000  # bytes of a text
_TARGET = re.compile(r"[^\0]{1,1000}")
_FOR_ALL = 0o004
_ALL_MODES = 0o7777


class FileRequest(t.NamedTuple):
    """What shall be at a path.

    :ivar dest: as the deployed system has it; of a Windows also with drive and backslashes.
    :ivar source: of a file: opens what shall be in it.
    :ivar target: of a link.
    :ivar owner: name or number; so is group.
    :ivar access: of a Windows: private or readable.
    :ivar secret: what is in the file is shown to nobody.
    """

    dest: str
    state: str = FILE
    source: t.Callable[[], t.BinaryIO] | None = None
    target: str | None = None
    mode: int | None = None
    owner: str | None = None
    group: str | None = None
    access: str | None = None
    secret: bool = False


class _Place(t.NamedTuple):
    """What is at a path, or shall be there; None is nothing, or unknown.

    :ivar text: for people; none where it is no text, or not for everybody.
    """

    state: str = ABSENT
    mode: int | None = None
    owner: int | None = None
    group: int | None = None
    access: str | None = None
    digest: str | None = None
    target: str | None = None
    text: str | None = None

    def shown(self) -> dict[str, t.Any]:
        """Without what is not known."""
        named = self._asdict()
        named["mode"] = None if self.mode is None else f"{self.mode:04o}"
        return {name: value for name, value in named.items() if value is not None and name not in {"text", "digest"}}


def apply(tree: Tree, request: FileRequest, check: bool) -> dict[str, t.Any]:
    """Make it so.

    :returns: changed, diff, dest (as we have it), state, and mode, owner, group, or acl.
    :raises OsError: something else is in the way, or it cannot be written.
    """
    _check(tree, request)
    dest = path_of(tree, request.dest)
    before = _look(tree.root, dest, request)
    after = _wanted(tree.root, before, request)
    changed = before._replace(text=None) != after._replace(text=None)
    if changed and not check:
        _make(tree.root, dest, request, after)
        if tree.family == LINUX and request.state != ABSENT:
            order_relabel(tree.root)
    shown = after.shown()
    shown["acl"] = shown.pop("access", None)
    facts = {name: value for name, value in shown.items() if value is not None}
    return {"changed": changed, "dest": dest, "diff": _diff(dest, before, after), **facts}


def mode_of(mode: t.Any) -> int | None:
    """Permissions as people write them: "0644", or the number that YAML makes of 0644 without quotes.

    :raises UsageError: they make no sense.
    """
    if mode is None:
        return None
    try:
        found = mode if isinstance(mode, int) and not isinstance(mode, bool) else int(str(mode), 8)
    except ValueError:
        found = -1
    if not 0 <= found <= _ALL_MODES:
        raise UsageError(f'mode is {mode!r}; it must be octal digits in quotes, such as "0644".')
    return found


def path_of(tree: Tree, dest: str) -> str:
    """A path as the system itself writes it, as we have it.

    :raises UsageError: it is not absolute, or on another drive of a Windows.
    """
    path = dest
    if tree.family == WINDOWS:
        path = dest.replace("\\", "/")
        if path[1:2] == ":":
            if path[0] not in "cC":
                raise UsageError(f"{dest} is on another drive; only the one of the system, C:, is mounted.")
            path = path[2:]
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if not path.startswith("/") or not parts or ".." in parts or "\0" in path:
        raise UsageError(f"dest is {dest!r}; it must be an absolute path of the deployed system, without '..'.")
    if tree.family == WINDOWS and not all(map(can_be, parts)):
        raise UsageError(f"dest is {dest!r}, which no file of a Windows can be called.")
    return "/" + "/".join(parts)


def _check(tree: Tree, request: FileRequest) -> None:
    if request.state == LINK and not _TARGET.fullmatch(request.target or ""):
        raise UsageError(f"src is {(request.target or '')[:60]!r}, to which no link can lead.")
    if tree.family == WINDOWS:
        if request.state == LINK:
            raise UsageError("Links are for Linux: golden.fleet itself would not follow one of a Windows.")
        foreign = {"mode": request.mode, "owner": request.owner, "group": request.group}
    else:
        foreign = {"acl": request.access}
    for name, value in foreign.items():
        if value is not None:
            tree.need(LINUX if tree.family == WINDOWS else WINDOWS, f"The option {name}")


def _look(root: Root, dest: str, request: FileRequest) -> _Place:
    target = root.link_target(dest) if request.state in {LINK, ABSENT} else None
    if target is not None:
        return _Place(LINK, target=target)
    info = root.info(dest)
    if info is None:
        return _Place()
    kind = DIRECTORY if stat.S_ISDIR(info.st_mode) else FILE if stat.S_ISREG(info.st_mode) else "other"
    place = _Place(kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)
    if root.windows:
        access = {acl.READABLE: READABLE, acl.PRIVATE: PRIVATE}.get(root.descriptor(dest)) if kind != "other" else None
        place = _Place(kind, access=access)
    if kind != FILE:
        return place
    with root.opened(dest) as file:
        digest, text = _content(file) if file else (None, None)
    return place._replace(digest=digest, text=text if _public(place) and not request.secret else None)


def _wanted(root: Root, before: _Place, request: FileRequest) -> _Place:
    if request.state == ABSENT:
        return _Place()
    _refuse(before, request)
    if request.state == LINK:
        return _Place(LINK, target=request.target)
    place = before._replace(state=request.state, digest=None, text=None)
    if before.state == ABSENT and not root.windows:
        place = place._replace(mode=0o755 if request.state == DIRECTORY else 0o644, owner=0, group=0)
    if root.windows and (request.access or request.state == FILE or before.state == ABSENT):
        place = place._replace(access=request.access or PRIVATE)
    if request.mode is not None:
        place = place._replace(mode=request.mode)
    if request.owner is not None:
        place = place._replace(owner=user_id(root, request.owner))
    if request.group is not None:
        place = place._replace(group=group_id(root, request.group))
    if request.source is None:
        return place
    with request.source() as file:
        digest, text = _content(file)
    return place._replace(digest=digest, text=text if _public(place) and not request.secret else None)


def _public(place: _Place) -> bool:
    """What only some may read may hold a password."""
    return place.access == READABLE or bool((place.mode or 0) & _FOR_ALL)


def _refuse(before: _Place, request: FileRequest) -> None:
    fits = {FILE: {FILE}, DIRECTORY: {DIRECTORY}, LINK: {LINK, FILE}}[request.state]
    if before.state not in {ABSENT, *fits}:
        what = "no plain file" if before.state == "other" else f"a {before.state}"
        raise OsError(
            f"{request.dest} of the deployed system is {what}; a {request.state} is not put in its place. "
            "Take it away first, with state=absent.",
            path=request.dest,
        )


def _make(root: Root, dest: str, request: FileRequest, after: _Place) -> None:
    owner = None if after.owner is None or after.group is None else (after.owner, after.group)
    if request.state == ABSENT:
        root.remove_all(dest)
    elif request.state == LINK:
        root.link(dest, after.target or "")
    elif request.state == DIRECTORY:
        root.folder(dest, after.mode, owner, None if after.access is None else after.access == READABLE)
    elif request.source:
        with request.source() as file:
            root.put(dest, file, after.mode, owner, readable=after.access == READABLE)


def _content(file: t.BinaryIO) -> tuple[str, str | None]:
    """Its digest, and its text where it is one that can be shown."""
    first = file.read(_LONGEST_SHOWN + 1)
    seen = hashlib.sha256(first)
    while piece := file.read(_PIECE):
        seen.update(piece)
    if len(first) > _LONGEST_SHOWN or b"\0" in first:
        return seen.hexdigest(), None
    try:
        return seen.hexdigest(), first.decode("utf-8")
    except UnicodeDecodeError:
        return seen.hexdigest(), None


def _diff(dest: str, before: _Place, after: _Place) -> list[dict[str, t.Any]]:
    """What has changed about the file, and in it."""
    found = [{"before_header": dest, "after_header": dest, "before": before.shown(), "after": after.shown()}]
    if before.digest != after.digest:
        hidden = any(place.state == FILE and place.text is None for place in (before, after))
        shown = ("(not shown)\n", "(something else, not shown)\n") if hidden else (before.text or "", after.text or "")
        header = f"{dest} (content)"
        found.append({"before_header": header, "after_header": header, "before": shown[0], "after": shown[1]})
    return found
