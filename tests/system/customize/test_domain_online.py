# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running Debian joins a real Active Directory domain: the role customize with method online."""

from __future__ import annotations

import json
import os
import re
import typing as t
from pathlib import Path

import pytest

from tests.support.container import Container, debian_tree
from tests.support.deployed import play
from tests.support.network import Neighbour, Network
from tests.support.samba import (
    DOMAIN,
    JOINER,
    ONLINE_CLIENT,
    OU,
    TEACHER,
    VISITOR,
    Person,
    SambaDomain,
    is_member,
    knows_users,
)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")

ADDRESS = "10.77.0.107"
IN_MEMORY = ("Look whether its name is taken", "Join the domain")


class Told(t.NamedTuple):
    code: int
    said: str
    result: dict[str, t.Any]

    @property
    def changed(self) -> list[str]:
        return [each["step"] for each in self.result["steps"] if each["changed"]]


class Bench(t.NamedTuple):
    folder: Path
    network: Network
    domain: SambaDomain
    box: Container

    def join(self, *options: str, who: Person = JOINER, **domain: t.Any) -> Told:
        """How the play ends, what it shows, and what the role tells. No password is ever to be seen."""
        role = {"name": "golden.fleet.customize", "tasks_from": "online"}
        kept = self.folder / "result.json"
        keep = {"dest": str(kept), "content": "{{ customize_result | default({}) | to_json }}", "mode": "0600"}
        keep_it = {
            "ansible.builtin.copy": keep,
            "delegate_to": "localhost",
            "check_mode": False,
            "diff": False,
            "changed_when": False,
        }
        tasks = [{"block": [{"ansible.builtin.include_role": role}], "always": [keep_it]}]
        variables = {
            **self.box.connection_vars(ADDRESS),
            "customize_family": "linux",
            "golden_domain": {"name": DOMAIN, "ou": OU, "method": "online", **domain},
        }
        login = {"GOLDEN_DOMAIN_USERNAME": who.name, "GOLDEN_DOMAIN_PASSWORD": who.password}
        done = play(self.folder, self.network, variables, tasks, "-vvv", "--diff", *options, **login)
        said = done.stdout + done.stderr
        assert done.returncode in {0, 2}, said
        assert who.password not in said
        return Told(done.returncode, said, json.loads(kept.read_text()))

    def refused(self, **options: t.Any) -> str:
        told = self.join(**options)
        assert (told.code, told.result["outcome"], told.changed) == (2, "failed", [])
        assert not is_member(self.box)
        message: str = told.result["failed"]["message"]
        return message


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Bench]:
    folder = tmp_path_factory.mktemp("online")
    tree = debian_tree(installed=ONLINE_CLIENT)
    with (
        Network() as network,
        SambaDomain(folder / "samba", network) as domain,
        Neighbour(network, "52:54:00:12:34:6b", f"{ADDRESS}/24") as place,
    ):
        (folder / "box/written/etc").mkdir(parents=True)
        (folder / "box/written/etc/resolv.conf").write_text(f"nameserver {domain.address}\nsearch {DOMAIN}\n")
        with Container(folder / "box", tree, network=place.name, name="pc-07") as box:
            # As os_hostname leaves it.
            box.write("/etc/hosts", f"127.0.0.1 localhost\n127.0.1.1 pc-07.{DOMAIN} pc-07\n")
            for name in ("adcli", "realm"):  # each writes down how it is called
                box.write(
                    f"/usr/local/sbin/{name}", f'#!/bin/sh\necho "$0 $*" >>/root/seen\nexec /usr/sbin/{name} "$@"\n'
                )
                box.run("chmod", "755", f"/usr/local/sbin/{name}")
            yield Bench(folder, network, domain, box)


def test_refusals_say_why_and_change_nothing(bench: Bench) -> None:
    wrong = Person(JOINER.name, "wrong-Domain-7")
    for options in ((), ("--check",)):
        told = bench.join(*options, who=wrong)
        assert (told.code, told.changed) == (2, [])
        assert f"pc-07 cannot join {DOMAIN} as joiner: " in told.result["failed"]["message"]
        assert "Preauthentication failed" in told.result["failed"]["message"]
    assert "organizational unit does not exist: OU=None" in bench.refused(ou="OU=None,DC=lab,DC=example")
    assert "nsufficient" in bench.refused(who=VISITOR)
    assert "Couldn't find usable domain controller" in bench.refused(name="other.example")
    bench.box.run("mv", "/usr/sbin/realm", "/usr/sbin/realm.away")
    bench.box.run("mv", "/usr/local/sbin/realm", "/root/realm")
    try:
        assert "pc-07 lacks realm. Install in the image the packages adcli, realmd" in bench.refused()
    finally:
        bench.box.run("mv", "/usr/sbin/realm.away", "/usr/sbin/realm")
        bench.box.run("mv", "/root/realm", "/usr/local/sbin/realm")
    assert bench.domain.entry("PC-07$") == {}


