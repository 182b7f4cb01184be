# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Somebody who is logged in to a domain: a Kerberos ticket in a folder of its own, and what is done with it.

The programs are those that administrators use: kinit, the ldap tools of OpenLDAP over encrypted connections, adcli and
Samba's net. They get passwords by their input, and nothing of this machine's own configuration.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .._errors import DomainError, DomainForbidden, DomainRefused, DomainUnreachable, ToolFailed, UsageError
from .._run import Result, run
from . import ldif

_PATIENCE = 60.0  # seconds for one program
_REFERRAL, _NO_SUCH_OBJECT, _INSUFFICIENT_RIGHTS, _ALREADY_EXISTS = 10, 32, 50, 68  # of LDAP, RFC 4511
_LOCAL_ERROR, _UNREACHABLE = 254, 255  # of the tools
_REFUSED = ("not found in Kerberos database", "Password incorrect", "Preauthentication failed", "revoked", "expired")
_ASKS_FOR_MORE = "Cannot read password"  # a new one, since it has got what it asks for first
_ASLEEP = ("Cannot contact any KDC", "Cannot find KDC", "Cannot resolve")
_KRB5_CONF = """\
[libdefaults]
    default_realm = {realm}
    rdns = false
    dns_canonicalize_hostname = false
    dns_lookup_kdc = true
    udp_preference_limit = 1
[realms]
    {realm} = {{
        kdc = {server}
    }}
[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
"""
_SMB_CONF = """\
[global]
    security = ads
    realm = {realm}
    workgroup = {short}
    private dir = {folder}
    state directory = {folder}
    cache directory = {folder}
    lock directory = {folder}
    pid directory = {folder}
    log file = {folder}/log
"""


@dataclass(frozen=True)
class Login:
    """Who asks which domain. The repr holds no secret.

    :ivar server: DNS name of a domain controller; empty for any.
    :ivar username: its realm is that of the domain, unless it has one.
    """

    domain: str
    server: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    keytab: str = ""
    ticket_cache: str = ""

    @property
    def realm(self) -> str:
        return self.domain.upper()

    def check(self) -> None:
        """:raises UsageError: it is not known who asks, or how to prove it."""
        if not self.ticket_cache and not (self.username and (self.password or self.keytab)):
            raise UsageError(
                "Give domain_username with domain_password or domain_keytab, or a domain_ticket_cache, or set "
                "GOLDEN_DOMAIN_USERNAME and GOLDEN_DOMAIN_PASSWORD."
            )
        if any(not each.isprintable() for each in self.username + self.password):
            raise UsageError("domain_username or domain_password holds something that nobody can type.")
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(self.server)
            raise UsageError(f"domain_server is the address {self.server}. Kerberos knows servers by name; give that.")


@dataclass(frozen=True)
class Session:
    """A login that has succeeded.

    :ivar server: the domain controller that is asked about everything: the others learn of it a moment later.
    """

    login: Login
    server: str
    short: str
    folder: Path
    tickets: str

    @property
    def domain(self) -> str:
        return self.login.domain

    def search(self, base: str, scope: str, condition: str, *attributes: str) -> list[ldif.Entry]:
        """What is at or beneath a place; nothing if there is no such place."""
        words = ["-LLL", "-o", "ldif-wrap=no", "-b", base, "-s", scope, condition, *attributes]
        said = self._ldap("ldapsearch", words, ok=(0, _NO_SUCH_OBJECT))
        return ldif.parse(said.stdout)

    def modify(self, record: str) -> bool:
        """:returns: whether it was done; False if it is there already."""
        return self._ldap("ldapmodify", [], stdin=record, ok=(0, _ALREADY_EXISTS)).rc == 0

    def delete(self, dn: str) -> None:
        """With all that is beneath. Nothing if it is gone."""
        self._ldap("ldapdelete", ["-r"], stdin=f"{dn}\n", ok=(0, _NO_SUCH_OBJECT))

    def provision(self, name: str, folder: str) -> str:
        """Reset the account of a computer to a password that nobody learns, and put it into a blob for djoin."""
        config = self.folder / "smb.conf"
        config.write_text(_SMB_CONF.format(realm=self.login.realm, short=self.short, folder=self.folder), "utf-8")
        where = [f"domain={self.domain}", f"machine_name={name}", f"machine_account_ou={folder}"]
        options = [f"--configfile={config}", "--use-kerberos=required", f"--use-krb5-ccache={self.tickets}"]
        words = [*where, f"dcname={self.server}", "reuse", "printblob"]
        try:
            said = self._run(["net", "offlinejoin", "provision", *words, *options])
        except ToolFailed as error:
            raise self._error(f"does not prepare {name} for an offline join: {_reason(error)}") from error
        blob = said.stdout.strip().rpartition("\n")[2]
        if not re.fullmatch(r"[A-Za-z0-9+/]{100,}={0,2}", blob):
            raise self._error(f"has prepared {name} for an offline join, but net printed no blob")
        return blob

    def _ldap(self, tool: str, words: list[str], *, ok: t.Container[int], stdin: str | None = None) -> Result:
        # Not less than what encrypts: passwords are sent.
        common = ["-Q", "-Y", "GSSAPI", "-O", "minssf=56", "-N", "-o", "nettimeout=20", "-H", f"ldap://{self.server}"]
        try:
            return self._run([tool, *common, *words], stdin, ok)
        except ToolFailed as error:
            raise self._meaning(error) from error

    def _meaning(self, error: ToolFailed) -> DomainError:
        code, reason = error.facts.get("rc"), _reason(error)
        if code == _INSUFFICIENT_RIGHTS:
            who = self.login.username or "whoever the ticket is for"
            return self._error(
                f"does not allow {who} to do that. docs/domain.md says which rights are needed: {reason}",
                DomainForbidden,
            )
        if code == _REFERRAL:
            return self._error(f"is read-only, or is not in charge of that. Name another as domain_server: {reason}")
        if code == _UNREACHABLE:
            return self._error(f"does not answer: {reason}", DomainUnreachable)
        if code == _LOCAL_ERROR and "mechanism" in reason:
            return self._error(
                "cannot be asked: the GSSAPI part of SASL is missing. Install the package libsasl2-modules-gssapi-mit "
                f"(Debian) or cyrus-sasl-gssapi (Red Hat): {reason}"
            )
        if self.login.ticket_cache and "credentials" in reason:
            return DomainRefused(
                f"{self.tickets} holds no ticket for {self.domain} that counts: {reason}", domain=self.domain
            )
        return self._error(f"refuses: {reason}")

    def _error(self, text: str, kind: type[DomainError] = DomainError) -> DomainError:
        return kind(f"The domain controller {self.server} {text}", domain=self.domain, server=self.server)

    def _run(self, argv: list[str], stdin: str | None = None, ok: t.Container[int] = (0,)) -> Result:
        return run(argv, stdin=stdin, ok=ok, timeout=_PATIENCE, secrets=_environment(self.folder, self.tickets))


