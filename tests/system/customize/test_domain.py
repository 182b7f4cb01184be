# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computers of a real Active Directory domain: their accounts, and a Debian that joins by itself."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.support.container import Container, debian_tree
from tests.support.deployed import Apart, opened, play, small_linux
from tests.support.disks import call
from tests.support.filesystem import mounted_ext4
from tests.support.network import Neighbour, Network
from tests.support.playbook import ansible_environment
from tests.support.samba import (
    ADMINISTRATOR,
    CLIENT,
    DC,
    DOMAIN,
    FORBIDDEN_OU,
    JOINER,
    OU,
    REALM,
    SHORT,
    VISITOR,
    Person,
    SambaDomain,
    is_member,
    knows_users,
)

MODULES = "ansible_collections.golden.fleet.plugins.modules"
SECRETS = {ADMINISTRATOR.password, JOINER.password, VISITOR.password}


@pytest.fixture(scope="module")
def network() -> t.Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def domain(network: Network, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[SambaDomain]:
    with SambaDomain(tmp_path_factory.mktemp("samba"), network) as running:
        yield running


class Module(t.NamedTuple):
    """A module, as Ansible would run it on a computer of the domain's network.

    :ivar command: what it is started by.
    """

    command: list[str]

    def __call__(
        self, which: str, /, *, check: bool = False, env: t.Mapping[str, str] | None = None, **params: t.Any
    ) -> t.Any:
        done = subprocess.run(
            [*self.command, sys.executable, "-m", f"{MODULES}.{which}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": {**params, "_ansible_check_mode": check}}),
            env={**os.environ, **(env or {}), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        assert not any(secret in done.stdout for secret in SECRETS)
        return json.loads(done.stdout)

    def computer(self, name: str, who: Person = JOINER, **params: t.Any) -> t.Any:
        """ad_computer."""
        login = {"domain_username": who.name, "domain_password": who.password}
        given = {"domain": DOMAIN, "name": name, **login, **params}
        return self("ad_computer", **{option: value for option, value in given.items() if value is not None})


@pytest.fixture(scope="module")
def module(domain: SambaDomain) -> Module:
    return Module(domain.inside())


def test_an_account_is_made_reused_and_removed(domain: SambaDomain, module: Module) -> None:
    would = module.computer("pc-01", ou=OU, check=True)
    assert (would["changed"], would["created"], would["one_time_password"]) == (True, True, None)
    assert domain.entry("PC-01$") == {}
    made = module.computer("pc-01", ou=OU)
    dn = f"CN=PC-01,{OU}"
    assert (made["changed"], made["created"], made["dn"], made["server"]) == (True, True, dn, DC)
    entry = domain.entry("PC-01$")
    assert entry["dn"] == [dn]
    assert entry["dnshostname"] == [f"pc-01.{DOMAIN}"]
    assert can_log_in(domain, "PC-01$", made["one_time_password"])

    refused = module.computer("pc-01", ou=OU)
    assert refused["failed"]
    assert dn in refused["msg"]
    assert "reuse" in refused["msg"]
    assert can_log_in(domain, "PC-01$", made["one_time_password"]), "a refusal has reset the account"

    again = module.computer("pc-01", ou=OU, reuse=True)
    assert (again["created"], again["dn"]) == (False, dn)
    assert domain.entry("PC-01$")["objectsid"] == entry["objectsid"], "it is another account"
    assert can_log_in(domain, "PC-01$", again["one_time_password"])
    assert not can_log_in(domain, "PC-01$", made["one_time_password"])

    assert module.computer("pc-01", state="absent", check=True)["changed"]
    assert domain.entry("PC-01$")
    assert module.computer("pc-01", state="absent")["dn"] == dn
    assert domain.entry("PC-01$") == {}
    assert not module.computer("pc-01", state="absent")["changed"]


def can_log_in(domain: SambaDomain, account: str, password: str) -> bool:
    """By Kerberos: NTLM takes the password before for another hour."""
    asked = domain.inside("kinit", "-c", "MEMORY:", f"{account}@{REALM}")
    return subprocess.run(asked, input=password.encode(), capture_output=True, check=False).returncode == 0


def test_where_computers_go_by_default(domain: SambaDomain, module: Module) -> None:
    made = module.computer("pc-02", ADMINISTRATOR)
    assert made["dn"] == "CN=PC-02,CN=Computers,DC=lab,DC=example"
    assert domain.entry("PC-02$")["dn"] == [made["dn"]]


BAD_NAMES = ["a-name-of-16-chrs", "pc 17", "pc_17", "17", "-pc", "pc*)(objectClass=*", "pc.lab", ""]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_no_computer_can_have(module: Module, name: str) -> None:
    result = module.computer(name, ou=OU)
    assert result["failed"]
    assert "name of a computer" in result["msg"] or "characters" in result["msg"] or "dot" in result["msg"]


def test_refusals(domain: SambaDomain, module: Module) -> None:
    cases = [
        (module.computer("pc-03", Person(JOINER.name, "wrong"), ou=OU), f"does not let joiner@{REALM} in"),
        (module.computer("pc-03", Person("nobody", "x"), ou=OU), f"does not let nobody@{REALM} in"),
        (module.computer("pc-03", VISITOR, ou=OU), f"visitor may not make computer accounts in {OU}"),
        (module.computer("pc-03", VISITOR, ou=OU, check=True), f"visitor may not make computer accounts in {OU}"),
        (module.computer("pc-03", ou=FORBIDDEN_OU), "joiner may not make computer accounts"),
        (module.computer("pc-03", ou=f"OU=Missing,{OU}"), f"There is no OU=Missing,{OU}"),
        (module.computer("pc-03", ou=f"OU=Missing,{OU}", check=True), f"There is no OU=Missing,{OU}"),
        (module.computer("pc-03", ou="OU=Lab A,DC=other,DC=example"), "is not in the domain lab.example"),
        (module.computer("pc-03", ou=OU, domain_server="dc9.lab.example"), "dc9.lab.example cannot be reached"),
        (module.computer("pc-03", ou=OU, domain_server=domain.address), "Kerberos knows servers by name"),
        (module.computer("pc-03", domain="other.example"), "A domain controller of other.example cannot be reached"),
        (module.computer("pc-03", ou=OU, domain_password=None), "domain_keytab"),
        (module.computer("dc1", ADMINISTRATOR, reuse=True), "it is not reused"),
        (module.computer("dc1", ADMINISTRATOR, state="absent"), "it is not removed"),
    ]
    for result, message in cases:
        assert result.get("failed"), message
        assert message in result["msg"]
    assert domain.entry("PC-03$") == {}


def test_an_account_that_is_not_to_be_taken(domain: SambaDomain, module: Module) -> None:
    module.computer("pc-04", ADMINISTRATOR, ou=FORBIDDEN_OU)
    elsewhere = module.computer("pc-04", ou=OU, reuse=True)
    assert f"is not in {OU}" in elsewhere["msg"]
    forbidden = module.computer("pc-04", reuse=True)
    assert "does not allow joiner to do that" in forbidden["msg"]
    kept = module.computer("pc-04", state="absent")
    assert "does not allow joiner to do that" in kept["msg"]
    assert domain.entry("PC-04$")
    module.computer("pc-05", ou=OU)
    domain.tool("user", "disable", "PC-05$")
    assert "is disabled" in module.computer("pc-05", ou=OU, reuse=True)["msg"]


def test_a_name_that_something_else_has(domain: SambaDomain, module: Module) -> None:
    domain.tool("ou", "create", f"OU=Odd,{OU}")
    domain.tool("contact", "create", "PC-20", f"--ou={OU.removesuffix(',DC=lab,DC=example')}")
    for check in (True, False):
        taken = module.computer("pc-20", ou=OU, check=check, reuse=True)
        assert f"CN=PC-20,{OU} is something else than the account of PC-20" in taken["msg"]
        assert taken["exists"]
    domain.tool("contact", "delete", "PC-20")


def test_organizational_units_with_odd_names(domain: SambaDomain, module: Module) -> None:
    for number, ou in enumerate(["OU=Räume\\, alt", "OU=a\\=b\\+c", "OU=sharp \\# #"]):
        domain.tool("ou", "create", f"{ou},{OU}")
        for reuse in (False, True):
            made = module.computer(f"pc-21{number}", ou=f"{ou},{OU}", reuse=reuse)
            assert not made.get("failed"), made
            blob = module.computer(f"pc-21{number}", ou=f"{ou},{OU}", reuse=True, method="offline_blob")
            assert not blob.get("failed"), blob
            assert not module.computer(f"pc-21{number}", state="absent" if reuse else "present", reuse=True).get(
                "failed"
            )


def test_a_password_that_has_expired(domain: SambaDomain, module: Module) -> None:
    domain.tool("user", "create", "late", "late-Domain-7", "--must-change-at-next-login")
    late = module.computer("pc-22", Person("late", "late-Domain-7"), ou=OU)
    assert "late@LAB.EXAMPLE in: its password has expired" in late["msg"]


def test_credentials_by_other_ways(domain: SambaDomain, module: Module, tmp_path: Path) -> None:
    plain: dict[str, t.Any] = {"domain_username": None, "domain_password": None, "ou": OU, "check": True}
    env = {"GOLDEN_DOMAIN_USERNAME": JOINER.name, "GOLDEN_DOMAIN_PASSWORD": JOINER.password}
    assert module.computer("pc-06", env=env, **plain)["changed"]

    (tmp_path / "password").write_text(f"{JOINER.password}\n")
    by_file = {**plain, "domain_username": JOINER.name, "domain_password_file": str(tmp_path / "password")}
    assert module.computer("pc-06", **by_file)["changed"]
    assert "cannot be read" in module.computer("pc-06", **{**by_file, "domain_password_file": "/nowhere"})["msg"]

    keytab = tmp_path / "keytab"
    domain.tool("domain", "exportkeytab", str(keytab), f"--principal={JOINER.name}@{REALM}")
    assert module.computer("pc-06", **{**plain, "domain_username": JOINER.name, "domain_keytab": str(keytab)})[
        "changed"
    ]

    cache = f"FILE:{tmp_path}/tickets"
    (tmp_path / "krb5.conf").write_text(f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = true\n")
    env = {**os.environ, "KRB5_CONFIG": str(tmp_path / "krb5.conf")}
    kinit = domain.inside("kinit", "-c", cache, JOINER.name)
    subprocess.run(kinit, input=f"{JOINER.password}\n", text=True, check=True, capture_output=True, env=env)
    assert module.computer("pc-06", **plain, domain_ticket_cache=cache)["changed"]
    assert (tmp_path / "tickets").exists()
    none = module.computer("pc-06", **plain, domain_ticket_cache=f"FILE:{tmp_path}/none")
    assert f"FILE:{tmp_path}/none holds no ticket" in none["msg"]


def test_a_blob_is_good(domain: SambaDomain, module: Module, tmp_path: Path) -> None:
    made = module.computer("pc-07", ou=OU, method="offline_blob")
    assert made["dn"] == f"CN=PC-07,{OU}"
    assert domain.entry("PC-07$")["dn"] == [made["dn"]]
    assert base64.b64decode(made["blob"])
    assert joined_by(domain, made["blob"], tmp_path / "first") == "Join is OK"
    assert "reuse" in module.computer("pc-07", ou=OU, method="offline_blob")["msg"]
    again = module.computer("pc-07", ou=OU, method="offline_blob", reuse=True)
    assert joined_by(domain, again["blob"], tmp_path / "second") == "Join is OK"
    assert "Join is OK" not in joined_by(domain, made["blob"], tmp_path / "third")


def joined_by(domain: SambaDomain, blob: str, folder: Path) -> str:
    """What net says when a computer has requested its join by a blob."""
    folder.mkdir()
    (folder / "blob").write_bytes(b"\xff\xfe" + blob.encode("utf-16-le") + b"\0\0")
    own = ["private dir", "state directory", "cache directory", "lock directory", "pid directory"]
    lines = [f"{name} = {folder}" for name in own]
    lines += [
        "security = ads",
        f"realm = {REALM}",
        f"workgroup = {SHORT}",
        "netbios name = PC-07",
        f"log file = {folder}/log",
    ]
    (folder / "smb.conf").write_text("\n".join(["[global]", *lines, ""]))
    config = f"--configfile={folder}/smb.conf"
    env = {**os.environ, "KRB5_CONFIG": str(folder / "krb5.conf")}
    (folder / "krb5.conf").write_text(f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = true\n")
    said = ""
    for words in (["offlinejoin", "requestodj", f"loadfile={folder}/blob"], ["ads", "testjoin"]):
        done = subprocess.run(
            domain.inside("net", *words, config), capture_output=True, text=True, check=False, env=env
        )
        said = (done.stdout + done.stderr).strip()
    return said.rpartition("\n")[2]


def test_no_secret_is_in_a_command_line(module: Module, tmp_path: Path) -> None:
    """Every program that is started is written down with its arguments."""
    seen = tmp_path / "seen"
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("adcli", "kinit", "ldapdelete", "ldapmodify", "ldapsearch", "net"):
        (programs / name).write_text(f'#!/bin/sh\necho "$0 $*" >>{seen}\nPATH=${{PATH#{programs}:}} exec {name} "$@"\n')
        (programs / name).chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}"}
    made = [
        module.computer("pc-08", ou=OU, env=env),
        module.computer("pc-08", ou=OU, env=env, reuse=True, method="offline_blob"),
        module.computer("pc-08", state="absent", env=env),
    ]
    text = seen.read_text()
    assert {"adcli", "kinit", "ldapdelete", "ldapmodify", "ldapsearch", "net"} <= {
        line.split()[0].rpartition("/")[2] for line in text.splitlines()
    }
    for secret in (*SECRETS, made[0]["one_time_password"], made[1]["blob"]):
        assert secret not in text


def test_no_secret_is_in_the_output_of_a_play(domain: SambaDomain, tmp_path: Path) -> None:
    account = {"golden.fleet.ad_computer": {"domain": DOMAIN, "name": "pc-09", "ou": OU}, "register": "account"}
    kept = {"content": "{{ account.one_time_password }}", "dest": str(tmp_path / "kept"), "mode": "0600"}
    refused = {**account, "register": "refused", "ignore_errors": True}
    tasks = [account, {"ansible.builtin.copy": kept, "no_log": True}, refused]
    (tmp_path / "play.json").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    env = {"GOLDEN_DOMAIN_USERNAME": JOINER.name, "GOLDEN_DOMAIN_PASSWORD": JOINER.password}
    tool = str(Path(sys.executable).with_name("ansible-playbook"))
    here = ["-i", "localhost,", "-e", f"ansible_connection=local ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        domain.inside(tool, "-vvv", "--diff", *here, tmp_path / "play.json"),
        env={**ansible_environment(tmp_path), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    secret = (tmp_path / "kept").read_text()
    assert len(secret) > 20
    assert secret not in done.stdout + done.stderr
    assert JOINER.password not in done.stdout + done.stderr
    assert "set reuse to true" in done.stdout, "errors are to be seen"


def test_a_blob_that_fails_leaves_no_account(domain: SambaDomain, module: Module, tmp_path: Path) -> None:
    (tmp_path / "net").write_text("#!/bin/sh\necho 'Failed to provision computer account: nobody knows why'\nexit 1\n")
    (tmp_path / "net").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    failed = module.computer("pc-10", ou=OU, method="offline_blob", env=env)
    assert "does not prepare PC-10 for an offline join: Failed to provision" in failed["msg"]
    assert domain.entry("PC-10$") == {}
    module.computer("pc-10", ou=OU)
    assert module.computer("pc-10", ou=OU, method="offline_blob", reuse=True, env=env)["failed"]
    assert domain.entry("PC-10$"), "it was there before"


def test_an_account_that_cannot_be_taken_back(domain: SambaDomain, module: Module, tmp_path: Path) -> None:
    env = pretending(tmp_path, net="echo nobody knows why >&2; exit 1", ldapdelete="echo no >&2; exit 50")
    failed = module.computer("pc-24", ou=OU, method="offline_blob", env=env)
    assert "does not prepare PC-24 for an offline join: nobody knows why" in failed["msg"]
    assert f"CN=PC-24,{OU} was made, and is still there: The domain controller {DC} does not allow" in failed["msg"]
    assert domain.entry("PC-24$")


def pretending(folder: Path, **programs: str) -> dict[str, str]:
    """An environment in which these programs are shell scripts."""
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_what_only_other_domains_say(module: Module, tmp_path: Path) -> None:
    """Each as these programs print it."""
    says = {
        "ldapmodify": (
            "printf 'ldap_add: Referral (10)\\n\\treferrals:\\n\\t\\tldap://dc2/x\\n' >&2; exit 10",
            "is read-only",
        ),
        "kinit": ("echo 'kinit: Clock skew too great while getting initial credentials' >&2; exit 1", "Set the clock"),
        "ldapsearch": ("echo 'GSSAPI Error: (Clock skew too great)' >&2; exit 254", "Set the clock"),
    }
    for name, (text, means) in says.items():
        (tmp_path / name).mkdir()
        env = pretending(tmp_path / name, **{name: text})
        assert means in module.computer("pc-25", ou=OU, env=env)["msg"]


def test_a_full_disk_keeps_no_password(tmp_path: Path) -> None:
    with mounted_ext4(tmp_path, 1 << 20) as root:
        programs = ("adcli", "sssd", "libsss_ad.so", "libnss_sss.so.2", "pam_sss.so")
        places = ("usr/sbin", "usr/sbin", "usr/lib/sssd", "usr/lib", "usr/lib/security")
        for place, name in [*zip(places, programs, strict=True), ("etc", "fstab")]:
            (root / place).mkdir(parents=True, exist_ok=True)
            (root / place / name).touch()
        (root / "etc/os-release").write_text("ID=debian\n")
        call("dd", "if=/dev/zero", f"of={root}/ballast", "bs=1k", "status=none", ok=(1,))
        with (root / "ballast").open("r+b") as file:
            file.truncate((root / "ballast").stat().st_size - 9 * 1024)
        account = {"name": "PC-10", "one_time_password": "once-aA1", "server": DC}
        full = prepare(Module([]), root, account, sssd={"x": "y" * 9000})
        assert "No space left on device" in full["msg"]
        assert not (root / "etc/golden.fleet/join").exists()
        assert call("sh", "-c", f"grep -rl once-aA1 {root} || true") == ""


@contextlib.contextmanager
def machine(network: Network, domain: SambaDomain, folder: Path, number: int) -> t.Iterator[tuple[Container, Path]]:
    """A deployed Debian that has not booted yet: what will run it, and where its tree is mounted meanwhile."""
    tree = debian_tree(installed=CLIENT)
    mac = f"52:54:00:12:34:{number:02x}"
    folder.mkdir()
    with Neighbour(network, mac, f"10.77.0.{number}/24") as place:
        box = Container(folder, tree, network=place.name, name=f"pc-{number}")
        for name in ("written/etc", "work", "root", "mounted"):
            (folder / name).mkdir(parents=True)
        (box.written / "etc/resolv.conf").write_text(f"nameserver {domain.address}\nsearch {DOMAIN}\n")
        (box.written / "etc/fstab").write_text("")
        layers = f"lowerdir={tree},upperdir={box.written},workdir={folder}/work"
        call("mount", "-t", "overlay", "overlay", "-o", layers, folder / "mounted")
        try:
            yield box, folder / "mounted"
        finally:
            if os.path.ismount(folder / "mounted"):
                call("umount", folder / "mounted")
            box.destroy()


def boot(box: Container, tree: Path) -> None:
    call("umount", tree)
    box.start(outlive=False)


def prepare(module: Module, tree: Path, account: t.Mapping[str, t.Any], **params: t.Any) -> t.Any:
    return module(
        "os_domain_join",
        **{
            "root": str(tree),
            "name": account["name"],
            "domain": DOMAIN,
            "one_time_password": account["one_time_password"],
            "server": account["server"],
            **params,
        },
    )


def journal(box: Container) -> str:
    return box.run("journalctl", "-u", "golden-join", "--output=cat", check=False).stdout


def left_behind(box: Container, secret: str) -> list[str]:
    """Files of the machine that hold the secret, or were there to join only."""
    look = 'grep -rlF -e "$1" /etc /var /root /usr/local; ls -d /etc/golden.fleet/join* /etc/systemd/system/golden-*'
    return box.run("sh", "-c", look, "sh", secret, check=False).stdout.split()


def test_a_debian_joins_at_its_first_boot(
    network: Network, domain: SambaDomain, module: Module, tmp_path: Path
) -> None:
    account = module.computer("pc-101", ou=OU)
    with machine(network, domain, tmp_path / "one", 101) as (box, tree):
        (tree / "etc/krb5.keytab").write_bytes(b"keys of the reference computer")
        assert prepare(module, tree, account, check=True)["changed"]
        done = prepare(module, tree, account)
        assert (done["changed"], done["joined"]) == (True, False)
        assert not prepare(module, tree, account)["changed"]
        boot(box, tree)
        assert is_member(box), journal(box)
        knows_users(box)
        assert left_behind(box, account["one_time_password"]) == []
        assert account["one_time_password"] not in journal(box)
        entry = domain.entry("PC-101$")
        assert entry["dn"] == [f"CN=PC-101,{OU}"]
        assert f"host/pc-101.{DOMAIN}" in [each.lower() for each in entry["serviceprincipalname"]]
    # Imaged again: the same account, a new password.
    again = module.computer("pc-101", ou=OU, reuse=True)
    with machine(network, domain, tmp_path / "two", 101) as (box, tree):
        prepare(module, tree, again)
        boot(box, tree)
        assert is_member(box), journal(box)
        assert domain.entry("PC-101$")["objectsid"] == entry["objectsid"]
        knows_users(box)


def test_a_password_that_does_not_count(network: Network, domain: SambaDomain, module: Module, tmp_path: Path) -> None:
    old = module.computer("pc-102", ou=OU)
    module.computer("pc-102", ou=OU, reuse=True)  # since then the old one has expired
    with machine(network, domain, tmp_path / "box", 102) as (box, tree):
        now = prepare(module, tree, old, when="now")
        assert now["failed"]
        assert "PC-102 cannot join lab.example" in now["msg"]
        assert not (tree / "etc/krb5.keytab").exists()
        prepare(module, tree, old)
        boot(box, tree)
        assert not is_member(box)
        assert "the one-time password does not count" in journal(box)
        assert box.run("systemctl", "is-failed", "golden-join", check=False).stdout.strip() == "failed"
        assert left_behind(box, old["one_time_password"]) == []


def test_a_join_from_the_boot_environment(
    network: Network, domain: SambaDomain, module: Module, tmp_path: Path
) -> None:
    account = module.computer("pc-103", ou=OU)
    with machine(network, domain, tmp_path / "box", 103) as (box, tree):
        would = prepare(module, tree, account, when="now", check=True)
        assert (would["changed"], would["joined"]) == (True, False)
        done = prepare(module, tree, account, when="now")
        assert (done["changed"], done["joined"]) == (True, True)
        assert not prepare(module, tree, account, when="now")["changed"], "it is a member already"
        keytab = tree / "etc/krb5.keytab"
        assert keytab.stat().st_mode & 0o777 == 0o600
        boot(box, tree)
        assert is_member(box)
        knows_users(box)
        assert left_behind(box, account["one_time_password"]) == []


def test_a_domain_that_cannot_be_reached(network: Network, domain: SambaDomain, module: Module, tmp_path: Path) -> None:
    account = module.computer("pc-104", ou=OU)
    with machine(network, domain, tmp_path / "box", 104) as (box, tree):
        prepare(module, tree, account, timeout="5s")
        (tree / "etc/resolv.conf").write_text("nameserver 10.77.0.99\noptions timeout:1 attempts:1\n")
        boot(box, tree)
        assert "has not joined the domain" in journal(box)
        assert left_behind(box, account["one_time_password"]) == []


def test_the_role_says_all_of_it(domain: SambaDomain, tmp_path: Path) -> None:
    """The role customize, on a disk with a Linux; where accounts are prepared is this computer, too."""
    needed = ("usr/sbin/adcli", "usr/sbin/sssd", "usr/lib/sssd/libsss_ad.so", "usr/lib/libnss_sss.so.2")
    disk = small_linux(tmp_path, [*needed, "usr/lib/security/pam_sss.so"])
    more = {"when": "now", "timeout": "1m", "sssd": {"access_provider": "simple"}}
    code, told = customize(domain, disk, **more)
    assert (code, told["outcome"]) == (0, "ok")
    assert [each["step"] for each in told["steps"]] == ["account", "mount", "identity", "hostname", "domain", "unmount"]
    with opened(disk) as root:
        assert (root / "etc/krb5.keytab").stat().st_size
        assert "access_provider = simple" in (root / "etc/golden.fleet/join/sssd.conf").read_text()
        assert "+ 60))" in (root / "etc/golden.fleet/join/join").read_text()
        assert not (root / "etc/golden.fleet/join/password").exists()
    assert customize(domain, disk, configure=False)[0] == 0
    with opened(disk) as root:
        assert (root / "etc/golden.fleet/join/password").exists()
        assert "+ 600))" in (root / "etc/golden.fleet/join/join").read_text()
    code, told = customize(domain, disk, ou="OU=None,DC=lab,DC=example")
    assert (code, told["outcome"], told["steps"], told["failed"]["step"]) == (2, "failed", [], "account")
    assert "is not in OU=None" in told["failed"]["message"]


def customize(domain: SambaDomain, disk: Path, **more: t.Any) -> tuple[int, dict[str, t.Any]]:
    """How a play ends that prepares the account and customizes the disk; and what the role tells."""
    role = {"name": "golden.fleet.customize"}
    kept = disk.with_suffix(".json")
    keep = {"dest": str(kept), "content": "{{ customize_result | to_json }}", "mode": "0600"}
    tasks = [
        {"ansible.builtin.include_role": {**role, "tasks_from": "preflight"}},
        {
            "block": [
                {"ansible.builtin.include_role": {**role, "tasks_from": "account"}},
                {"ansible.builtin.include_role": role},
            ],
            "always": [{"ansible.builtin.copy": keep}],
        },
    ]
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "customize_disk": str(disk),
        "customize_family": "linux",
        "golden_domain": {"name": DOMAIN, "ou": OU, "reuse": True, "run_from": "controller", **more},
        "golden_domain_username": JOINER.name,
        "golden_domain_password": JOINER.password,
    }
    done = play(disk.parent, Apart(domain), variables, tasks, "-vvv")
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
    return done.returncode, json.loads(kept.read_text())