def test_a_running_debian_joins(bench: Bench) -> None:
    would = bench.join("--check")
    assert (would.code, would.changed) == (0, ["online_domain", "online_homes"])
    assert not is_member(bench.box)
    assert bench.domain.entry("PC-07$") == {}

    joined = bench.join(sssd={"access_provider": "simple", "simple_allow_users": TEACHER.name})
    assert joined.code == 0, joined.said
    assert joined.result["outcome"] == "ok"
    assert joined.changed == ["online_domain", "online_sssd", "online_homes", "online_start"]
    assert is_member(bench.box)
    entry = bench.domain.entry("PC-07$")
    assert entry["dn"] == [f"CN=PC-07,{OU}"]
    assert entry["dnshostname"] == [f"pc-07.{DOMAIN}"]
    knows_users(bench.box)
    assert "simple_allow_users = teacher" in bench.box.run("cat", "/etc/sssd/sssd.conf").stdout
    assert bench.box.run("systemctl", "is-enabled", "sssd").stdout.strip() == "enabled"

    again = bench.join(sssd={"access_provider": "simple", "simple_allow_users": TEACHER.name})
    assert (again.code, again.changed) == (0, [])
    assert re.search(r"changed=0 .*failed=0", again.said)
    other = bench.join(sssd={"simple_allow_users": "pupil"})
    assert other.changed == ["online_sssd", "online_start"]
    assert bench.domain.entry("PC-07$")["pwdlastset"] == entry["pwdlastset"], "it has joined again"

    for task in IN_MEMORY:
        (shown,) = re.findall(
            rf"^TASK \[\S+ : online_linux \| {task}\].*?(?=^TASK)", joined.said, re.DOTALL | re.MULTILINE
        )
        assert " EXEC " in shown
        assert " PUT " not in shown, "the password was written into a file"
    seen = bench.box.run("cat", "/root/seen").stdout
    assert "realm join" in seen
    assert JOINER.password not in seen
    assert (
        bench.box.run("sh", "-c", 'grep -rlF "$1" /etc /var /root /tmp /run', "sh", JOINER.password, check=False).stdout
        == ""
    )


def test_a_membership_that_does_not_count_any_more(bench: Bench) -> None:
    """The account was removed; then another computer has taken its name."""
    assert bench.join(reuse=True).code == 0
    bench.domain.tool("computer", "delete", "PC-07")
    assert not is_member(bench.box)
    assert bench.join().changed[:2] == ["online_leave", "online_domain"]
    assert is_member(bench.box)
    knows_users(bench.box)

    bench.domain.tool("computer", "delete", "PC-07")
    bench.domain.tool("computer", "create", "PC-07", f"--computerou={OU.partition(',DC=')[0]}")
    before = bench.domain.entry("PC-07$")["objectsid"]
    assert f"{DOMAIN} has an account PC-07 already" in bench.refused()
    assert bench.join(reuse=True).changed[:2] == ["online_leave", "online_domain"]
    assert is_member(bench.box)
    assert bench.domain.entry("PC-07$")["objectsid"] == before


def test_a_domain_controller_that_is_named(bench: Bench) -> None:
    assert bench.join(reuse=True).code == 0
    bench.domain.tool("computer", "delete", "PC-07")
    told = bench.join(server=f"dc1.{DOMAIN}", configure=False)
    assert told.code == 0, told.result
    assert told.changed == ["online_leave", "online_domain", "online_start"]
    assert is_member(bench.box)


def test_a_domain_that_cannot_be_reached_ends_no_membership(bench: Bench) -> None:
    assert bench.join(reuse=True).code == 0
    keytab = bench.box.run("sha256sum", "/etc/krb5.keytab").stdout
    resolver = bench.box.run("cat", "/etc/resolv.conf").stdout
    bench.box.write("/etc/resolv.conf", "nameserver 10.77.0.99\noptions timeout:1 attempts:1\n")
    try:
        told = bench.join()
    finally:
        bench.box.write("/etc/resolv.conf", resolver)
    assert (told.code, told.changed) == (2, [])
    assert bench.box.run("sha256sum", "/etc/krb5.keytab").stdout == keytab
    assert is_member(bench.box)
