# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import configparser
import dataclasses
import os
import struct
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import join
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.join import JoinRequest, apply, with_default_realm
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import open_tree
from ansible_collections.golden.fleet.plugins.module_utils._run import Result

REQUEST = JoinRequest(name="pc-17", domain="Lab.Example", password="once-aA1")
PROGRAMS = [
    "usr/sbin/adcli",
    "usr/sbin/sssd",
    "usr/lib/x86_64-linux-gnu/sssd/libsss_ad.so",
    "usr/lib/x86_64-linux-gnu/libnss_sss.so.2",
    "usr/lib/x86_64-linux-gnu/security/pam_sss.so",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {"etc/os-release": "ID=debian\nPRETTY_NAME=Debian\n", "etc/fstab": "", "usr/bin/dpkg": ""}
    for name, text in {**files, **dict.fromkeys(PROGRAMS, "")}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_waits_for_the_first_boot(root: Path) -> None:
    would = apply(open_tree(str(root)), REQUEST, check=True)
    assert would["changed"]
    assert not (root / "etc/golden.fleet").exists()
    done = apply(open_tree(str(root)), REQUEST, check=False)
    assert (done["changed"], done["name"], done["domain"], done["joined"]) == (True, "PC-17", "lab.example", False)
    assert done["diff"] == would["diff"]
    assert "once-aA1" not in repr(done)
    folder = root / "etc/golden.fleet/join"
    assert (folder / "password").read_text() == "once-aA1"
    assert (mode(folder), mode(folder / "password"), mode(folder / "sssd.conf")) == (0o700, 0o600, 0o600)
    assert "once-aA1" not in (folder / "join").read_text()
    unit = root / "etc/systemd/system/multi-user.target.wants/golden-join.service"
    assert "ExecStart=/bin/sh /etc/golden.fleet/join/join" in unit.read_text()
    assert "default_realm = LAB.EXAMPLE" in (root / "etc/krb5.conf").read_text()
    assert not apply(open_tree(str(root)), REQUEST, check=False)["changed"]
    again = apply(open_tree(str(root)), dataclasses.replace(REQUEST, password="other-aA1"), check=False)
    assert again["diff"]["after"]["files"] == ["/etc/golden.fleet/join/password"]


def test_the_script_is_one(root: Path) -> None:
    apply(open_tree(str(root)), REQUEST, check=False)
    subprocess.run(["shellcheck", str(root / "etc/golden.fleet/join/join")], check=True)


def test_a_power_cut_after_the_join(root: Path) -> None:
    apply(open_tree(str(root)), REQUEST, check=False)
    folder, programs = root / "etc/golden.fleet/join", root / "programs"
    programs.mkdir()
    for name, text in {
        # The password counts once.
        "adcli": f"cat >>{root}/passwords && [ ! -e {root}/etc/krb5.keytab ] && touch {root}/etc/krb5.keytab",
        "pam-auth-update": f"[ -e {root}/cut ] || {{ touch {root}/cut; kill -9 $PPID; }}",
        "systemctl": f'echo "$*" >>{root}/orders',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    script = folder / "join"
    script.write_text(script.read_text().replace("/etc/", f"{root}/etc/"))
    (root / "etc/nsswitch.conf").write_text("passwd: compat systemd\ngroup:\tfiles  sss\nhosts: files dns\n")
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    codes = [subprocess.run(["sh", script], env=environment, check=False, timeout=60).returncode for _boot in "12"]
    assert codes == [-9, 0]
    assert (root / "passwords").read_text() == "once-aA1"
    assert (root / "etc/sssd/sssd.conf").exists()
    switch = (root / "etc/nsswitch.conf").read_text()
    assert switch == "passwd: compat systemd sss\ngroup:\tfiles  sss\nhosts: files dns\n"
    assert "restart sssd.service" in (root / "orders").read_text()
    assert not folder.exists()


def keytab(account: str) -> bytes:
    """As much of one as tells whose keys are in it."""
    parts = (each.encode() for each in ("LAB.EXAMPLE", account))
    entry = b"\0\1" + b"".join(struct.pack(">H", len(part)) + part for part in parts) + bytes(13)
    return b"\5\2" + struct.pack(">i", len(entry)) + entry


def test_keys_of_another_computer_do_not_count(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def domain(argv: list[str], **_more: t.Any) -> Result:
        """It knows every computer."""
        done.append(argv[1])
        place = next(each.partition("=")[2] for each in argv if each.startswith("--host-keytab"))
        if argv[1] == "join":
            Path(place).write_bytes(keytab("PC-17$"))
        return Result(0, "", "")

    monkeypatch.setattr(join, "run", domain)
    (root / "etc/krb5.keytab").write_bytes(keytab("XPC-17$"))
    now = dataclasses.replace(REQUEST, when=join.NOW)
    assert apply(open_tree(str(root)), now, check=False)["changed"]
    assert (root / "etc/krb5.keytab").read_bytes() == keytab("PC-17$")
    assert done == ["join"]
    assert not apply(open_tree(str(root)), now, check=False)["changed"]
    assert done == ["join", "testjoin"]


def test_an_image_with_its_own_sssd_conf(root: Path) -> None:
    apply(open_tree(str(root)), dataclasses.replace(REQUEST, configure=False), check=False)
    assert not (root / "etc/golden.fleet/join/sssd.conf").exists()


@pytest.mark.parametrize(
    ("missing", "packages"),
    [
        (PROGRAMS[:1], ["adcli"]),
        (PROGRAMS[3:], ["libnss-sss", "libpam-sss"]),
        (PROGRAMS[1:3], ["sssd-ad"]),
    ],
)
def test_programs_are_missing(root: Path, missing: list[str], packages: list[str]) -> None:
    for name in missing:
        (root / name).unlink()
    with pytest.raises(OsError, match=f"packages {', '.join(packages)}") as caught:
        apply(open_tree(str(root)), REQUEST, check=True)
    assert caught.value.facts["packages"] == packages


def test_a_windows_is_sent_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "Windows/System32/config").mkdir(parents=True)
    (tmp_path / "Windows/System32/config/SYSTEM").touch()
    with pytest.raises(OsError, match=r"golden\.fleet\.os_unattend"):
        apply(open_tree(str(tmp_path)), REQUEST, check=False)


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "a-name-that-is-too-long"},
        {"name": "pc 17"},
        {"name": "pc-17;reboot"},
        {"domain": "LAB"},
        {"domain": "lab.example\n[x]"},
        {"server": "dc1.lab.example --verbose"},
        {"password": ""},
        {"password": "a\nb"},
        {"sssd": {"x]": "1"}},
        {"sssd": {"simple_allow_groups": "a\n[domain/x]"}},
    ],
)
def test_what_makes_no_sense(root: Path, bad: dict[str, t.Any]) -> None:
    with pytest.raises(UsageError):
        apply(open_tree(str(root)), dataclasses.replace(REQUEST, **bad), check=False)
    assert not (root / "etc/golden.fleet").exists()


