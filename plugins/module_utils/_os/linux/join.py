# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Makes a deployed Linux a member of an Active Directory domain, with a password that counts once.

adcli joins, sssd knows the users. Either the machine joins at its first boot, or we do it for it and leave the keytab.
"""

from __future__ import annotations

import contextlib
import shlex
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ..._errors import DomainError, OsError, ToolFailed, UsageError
from ..._run import run
from ..hostnames import check_computer_name, check_hostname
from ..tree import LINUX, Tree
from .selinux import order_relabel

FIRST_BOOT, NOW = "first_boot", "now"
_FOLDER = "/etc/golden.fleet/join"
_PASSWORD = f"{_FOLDER}/password"
_SSSD_LATER, _SSSD = f"{_FOLDER}/sssd.conf", "/etc/sssd/sssd.conf"
_SCRIPT = f"{_FOLDER}/join"
_UNIT = "/etc/systemd/system/golden-join.service"
_WANTED = "/etc/systemd/system/multi-user.target.wants/golden-join.service"
_KEYTAB, _KRB5 = "/etc/krb5.keytab", "/etc/krb5.conf"
_NSSWITCH = "/etc/nsswitch.conf"
_PATIENCE = 120.0  # seconds for adcli
_PRIVATE = {_PASSWORD: 0o600, _SSSD_LATER: 0o600, _SSSD: 0o600, _KEYTAB: 0o600, _SCRIPT: 0o700}
# What must be in the tree, and the packages that bring it, of Debian and of others.
_NEEDED = (
    ("/usr/sbin/adcli", "adcli", "adcli"),
    ("/usr/sbin/sssd", "sssd-ad", "sssd-ad"),
    ("sssd/libsss_ad.so", "sssd-ad", "sssd-ad"),
    ("libnss_sss.so.2", "libnss-sss", "sssd-client"),
    ("security/pam_sss.so", "libpam-sss", "sssd-client"),
)

_UNIT_TEXT = f"""\
[Unit]
Description=Join the domain at the first boot (golden.fleet)
Wants=network-online.target
After=network-online.target nss-lookup.target time-sync.target
ConditionPathExists={_SCRIPT}

[Service]
Type=oneshot
ExecStart=/bin/sh {_SCRIPT}

[Install]
WantedBy=multi-user.target
"""
_SCRIPT_TEXT = """\
#!/bin/sh
# Written by golden.fleet.os_domain_join. It runs once and takes itself away, also where it fails.
export LC_ALL=C.UTF-8

forget_password() {{
    [ ! -e {password} ] || shred --remove {password} || rm -f {password}
    sync
}}

forget() {{
    forget_password
    rm -rf {folder} {wanted} {unit}
}}

join() {{
    said=$({adcli} <{password} 2>&1)
    code=$?
    printf '%s\\n' "$said"
    return $code
}}

if [ -e {password} ]; then
    rm -f {keytab}
    until=$(($(date +%s) + {patience}))
    until join; do
        case $said in
        *'Preauthentication failed'*|*revoked*)
            echo 'golden.fleet: the one-time password does not count (any more). Prepare the account again.'
            forget
            exit 1
            ;;
        esac
        if [ "$(date +%s)" -ge "$until" ]; then
            echo 'golden.fleet: this computer has not joined the domain; the reason stands above.'
            forget
            exit 1
        fi
        sleep 5
    done
    # Whatever ends this boot now, the next one goes on from here.
    forget_password
fi
if [ -e {sssd_later} ]; then
    install -D -m 600 {sssd_later} {sssd}
    if command -v authselect >/dev/null; then
        authselect select sssd with-mkhomedir --force && systemctl enable --now oddjobd.service
    elif command -v pam-auth-update >/dev/null; then
        DEBIAN_FRONTEND=noninteractive pam-auth-update --enable sss mkhomedir
    elif command -v pam-config >/dev/null; then
        pam-config --add --sss --mkhomedir
    fi
    # Packages of Debian, and authselect, have done so; nobody does on a SUSE, which may have the file elsewhere.
    [ -e {nsswitch} ] || cp /usr{nsswitch} {nsswitch}
    for what in passwd group; do
        grep -q "^$what:.*[[:space:]]sss" {nsswitch} || sed -i "s/^$what:.*/& sss/" {nsswitch}
    done
