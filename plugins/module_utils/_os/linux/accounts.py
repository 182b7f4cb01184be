# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Users of a deployed Linux: made, changed and taken away in its files, with none of its programs run."""

from __future__ import annotations

import re
import stat
import time
import typing as t

from ..._errors import OsError, UsageError
from ..beneath import Root
from ..tree import Tree
from . import account_files, homes, passwords, sudo
from .account_files import GROUP, GSHADOW, PASSWD, SHADOW, SUBGID, SUBUID, Account, Texts
from .login_defs import Defaults, defaults_in
from .records import find, groups_of
from .selinux import order_relabel

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_EVERYBODY = "ALL"  # to sudo
_LARGEST_ID = 60_000_000
_LARGEST_FILE = 16 << 20
_LOCK = "/etc/.pwd.lock"  # of useradd, passwd and their like
_PAM = ("/etc/pam.d/common-password", "/etc/pam.d/system-auth", "/etc/pam.d/passwd")
_SHELLS = ("/bin/bash", "/bin/sh")
_DAY = 86400
ALWAYS, ON_CREATE = "always", "on_create"


class UserRequest(t.NamedTuple):
    """How a user shall be. None: as it is, or the default.

    :ivar admin: may become root with sudo.
    :ivar exclusive_keys: no other keys than authorized_keys.
    :ivar remove_home: of an absent user.
    """

    name: str
    present: bool = True
    uid: int | None = None
    group: str | None = None
    groups: tuple[str, ...] = ()
    admin: bool | None = None
    comment: str | None = None
    home: str | None = None
    shell: str | None = None
    password: str | None = None
    password_hash: str | None = None
    update_password: str = ALWAYS
    authorized_keys: tuple[str, ...] | None = None
    exclusive_keys: bool = False
    remove_home: bool = False


class _Plan(t.NamedTuple):
    """What there is to write.

    :ivar home: the home directory.
    :ivar skeleton: what a new home is made from; None if it need not be made, or be taken away.
    :ivar rule: in sudoers.d: None leaves it, nothing takes it away.
    """

    before: Texts
    after: Texts
    defaults: Defaults
    home: str | None
    skeleton: str | None = None
    take_home: bool = False
    keys: homes.Keys | None = None
    rule: bytes | None = None
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        keys = self.keys is not None and self.keys.changed
        return self.before != self.after or bool(self.skeleton) or self.take_home or keys or self.rule is not None


def apply(tree: Tree, request: UserRequest, check: bool) -> dict[str, t.Any]:
    """Make it so.

    :returns: changed, diff, name, uid, gid, home (null where there is no such user), notes.
    """
    _check(request)
    make_plan, write = (_plan, _write) if request.present else (_plan_away, _take_away)
    plan = make_plan(tree, request)
    if plan.changed and not check:
        with tree.root.locked(_LOCK):
            plan = make_plan(tree, request)
            write(tree.root, request, plan)
            order_relabel(tree.root)
    fields = find(plan.after[PASSWD], request.name)
    return {
        "changed": plan.changed,
        "diff": _diff(request, plan),
        "name": request.name,
        "uid": int(fields[2]) if fields else None,
        "gid": int(fields[3]) if fields else None,
        "home": plan.home if fields else None,
        "notes": list(plan.notes),
    }


def _check(request: UserRequest) -> None:
    if not _NAME.fullmatch(request.name) or request.name == _EVERYBODY:
        raise UsageError(f"{request.name!r} cannot be the name of a user.")
    if request.uid is not None and not 0 < request.uid <= _LARGEST_ID:
        raise UsageError(f"uid is {request.uid}; it must be from 1 to {_LARGEST_ID}.")
    if request.comment and re.search(r"[:\x00-\x1f\x7f]", request.comment):
        raise UsageError("The comment must have no colon, and be one line.")
    for option, path in (("home", request.home), ("shell", request.shell)):
        if path is not None and not re.fullmatch(r"(?:/(?!\.\.?(?:/|$))[^/:\x00-\x1f\x7f]+)+", path):
            raise UsageError(f"{option} is {path!r}; it must be an absolute path, without a colon or '..'.")
    if request.password is not None:
        passwords.check_password(request.password)
    if request.password_hash is not None:
        passwords.check_hash(request.password_hash)
    homes.check_keys(request.authorized_keys or ())
    if not request.present and request.name == "root":
        raise UsageError("root is not taken away: nothing would work without.")


