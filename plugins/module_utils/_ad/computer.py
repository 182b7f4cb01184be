# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The account of a computer in Active Directory, made ready for the computer to join with."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass

from .._errors import ComputerExists, DomainError, DomainForbidden
from . import ldif
from .names import base_of, parent_of, same
from .session import Session

PASSWORD, BLOB = "one_time_password", "offline_blob"

_WORKSTATION, _DISABLED, _DOMAIN_CONTROLLER = 0x1000, 0x2, 0x2000  # of userAccountControl
_COMPUTERS = "AA312825768811D1ADED00C04FD8D5CD"  # the well-known GUID of where computers are put by default


@dataclass(frozen=True)
class ComputerRequest:
    """An account as it shall be.

    :ivar name: valid, in any case.
    :ivar ou: its folder; None for the one that the domain puts computers into.
    :ivar method: what the computer shall join with.
    :ivar reuse: an account that exists is taken; who has it now is shut out.
    """

    name: str
    ou: str | None = None
    method: str = PASSWORD
    reuse: bool = False


@dataclass(frozen=True)
class _Account:
    dn: str
    flags: int
    managed: bool

    @classmethod
    def of(cls, entry: ldif.Entry) -> _Account:
        managed = any(kind.lower().endswith("managedserviceaccount") for kind in entry.get("objectclass", []))
        return cls(entry["dn"][0], int(entry.get("useraccountcontrol", ["0"])[0]), managed)

    @property
    def is_workstation(self) -> bool:
        return bool(self.flags & _WORKSTATION) and not self.flags & _DOMAIN_CONTROLLER and not self.managed


def ensure_computer(session: Session, request: ComputerRequest, check: bool) -> dict[str, t.Any]:
    """An account that the computer can join with, once.

    :returns: changed, created, name, dn, server, diff; and one_time_password or blob, None in check mode.
    :raises DomainError: it cannot be made, or exists and is not to be reused.
    """
    name = request.name.upper()
    account = _account(session, name)
    if account:
        _may_reuse(account, request)
        dn = account.dn
    else:
        dn = f"CN={name},{_folder(session, request.ou)}"
        if session.search(dn, "base", "(objectClass=*)", "cn"):
            raise ComputerExists(f"{dn} is something else than the account of {name}.", dn=dn, exists=True)
    secret = None if check else _prepare(session, request.method, name, dn, made=account is None)
    before = {"dn": account.dn} if account else {}
    after = {"dn": dn, "joins_with": request.method}
    return {
        "changed": True,
        "created": account is None,
        **_facts(session, name, dn),
        "one_time_password": secret if request.method == PASSWORD else None,
        "blob": secret if request.method == BLOB else None,
        "diff": {"before": before, "after": after},
    }


def remove_computer(session: Session, name: str, check: bool) -> dict[str, t.Any]:
    """:returns: changed, name, dn (None if there was none), server, diff."""
    account = _account(session, name.upper())
    if account:
        if not account.is_workstation:
            raise _refuse(account, "is not the account of a workstation or member server, so it is not removed")
        if not check:
            session.delete(account.dn)
    dn = account.dn if account else None
    diff = {"before": {"dn": dn} if dn else {}, "after": {}}
    return {"changed": dn is not None, **_facts(session, name.upper(), dn), "diff": diff}


def _facts(session: Session, name: str, dn: str | None) -> dict[str, t.Any]:
    return {"name": name, "dn": dn, "domain": session.domain, "server": session.server}


def _account(session: Session, name: str) -> _Account | None:
    condition = f"(sAMAccountName={name}$)"
    found = session.search(base_of(session.domain), "sub", condition, "objectClass", "userAccountControl")
    return _Account.of(found[0]) if found else None


def _may_reuse(account: _Account, request: ComputerRequest) -> None:
    if not request.reuse:
        raise _refuse(
            account,
            "exists. If this is the same computer, imaged again, set reuse to true: its password is reset, and what "
            "uses the account now is shut out",
            ComputerExists,
        )
    if not account.is_workstation:
        raise _refuse(account, "is not the account of a workstation or member server, so it is not reused")
    if account.flags & _DISABLED:
        raise _refuse(account, "is disabled. Somebody had a reason; enable it first, or remove it")
    if request.ou and not same(parent_of(account.dn), request.ou):
        raise _refuse(
            account,
            f"is not in {request.ou}. If it is the same computer, move the account there first, or remove it",
            ComputerExists,
        )


def _refuse(account: _Account, why: str, kind: type[DomainError] = DomainError) -> DomainError:
    taken = {"exists": True} if kind is ComputerExists else {}
    return kind(f"{account.dn} {why}.", dn=account.dn, **taken)


def _folder(session: Session, ou: str | None) -> str:
    """Where to make it, which must be there and allowed: so that check mode tells, too."""
    base = ou or f"<WKGUID={_COMPUTERS},{base_of(session.domain)}>"
    found = session.search(base, "base", "(objectClass=*)", "allowedChildClassesEffective")
    if not found:
        raise DomainError(f"There is no {ou or 'folder for computers'} in {session.domain}. Make it first.", ou=ou)
    (folder,) = found[0]["dn"]
    allowed = {kind.lower() for kind in found[0].get("allowedchildclasseseffective", [])}
    if "computer" not in allowed:
        raise DomainForbidden(
            f"{session.login.username or 'Whoever the ticket is for'} may not make computer accounts in {folder}. "
            "docs/domain.md says which rights are needed.",
            ou=folder,
        )
    return folder


def _prepare(session: Session, method: str, name: str, dn: str, made: bool) -> str:
    """Make or reset the account; what the computer joins with."""
    password = new_password()
    if made:
        _create(session, name, dn, password)
    try:
        if method == BLOB:
            # It would reset any account of this name; here it is the one that we have just made, or were told to take.
            return session.provision(name, parent_of(dn))
        if not made:
            _reset(session, dn, password)
    except DomainError as error:
        if made:
            _take_back(session, dn, error)
        raise
    return password


def _take_back(session: Session, dn: str, why: DomainError) -> None:
    try:
        session.delete(dn)
    except DomainError as error:
        raise DomainError(f"{why.message} {dn} was made, and is still there: {error.message}", dn=dn) from error


def _create(session: Session, name: str, dn: str, password: str) -> None:
    new = ldif.record(
        dn,
        ("changetype", "add"),
        ("objectClass", "computer"),
        ("sAMAccountName", f"{name}$"),
        ("userAccountControl", str(_WORKSTATION)),
        ("dNSHostName", f"{name.lower()}.{session.domain}"),
        ("unicodePwd", _as_stored(password)),
    )
    if not session.modify(new):
        raise ComputerExists(f"{dn} exists since a moment ago.", dn=dn, exists=True)


def _reset(session: Session, dn: str, password: str) -> None:
    change = ("changetype", "modify"), ("replace", "unicodePwd")
    session.modify(ldif.record(dn, *change, ("unicodePwd", _as_stored(password))))


def new_password() -> str:
    """One that nobody guesses, with a character of each kind that a domain may ask for."""
    return f"{secrets.token_urlsafe(24)}-aA1"


def _as_stored(password: str) -> bytes:
    return f'"{password}"'.encode("utf-16-le")