fi
forget
systemctl daemon-reload
systemctl enable sssd.service
systemctl restart sssd.service
"""


@dataclass(frozen=True)
class JoinRequest:
    """How a machine becomes a member. The repr holds no secret.

    :ivar name: of its account, without $.
    :ivar when: first_boot, or now.
    :ivar server: DNS name of a domain controller; empty for any.
    :ivar configure: sssd.conf, and who may log in, are our business.
    :ivar sssd: more options for the domain's section of sssd.conf.
    :ivar patience: seconds that the first boot tries.
    """

    name: str
    domain: str
    password: str = field(repr=False)
    when: str = FIRST_BOOT
    server: str = ""
    configure: bool = True
    sssd: t.Mapping[str, str] = field(default_factory=dict)
    patience: float = 600.0

    @property
    def account(self) -> str:
        return self.name.upper()

    def check(self) -> None:
        """:raises UsageError: something makes no sense."""
        check_computer_name(self.name)
        check_hostname(self.domain)
        if "." not in self.domain:
            raise UsageError(f"{self.domain!r} has no dot. Give the DNS name of the domain, such as lab.example.")
        if self.server:
            check_hostname(self.server)
        if not self.password or not self.password.isprintable():
            raise UsageError("one_time_password is empty, or holds something that nobody can type.")
        for name, value in self.sssd.items():
            if not name.replace("_", "").isalnum() or not value.isprintable():
                raise UsageError(f"{name} = {value!r} cannot stand in sssd.conf.")


def apply(tree: Tree, request: JoinRequest, check: bool) -> dict[str, t.Any]:
    """Make the deployed Linux join.

    :returns: changed, diff, name, domain, joined (already, not at the first boot).
    :raises OsError: programs are missing in it.
    :raises DomainError: with NOW, the domain refuses.
    """
    request.check()
    if tree.family != LINUX:
        raise OsError(
            f"At {tree.root.path} is a Windows. It joins by a blob in its answer file: "
            "golden.fleet.ad_computer with method=offline_blob, and golden.fleet.os_unattend."
        )
    _need_programs(tree)
    keytab = _keytab(tree, request, check) if request.when == NOW else None
    wanted = {path: data for path, data in _files(tree, request).items() if tree.root.read(path) != data}
    if keytab is not None:
        wanted[_KEYTAB] = keytab
    linked = tree.root.link_target(_WANTED) == f"../{_UNIT.rpartition('/')[2]}"
    outdated = [_PASSWORD] if request.when == NOW and tree.root.exists(_PASSWORD) else []
    changed = bool(wanted or outdated or not linked)
    if changed and not check:
        try:
            _write(tree, wanted, outdated)
        except OsError:
            _forget(tree)
            raise
    return {
        "changed": changed,
        "name": request.account,
        "domain": request.domain.lower(),
        "joined": request.when == NOW and not (check and keytab is not None),
        "diff": _diff(request, sorted([*wanted, *outdated])),
    }


def sssd_conf(domain: str, realm: str, account: str, server: str, more: t.Mapping[str, str]) -> str:
    """The file that sssd is set up by."""
    options = {
        "id_provider": "ad",
        "access_provider": "ad",
        "ad_domain": domain,
        **({"ad_server": f"{server}, _srv_"} if server else {}),
        "krb5_realm": realm,
        # The computer's own name may be another one, and an image may bring keys of others along.
        "ldap_sasl_authid": f"{account}$",
        "cache_credentials": "true",
        "use_fully_qualified_names": "false",
        "fallback_homedir": "/home/%u",
        "default_shell": "/bin/bash",
        **more,
    }
    lines = "".join(f"{name} = {value}\n" for name, value in options.items())
    return f"[sssd]\ndomains = {domain}\n\n[domain/{domain}]\n{lines}"


def with_default_realm(text: str, realm: str) -> str:
    """A krb5.conf in which it is the default realm. All else stays."""
    line = f"    default_realm = {realm}\n"
    found, section, done = [], "", False
    for each in text.splitlines(keepends=True):
        words = each.strip()
        if words.startswith("["):
            section = words
        if section == "[libdefaults]" and words.partition("=")[0].strip() == "default_realm":
            continue
        found.append(each)
        if words == "[libdefaults]" and not done:
            found.append(line)
            done = True
    return "".join(found) if done else f"[libdefaults]\n{line}\n{text}"


def adcli_join(request: JoinRequest, keytab: str = _KEYTAB) -> list[str]:
    """The command that joins. It reads the password, so that no list of processes shows it."""
    realm = request.domain.upper()
    where = [f"--domain={request.domain.lower()}", f"--domain-realm={realm}"]
    if request.server:
        where.append(f"--domain-controller={request.server}")
    who = [f"--computer-name={request.account}", f"--host-fqdn={request.name.lower()}.{request.domain.lower()}"]
    return ["adcli", "join", "--verbose", *where, *who, f"--host-keytab={keytab}", *_ITSELF]


_ITSELF = ("--login-type=computer", "--stdin-password")


def _files(tree: Tree, request: JoinRequest) -> dict[str, bytes]:
    """All that shall be in the tree, besides the keytab."""
    domain, realm = request.domain.lower(), request.domain.upper()
    script = _SCRIPT_TEXT.format(
        adcli=shlex.join(adcli_join(request)),
        folder=_FOLDER,
        keytab=_KEYTAB,
        nsswitch=_NSSWITCH,
        password=_PASSWORD,
        patience=int(request.patience),
        sssd=_SSSD,
        sssd_later=_SSSD_LATER,
        unit=_UNIT,
        wanted=_WANTED,
    )
    krb5 = (tree.root.read(_KRB5) or b"").decode("utf-8", "surrogateescape")
    found = {
        _SCRIPT: script.encode(),
        _UNIT: _UNIT_TEXT.encode(),
        _KRB5: with_default_realm(krb5, realm).encode("utf-8", "surrogateescape"),
    }
    if request.when == FIRST_BOOT:
        found[_PASSWORD] = request.password.encode()
    if request.configure:
        found[_SSSD_LATER] = sssd_conf(domain, realm, request.account, request.server, request.sssd).encode()
    return found


def _write(tree: Tree, wanted: t.Mapping[str, bytes], outdated: list[str]) -> None:
    tree.root.folder(_FOLDER, 0o700)
    for path, data in wanted.items():
        tree.root.write(path, data, mode=_PRIVATE.get(path), owner=(0, 0) if path in _PRIVATE else None)
    for path in outdated:
        tree.root.remove(path)
    tree.root.link(_WANTED, f"../{_UNIT.rpartition('/')[2]}")
    order_relabel(tree.root)


def _forget(tree: Tree) -> None:
    """Take away what waits for the first boot, the password above all."""
    with contextlib.suppress(OsError):
        tree.root.remove_all(_FOLDER)


def _need_programs(tree: Tree) -> None:
    missing = [packages for place, *packages in _NEEDED if not _has(tree, place)]
    if missing:
        debian = tree.root.exists("/usr/bin/dpkg")
        names = sorted({packages[0 if debian else 1] for packages in missing})
        raise OsError(
            f"The deployed {tree.release.get('name', 'Linux')} lacks what it joins a domain with. Install in the image "
            f"the packages {', '.join(names)}.",
            packages=names,
        )


def _has(tree: Tree, place: str) -> bool:
    if place.startswith("/"):
        return tree.root.exists(place)
    folders = [f"/usr/{lib}" for lib in ("lib64", "lib")]
    folders += [f"/usr/lib/{name}" for name in tree.root.names("/usr/lib") if "-linux-" in name]
    return any(tree.root.exists(f"{folder}/{place}") for folder in folders)


def _keytab(tree: Tree, request: JoinRequest, check: bool) -> bytes | None:
    """The computer's keys, from the domain; None if the ones in the tree are good."""
    with tempfile.TemporaryDirectory(prefix="golden-join-") as name:
        keytab = Path(name, "keytab")
        before = tree.root.read(_KEYTAB)
        if before and _is_of(before, request.account):
            keytab.touch(0o600)
            keytab.write_bytes(before)
            if _is_member(request, keytab):
                return None
            keytab.unlink()
        if check:
            return b""
        try:
            run(adcli_join(request, str(keytab)), stdin=request.password, timeout=_PATIENCE)
        except ToolFailed as error:
            raise DomainError(
                f"{request.account} cannot join {request.domain}: {_reason(error)}. A one-time password counts once; "
                "prepare the account again with golden.fleet.ad_computer.",
                domain=request.domain,
            ) from error
        return keytab.read_bytes()


def _is_of(keytab: bytes, account: str) -> bool:
    """Whether keys of this account are in there: those of the reference computer are good, too, and its own.

    Each part of a name has its length before it.
    """
    name = f"{account}$".encode()
    return len(name).to_bytes(2, "big") + name in keytab


def _is_member(request: JoinRequest, keytab: Path) -> bool:
    server = [f"--domain-controller={request.server}"] if request.server else []
    argv = ["adcli", "testjoin", f"--domain={request.domain.lower()}", *server, f"--host-keytab={keytab}"]
    return run(argv, ok=range(256), timeout=_PATIENCE).rc == 0


def _reason(error: ToolFailed) -> str:
    return str(error.facts.get("stderr") or error.message).strip().rpartition("\n")[2].strip().rstrip(".")


def _diff(request: JoinRequest, paths: list[str]) -> dict[str, t.Any]:
    """Which files; not what is in them."""
    if not paths:
        return {"before": {}, "after": {}}
    return {"before": {}, "after": {"name": request.account, "domain": request.domain.lower(), "files": paths}}
