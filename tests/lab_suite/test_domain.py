# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that comes up as itself: with its name, its users, in its domain; and again, after it was imaged again.

The tests build on each other. A secret goes in through every way that there is, and somebody looks for all of them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.fleet.plugins.module_utils._disk.table import read_table

from tests.lab_suite.fleet import Fleet, Record, is_blank
from tests.lab_suite.spy import Spy, files_with, forms
from tests.support.container import archive_of, debian_tree
from tests.support.disks import call
from tests.support.samba import CLIENT, DOMAIN, JOINER, OU, TEACHER, SambaDomain

IMAGE = "lab-a:member"
PC = "pc-1"
_INSTALL = """\
mount -o "loop,offset=$1" "$2" "$3"
trap 'umount "$3"' EXIT
mount --bind "$4" "$3/mnt"
chroot "$3" sh -ec 'dpkg --install /mnt/*.deb' >/dev/null
umount "$3/mnt"
"""

# Of this machine alone, and to be seen nowhere.
PASSWORD = f"local-{secrets.token_hex(8)}-Aa1"
IN_FILE = f"file-{secrets.token_hex(8)}"
HASH = f"$6$salt$hash{secrets.token_hex(8)}"

VARIABLES: dict[str, t.Any] = {
    "golden_image": IMAGE,
    "golden_hostname": "desk-7",
    "golden_timezone": "Europe/Berlin",
    "golden_domain": {"name": DOMAIN, "ou": OU},
    "golden_users": [
        {"name": "keeper", "password": PASSWORD, "groups": ["adm"]},
        {"name": "hashed", "password_hash": HASH},
    ],
    "golden_files": [
        {"dest": "/etc/resolv.conf", "content": f"nameserver 10.77.0.1\nsearch {DOMAIN}\n"},
        {"dest": "/etc/secret", "content": IN_FILE, "mode": "0600"},
    ],
    "golden_first_boot": ["date +%Z >/var/lib/zone"],
    "golden_verify": True,
    "verify_domain_user": TEACHER.name,
    "verify_ignored_units": ["systemd-networkd-wait-online.service"],
}
TAKEN = {"golden_domain": {"name": DOMAIN, "ou": OU, "reuse": True}}
# Who prepares accounts, said in two ways.
JOINERS = {"golden_domain_username": JOINER.name, "golden_domain_password": JOINER.password}
ENVIRONMENT = {"GOLDEN_DOMAIN_USERNAME": JOINER.name, "GOLDEN_DOMAIN_PASSWORD": JOINER.password}


@pytest.fixture(scope="module")
def domain(fleet: Fleet) -> t.Iterator[SambaDomain]:
    """Its domain controller; the imaging server asks its DNS."""
    folder = fleet.folder / "domain"
    shutil.rmtree(folder, ignore_errors=True)  # of a run before, in the same lab
    with SambaDomain(folder, fleet.network) as domain:
        fleet.server.run("sh", "-c", 'echo "nameserver $1" >/etc/resolv.conf', "sh", domain.address)
        yield domain