def test_links_do_not_lead_out(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (root / "etc/golden.fleet").symlink_to(outside)
    (root / "etc/krb5.conf").symlink_to(outside / "krb5.conf")
    apply(open_tree(str(root)), REQUEST, check=False)
    assert list(outside.iterdir()) == []


def test_sssd_conf() -> None:
    found = configparser.ConfigParser()
    found.read_string(join.sssd_conf("lab.example", "LAB.EXAMPLE", "PC-17", "dc1.lab.example", {"ad_gpo_map": "x"}))
    section = found["domain/lab.example"]
    assert section["ad_server"] == "dc1.lab.example, _srv_"
    assert section["ldap_sasl_authid"] == "PC-17$"
    assert section["ad_gpo_map"] == "x"
    assert found["sssd"]["domains"] == "lab.example"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[libdefaults]\n    default_realm = R\n\n"),
        ("[libdefaults]\n\tdefault_realm = OLD\n\tx = 1\n", "[libdefaults]\n    default_realm = R\n\tx = 1\n"),
        (
            "[realms]\n  default_realm = no\n[libdefaults]\n",
            "[realms]\n  default_realm = no\n[libdefaults]\n    default_realm = R\n",
        ),
    ],
)
def test_the_default_realm(before: str, after: str) -> None:
    assert with_default_realm(before, "R") == after
    assert with_default_realm(after, "R") == after