@contextlib.contextmanager
def logged_in(login: Login) -> t.Iterator[Session]:
    """A ticket, gone at the end.

    :raises DomainError: the domain does not answer, or does not let this user in.
    """
    login.check()
    server, short = _find(login)
    with tempfile.TemporaryDirectory(prefix="golden-ad-") as name:
        folder = Path(name)
        (folder / "krb5.conf").write_text(
            _KRB5_CONF.format(realm=login.realm, domain=login.domain, server=server), "utf-8"
        )
        tickets = login.ticket_cache or f"FILE:{folder}/tickets"
        if not login.ticket_cache:
            _ask_for_ticket(login, server, folder, tickets)
        yield Session(login, server, short, folder, tickets)


def _find(login: Login) -> tuple[str, str]:
    """A domain controller, and what Windows called the domain before it had DNS."""
    named = [f"--domain-controller={login.server}"] if login.server else []
    where = login.server or f"A domain controller of {login.domain}"
    said = run(["adcli", "info", f"--domain={login.domain}", *named], ok=range(256), timeout=_PATIENCE)
    lines = (line.partition("=") for line in said.stdout.splitlines())
    found = {key.strip(): value.strip() for key, equals, value in lines if equals}
    if said.rc or "domain-short" not in found:
        # Without it, DNS has named a server that has not answered.
        reason = said.stderr.strip().rpartition("\n")[2] or "no answer"
        raise DomainUnreachable(
            f"{where} cannot be reached ({reason}). Does DNS know the domain here? domain_server can name one.",
            domain=login.domain,
        )
    if found.get("domain-name", "").lower() != login.domain:
        raise DomainError(f"{where} serves {found.get('domain-name')}, not {login.domain}.", domain=login.domain)
    return login.server or found["domain-controller"], found["domain-short"]


def _ask_for_ticket(login: Login, server: str, folder: Path, tickets: str) -> None:
    who = login.username if "@" in login.username else f"{login.username}@{login.realm}"
    proof = ["-k", "-t", login.keytab] if login.keytab else []
    argv = ["kinit", "-c", tickets, *proof, "--", who]
    try:
        run(
            argv,
            stdin=None if login.keytab else f"{login.password}\n",
            timeout=_PATIENCE,
            secrets=_environment(folder, tickets),
        )
    except ToolFailed as error:
        reason = _reason(error)
        facts = {"domain": login.domain, "server": server}
        if any(text in reason for text in _REFUSED):
            raise DomainRefused(f"The domain {login.domain} does not let {who} in: {reason}", **facts) from error
        if _ASKS_FOR_MORE in reason:
            raise DomainRefused(
                f"The domain {login.domain} does not let {who} in: its password has expired. Log in once, and set a "
                "new one.",
                **facts,
            ) from error
        if any(text in reason for text in _ASLEEP):
            raise DomainUnreachable(f"The domain {login.domain} gives no tickets: {reason}", **facts) from error
        raise DomainError(f"There is no ticket for {who}: {reason}", **facts) from error


def _environment(folder: Path, tickets: str) -> dict[str, str]:
    return {"KRB5_CONFIG": f"{folder}/krb5.conf", "KRB5CCNAME": tickets, "LDAPNOINIT": "1"}


def _reason(error: ToolFailed) -> str:
    """The last line of what a program said, with the remedy where it is the same for all."""
    said = str(error.facts.get("stderr") or error.message).strip().rpartition("\n")[2]
    return f"{said}. Set the clock of this computer; the domain has another time." if "Clock skew" in said else said