@pytest.fixture(scope="module")
def member(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An image of the reference computer with what a member of a domain needs."""
    if any(each.get("image") == "lab-a:domain" for each in fleet.records("ref-pc", "capture")):
        return
    fleet.cut_power("ref-pc")
    disk = fleet.disk("ref-pc")
    table = read_table(str(disk), 512)
    assert table
    start = table.partitions[-1].start
    debs = archive_of(debian_tree(CLIENT))
    call("unshare", "--mount", "sh", "-ec", _INSTALL, "sh", str(start), disk, tmp_path_factory.mktemp("root"), debs)
    fleet.play("capture", "-l", "reference", golden_version="domain", capture_tags=["member"])
    fleet.cut_power("ref-pc")


class Desk:
    """The machine, as somebody who sits far from it sees it."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def login(self, user: str, *options: str) -> list[str]:
        """A command that logs in, and takes what to run."""
        never = ("-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=5")
        return self._fleet.network.inside("ssh", "-F", "none", *never, *options, f"{user}@{self._fleet.address(PC)}")

    def as_root(self) -> list[str]:
        soon = ("-o", "ServerAliveInterval=2", "-o", "ServerAliveCountMax=2")  # that it has been switched off
        return self.login("root", "-i", self._fleet.key, *soon)

    def run(self, command: str) -> str:
        """As root; what it says."""
        return subprocess.run([*self.as_root(), command], capture_output=True, text=True, check=True).stdout

    def says_to(self, user: str, password: str, command: str, folder: Path) -> str | None:
        """What it says to somebody who logs in with a password; None to whom it lets not in."""
        asked = folder / "ask"
        asked.write_text(f"#!/bin/sh\necho '{password}'\n")
        asked.chmod(stat.S_IRWXU)
        argv = [*self.login(user, "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"), command]
        environment = {**os.environ, "SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force"}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
        return done.stdout.strip() if done.returncode == 0 else None


@pytest.fixture(scope="module")
def desk(fleet: Fleet) -> Desk:
    return Desk(fleet)


def customized(record: Record) -> list[str]:
    return [each["step"] for each in record["customized"]["steps"] if each["changed"]]


def passed(record: Record) -> list[str]:
    return [each["check"] for each in record["verify"]["checks"] if each["ok"]]


@pytest.mark.usefixtures("member")
def test_a_name_that_is_taken(fleet: Fleet, domain: SambaDomain, tmp_path: Path) -> None:
    fleet.blank(PC)
    domain.tool("computer", "create", "desk-7", "--prepare-oldjoin", f"--computerou={OU.partition(',DC')[0]}")
    said = fleet.failing_play("deploy", "-l", PC, "-e", given(tmp_path), **ENVIRONMENT)
    assert "reuse" in said
    record = fleet.record(PC)
    assert (record["outcome"], record["applied"]) == ("failed", False)
    assert "DESK-7" in record["error"]["message"].upper()
    assert is_blank(fleet.disk(PC))
    assert fleet.first_device(PC) == "disk"


def given(folder: Path, **more: t.Any) -> str:
    """Variables, as a file: on a command line they would be in the list of processes."""
    path = folder / "variables.yml"
    path.write_text(yaml.safe_dump({"netboot_force": True, **VARIABLES, **more}))
    path.chmod(0o600)
    return f"@{path}"


def test_no_secret_is_seen_while_it_becomes_itself(
    fleet: Fleet, domain: SambaDomain, desk: Desk, tmp_path: Path
) -> None:
    everybody = yaml.safe_load((fleet.folder / "inventory/group_vars/all.yml").read_text("utf-8"))
    hidden = {
        PASSWORD: "keeper",
        IN_FILE: None,
        HASH: None,
        JOINER.password: JOINER.name,
        everybody["golden_store_password"]: everybody["golden_store_username"],
        everybody["golden_store_writer_password"]: everybody["golden_store_writer_username"],
        fleet.power(PC)["password"]: fleet.power(PC)["username"],
    }
    needles = {form for secret, username in hidden.items() for form in forms(secret, username)}
    before = domain.entry("DESK-7$")
    with Spy(needles) as spy:
        spy.watch_here()
        spy.watch_machine(desk.as_root())
        said = fleet.play("deploy", "-vvv", "-l", PC, "-e", given(tmp_path, **TAKEN, **JOINERS))
    assert not spy.found
    assert min(spy.looks.values()) > 20
    assert any("golden.checkin=" in each for each in spy.kernels), "it has looked at the boot environment"
    assert any("root=UUID" in each for each in spy.kernels), "it has looked at the new system"
    assert [secret for secret in hidden if any(form in said.encode() for form in forms(secret, hidden[secret]))] == []

    assert domain.entry("DESK-7$")["objectguid"] == before["objectguid"]
    record = fleet.record(PC)
    assert record["outcome"] == record["verify"]["outcome"] == "ok", record
    assert {"hostname", "domain", "users", "digest", "first_boot"} <= set(passed(record))
    assert {"account", "identity", "hostname", "users", "domain", "files", "first_boot"} <= set(customized(record))
    written = fleet.server_files
    assert files_with(needles, written / "srv/golden/records", written / "var/log", written / "tmp") == []
    assert files_with(needles, written, readable_by_all=True) == []
    logs = [each for each in fleet.folder.iterdir() if each.suffix in {".log", ".console"}]
    assert files_with(needles, *logs) == []


def test_it_is_itself(domain: SambaDomain, desk: Desk, tmp_path: Path) -> None:
    assert desk.run("hostname; cat /var/lib/zone").split()[0] == "desk-7"
    assert desk.run("cat /var/lib/zone").strip() in {"CET", "CEST"}
    assert "adm" in desk.run("id -nG keeper").split()
    assert desk.says_to("keeper", PASSWORD, "id -un", tmp_path) == "keeper"
    assert desk.says_to(TEACHER.name, TEACHER.password, "pwd", tmp_path) == f"/home/{TEACHER.name}"
    assert desk.says_to(TEACHER.name, "wrong", "pwd", tmp_path) is None
    entry = domain.entry("DESK-7$")
    assert entry["dn"] == [f"CN=DESK-7,{OU}"] or entry["dn"] == [f"CN=desk-7,{OU}"]
    assert f"host/desk-7.{DOMAIN}" in [each.lower() for each in entry["serviceprincipalname"]]


def test_what_it_joined_with_is_gone(desk: Desk) -> None:
    look = "ls -d /etc/golden.fleet/join* /etc/systemd/system/golden-* 2>/dev/null; grep -rl '{}' /etc /var /root /tmp"
    assert desk.run(f"{look.format(PASSWORD)} || true") == ""
    assert desk.run(f"grep -rl '{IN_FILE}' /etc /var").split() == ["/etc/secret"]
    readable = (
        f"find / -xdev -type f -perm -o=r -exec grep -lF -e '{HASH}' -e '{IN_FILE}' -e '{JOINER.password}' {{}} +"
    )
    assert desk.run(f"{readable} || true") == ""


def test_imaged_again_it_is_the_same_member(fleet: Fleet, domain: SambaDomain, desk: Desk, tmp_path: Path) -> None:
    """The first check fails, so that it is imaged twice."""
    before, key = domain.entry("DESK-7$"), desk.run("cat /etc/ssh/ssh_host_ed25519_key.pub")
    seen = tmp_path / "seen"
    check = tmp_path / "own_check.yml"
    tasks = [
        {"name": "Look", "ansible.builtin.stat": {"path": str(seen)}, "delegate_to": "localhost", "register": "look"},
        {
            "name": "Remember",
            "ansible.builtin.copy": {"dest": str(seen), "content": "", "mode": "0600"},
            "delegate_to": "localhost",
        },
        {"name": "The second time it is well", "ansible.builtin.assert": {"that": "look.stat.exists"}},
    ]
    check.write_text(yaml.safe_dump(tasks))
    more = {**TAKEN, "golden_always_apply": True, "verify_policy": "reimage", "verify_tasks": str(check)}
    fleet.play("deploy", "-l", PC, "-e", given(tmp_path, **more), **ENVIRONMENT)
    failed, again = fleet.records(PC, "deploy")[-2:]
    assert (failed["outcome"], failed["verify"]["outcome"]) == ("failed", "failed")
    assert [each["check"] for each in failed["verify"]["checks"] if not each["ok"]] == ["tasks"]
    assert (again["outcome"], again["verify"]["outcome"]) == ("ok", "ok")
    after = domain.entry("DESK-7$")
    assert after["objectguid"] == before["objectguid"]
    assert after["pwdlastset"] != before["pwdlastset"]
    assert desk.run(f"adcli testjoin --domain={DOMAIN} && cat /etc/ssh/ssh_host_ed25519_key.pub") != key
    assert desk.says_to(TEACHER.name, TEACHER.password, "id -un", tmp_path) == TEACHER.name