def _plan(tree: Tree, request: UserRequest) -> _Plan:
    root = tree.root
    before, defaults = _texts(root), _defaults(root)
    old = find(before[PASSWD], request.name)
    way = sudo.way(root, before[GROUP]) if request.admin else None
    account = Account(
        request.name,
        uid=request.uid,
        group=request.group,
        groups=(*request.groups, *([way.group] if way and way.group else [])),
        not_groups=sudo.ADMIN_GROUPS if request.admin is False else (),
        comment=request.comment,
        home=request.home,
        shell=_shell(root, request.shell, new=old is None),
        password=_password(root, request, before, new=old is None),
    )
    after = account_files.with_user(before, account, defaults, int(time.time()) // _DAY)
    fields = find(after[PASSWD], request.name) or []
    owner, home = (int(fields[2]), int(fields[3])), fields[5]
    info = root.info(home)
    needs_home = old is None or request.home is not None or request.authorized_keys is not None
    skeleton = defaults.skeleton if info is None and needs_home else None
    keys = None
    if request.authorized_keys is not None:
        exclusive = request.exclusive_keys
        keys = homes.plan_keys(root, home, skeleton or home, request.authorized_keys, exclusive, owner)
    notes = []
    if way and not way.installed:
        notes.append(f"The deployed system has no sudo; {request.name} is an administrator once it is installed.")
    if info is not None and needs_home and info.st_uid != owner[0]:
        notes.append(f"{home} was there before, and belongs to the user {info.st_uid}, not to {request.name}.")
    rule = None if request.admin is None else _rule(root, request.name, bool(way and way.rule))
    return _Plan(before, after, defaults, home, skeleton, keys=keys, rule=rule, notes=tuple(notes))


def _plan_away(tree: Tree, request: UserRequest) -> _Plan:
    before, defaults = _texts(tree.root), _defaults(tree.root)
    fields = account_files.passwd_fields(before[PASSWD], request.name)
    after = account_files.without_user(before, request.name)
    rule, home = _rule(tree.root, request.name, wanted=False), fields[5] if fields else None
    if home is None or not request.remove_home or not tree.root.exists(home):
        return _Plan(before, after, defaults, home, rule=rule)
    others = account_files.others_with_home(before[PASSWD], request.name, home)
    if others:
        raise OsError(
            f"{home} of the deployed system is not taken away with {request.name}: "
            f"{', '.join(others[:3])} live there, too. Leave remove_home out.",
            path=home,
        )
    homes.refuse_others_home(tree.root, home, int((fields or [])[2]))
    return _Plan(before, after, defaults, home, take_home=True, rule=rule)


def _write(root: Root, request: UserRequest, plan: _Plan) -> None:
    """So that an interruption leaves nobody half made: passwd is last but for what is the user's own."""
    fields = find(plan.after[PASSWD], request.name) or []
    owner, home = (int(fields[2]), int(fields[3])), fields[5]
    if plan.skeleton:
        homes.make_home(root, home, plan.skeleton, plan.defaults.home_mode, owner)
    if plan.keys and plan.keys.changed:
        homes.write_keys(root, home, plan.keys, owner)
    _write_texts(root, plan, account_files.ORDER_TO_ADD)
    _write_rule(root, request.name, plan.rule)


def _take_away(root: Root, request: UserRequest, plan: _Plan) -> None:
    """The home first: without the line in passwd, nobody would know whose it was."""
    _write_rule(root, request.name, plan.rule)
    if plan.take_home and plan.home:
        root.remove_all(plan.home)
    _write_texts(root, plan, account_files.ORDER_TO_DROP)


def _write_texts(root: Root, plan: _Plan, order: tuple[str, ...]) -> None:
    for path in order:
        if path in plan.after and plan.after[path] != plan.before[path]:
            root.write(path, plan.after[path].encode("utf-8", "surrogateescape"))


def _rule(root: Root, name: str, wanted: bool) -> bytes | None:
    """What to write as the user's own rule for sudo; None if it is right."""
    rule = sudo.rule_for(name) if wanted else None
    return (rule or b"") if root.read(sudo.rule_path(name)) != rule else None


def _write_rule(root: Root, name: str, rule: bytes | None) -> None:
    if rule:
        root.write(sudo.rule_path(name), rule, mode=0o440, owner=(0, 0))
    elif rule is not None:
        root.remove(sudo.rule_path(name))


def _texts(root: Root) -> Texts:
    found = {path: root.read(path, _LARGEST_FILE) for path in (PASSWD, SHADOW, GROUP, GSHADOW, SUBUID, SUBGID)}
    for path in (PASSWD, SHADOW, GROUP):
        if found[path] is None:
            raise OsError(f"The deployed system has no {path}; users cannot be made there.", path=path)
    return {path: data.decode("utf-8", "surrogateescape") for path, data in found.items() if data is not None}


def _defaults(root: Root) -> Defaults:
    # Where a distribution keeps its own beneath /usr, that beneath /etc is only what somebody has changed.
    own, system = root.read("/etc/login.defs"), root.read("/usr/etc/login.defs")
    text = b"\n".join(filter(None, (system, own)))
    return defaults_in(
        text.decode("utf-8", "replace"), (root.read("/etc/default/useradd") or b"").decode("utf-8", "replace")
    )


def _shell(root: Root, asked: str | None, new: bool) -> str | None:
    if asked is not None and not _runs(root, asked):
        raise OsError(f"The deployed system has no program {asked} for a shell.", path=asked)
    return asked or (next((path for path in _SHELLS if _runs(root, path)), None) if new else None)


def _runs(root: Root, path: str) -> bool:
    info = root.info(path)
    return info is not None and stat.S_ISREG(info.st_mode) and bool(info.st_mode & 0o111)


def _password(root: Root, request: UserRequest, before: Texts, new: bool) -> str | None:
    """The hash to be written; None leaves what there is."""
    if not new and request.update_password == ON_CREATE:
        return None
    known = None if new else (find(before[SHADOW], request.name) or ["", ""])[1]
    if request.password is None:
        return None if request.password_hash == known else request.password_hash
    if known is not None and passwords.fits(request.password, known):
        return None
    pam = b"\n".join(filter(None, map(root.read, _PAM)))
    return passwords.hashed(request.password, passwords.scheme_for(pam.decode("utf-8", "replace")))


def _diff(request: UserRequest, plan: _Plan) -> dict[str, t.Any]:
    before, after = (_shown(texts, request.name) for texts in (plan.before, plan.after))
    if before.get("password") == after.get("password") and plan.before[SHADOW] != plan.after[SHADOW]:
        after["password"] = f"another {after.get('password')}"
    if plan.keys:
        before["authorized_keys"], after["authorized_keys"] = plan.keys.before, plan.keys.after
    if plan.skeleton:
        after["made"] = plan.home
    if plan.take_home:
        before["home directory"] = plan.home
    if plan.rule is not None:
        after["sudo rule"] = plan.rule.decode()
    return {"before": before, "after": after}


def _shown(texts: Texts, name: str) -> dict[str, t.Any]:
    """Of a user, for people; nothing of the hash."""
    fields = find(texts[PASSWD], name)
    if fields is None or len(fields) < 7:
        return {}
    known = dict(zip(("uid", "gid", "comment", "home", "shell"), fields[2:]))
    has_password = (find(texts[SHADOW], name) or ["", ""])[1].startswith("$")
    return {
        "name": name,
        **known,
        "groups": groups_of(texts[GROUP], name),
        "password": "set" if has_password else "none",
    }
