# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name, users, language and identity of a real Debian, as its own programs see them; and when it boots."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import (
    accounts,
    hostname,
    identity,
    locale,
    made,
    passwords,
)
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.accounts import UserRequest
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.keyboards import Keyboard
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.locale import LocaleRequest
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, Tree, open_tree

from tests.support.container import Container
from tests.support.deployed import deployed_debian, play
from tests.support.disks import call
from tests.support.filesystem import mounted_ext4, read_only
from tests.support.network import Network

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="trees of other systems are root's")

PACKAGES = ("console-setup", "locales", "sudo")
PASSWORD = "Käse 7!"
FAILED = ("--state=failed", "--plain", "--no-legend")
ACCOUNTS = ("passwd", "group", "gshadow", "subuid", "subgid")
USUAL = tuple(part for part in identity.PARTS if part != identity.LOGS)


class Debian(t.NamedTuple):
    """One that nobody else has, mounted."""

    path: Path

    @property
    def tree(self) -> Tree:
        return open_tree(str(self.path))

    def run(self, *argv: str, ok: t.Container[int] = (0,)) -> str:
        """One of its own programs."""
        return call("chroot", self.path, *argv, ok=ok)

    def text(self, name: str) -> str:
        return (self.path / name).read_text("utf-8")


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "_FILE", tmp_path / "made")


@pytest.fixture
def debian(tmp_path: Path) -> t.Iterator[Debian]:
    with deployed_debian(tmp_path, installed=PACKAGES) as path:
        yield Debian(path)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "teacher@desk", "-f", tmp_path / "id_ed25519")
    return tmp_path / "id_ed25519"


def apply_user(debian: Debian, **wish: t.Any) -> dict[str, t.Any]:
    return accounts.apply(debian.tree, UserRequest(**wish), check=False)


def listing(folder: Path) -> list[tuple[t.Any, ...]]:
    found = []
    for path in sorted([folder, *folder.rglob("*")]):
        info = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found.append((str(path.relative_to(folder)), info.st_mode, info.st_uid, info.st_gid, content))
    return found


def test_users_are_as_useradd_makes_them(debian: Debian, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    with deployed_debian(tmp_path / "theirs", installed=PACKAGES) as path:
        theirs = Debian(path)
        for name in ("student", "teacher"):
            theirs.run("useradd", "--create-home", "--shell", "/bin/bash", "--comment", name.title(), name)
            done = apply_user(debian, name=name, comment=name.title())
            assert done["changed"]
            assert not apply_user(debian, name=name, comment=name.title())["changed"]
        theirs.run("usermod", "--append", "--groups", "sudo,users", "teacher")
        apply_user(debian, name="teacher", admin=True, groups=("users",))
        for name in ACCOUNTS:
            assert sorted(debian.text(f"etc/{name}").split()) == sorted(theirs.text(f"etc/{name}").split())
        locked = re.sub(r"^(student|teacher):!:", r"\1:*:", theirs.text("etc/shadow"), flags=re.MULTILINE)
        assert debian.text("etc/shadow") == locked, "without a password, but not locked"
        assert listing(debian.path / "home") == listing(theirs.path / "home")
        for name in (*ACCOUNTS, "shadow"):
            ours, other = ((each.path / "etc" / name).stat() for each in (debian, theirs))
            assert (ours.st_mode, ours.st_uid, ours.st_gid) == (other.st_mode, other.st_uid, other.st_gid)
        theirs.run("userdel", "--remove", "student", ok=(0, 12))
        apply_user(debian, name="student", present=False, remove_home=True)
        for name in ACCOUNTS:
            assert sorted(debian.text(f"etc/{name}").split()) == sorted(theirs.text(f"etc/{name}").split())
        assert listing(debian.path / "home") == listing(theirs.path / "home")


def test_its_own_programs_find_nothing_wrong(debian: Debian, key: Path) -> None:
    complaints = debian.run("pwck", "--read-only", ok=(0, 2)), debian.run("grpck", "--read-only", ok=(0, 2))
    public = key.with_suffix(".pub").read_text()
    apply_user(debian, name="a.b", uid=2000, admin=True, password=PASSWORD, authorized_keys=(public,))
    apply_user(debian, name="teacher", home="/srv/teacher", shell="/bin/sh", group="users", password_hash="!")
    after = debian.run("pwck", "--read-only", ok=(0, 2)), debian.run("grpck", "--read-only", ok=(0, 2))
    assert after == complaints
    assert debian.run("getent", "passwd", "a.b") == "a.b:x:2000:2000::/home/a.b:/bin/bash\n"
    assert debian.run("id", "--groups", "--name", "a.b").split() == ["a.b", "sudo"]
    assert debian.run("getent", "passwd", "teacher").split(":")[2:] == ["2001", "100", "", "/srv/teacher", "/bin/sh\n"]
    assert debian.run("passwd", "--status", "teacher").split()[1] == "L"
    assert debian.run("passwd", "--status", "a.b").split()[1] == "P"
    assert "(ALL : ALL) ALL" in debian.run("sudo", "-l", "-U", "a.b")
    assert debian.run("visudo", "--check")
    debian.run("mkdir", "-p", "/run/sshd")
    config = debian.run("sshd", "-T", "-C", "user=a.b")
    assert "\nauthorizedkeysfile .ssh/authorized_keys" in config
    apply_user(debian, name="a.b", admin=False)
    assert "not allowed" in debian.run("sudo", "-l", "-U", "a.b")
    (debian.path / "etc/group").write_text(debian.text("etc/group").replace("sudo:x:27:\n", ""))
    apply_user(debian, name="a.b", admin=True)
    assert "(ALL : ALL) ALL" in debian.run("sudo", "-l", "-U", "a.b")
    assert debian.run("visudo", "--check")


def test_nothing_of_a_password_is_shown(debian: Debian, tmp_path: Path) -> None:
    secret, known = "canary-7f3a", passwords.hashed("canary-91bd", passwords.SHA512)
    options = {"root": str(debian.path), "name": "teacher", "comment": "seen"}
    tasks = [
        {"golden.fleet.os_user": {**options, "password": secret}},
        {"golden.fleet.os_user": {**options, "password_hash": known}},
        {"golden.fleet.os_user": {**options, "password_hash": secret}, "register": "refused", "ignore_errors": True},
        {"ansible.builtin.assert": {"that": "refused is failed"}},
    ]
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    done = play(tmp_path, None, here, tasks, "-vvv", "--diff")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "seen" in said
    hashes = [each.split(":")[1] for each in debian.text("etc/shadow").splitlines() if each.startswith("teacher:")]
    assert hashes == [known]
    assert not [each for each in (secret, known, known[-40:]) if each in said]


def test_its_name(debian: Debian) -> None:
    done = hostname.apply(debian.tree, "pc-017", "lab.example", check=False)
    assert (done["changed"], done["hostname"]) == (True, "pc-017")
    assert not hostname.apply(debian.tree, "pc-017", "lab.example", check=False)["changed"]
    assert debian.run("getent", "hosts", "pc-017").split() == ["127.0.1.1", "pc-017.lab.example", "pc-017"]
    assert "127.0.0.1" in debian.run("getent", "ahosts", "localhost")


def test_a_host_key_for_each_kind_that_sshd_uses(debian: Debian) -> None:
    before = {path: path.read_bytes() for path in (debian.path / "etc/ssh").glob("ssh_host_*")}
    found = identity.apply(debian.tree, USUAL, check=False)
    assert found["changed"]
    assert not identity.apply(debian.tree, USUAL, check=False)["changed"]
    assert {path for path in before if path.read_bytes() != before[path]} == set(before)
    debian.run("mkdir", "-p", "/run/sshd")
    debian.run("sshd", "-t")
    kinds = {key.split()[0] for key in found["ssh_host_keys"]}
    assert kinds == {"ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256"}


def test_it_boots_as_itself(debian: Debian, key: Path, tmp_path: Path) -> None:
    tree = debian.tree
    hostname.apply(tree, "pc-017", None, check=False)
    public = key.with_suffix(".pub").read_text()
    apply_user(debian, name="teacher", password=PASSWORD, admin=True, authorized_keys=(public,))
    apply_user(debian, name="student")
    german = LocaleRequest("Europe/Berlin", "de_DE", Keyboard("de", "nodeadkeys"))
    assert len(locale.apply(tree, german, check=False)["notes"]) == 1
    host_keys = identity.apply(tree, identity.PARTS, check=False)["ssh_host_keys"]
    (tmp_path / "box").mkdir()
    with Network() as network, Container(tmp_path / "box", debian.path, network=network.name, name="pc-017") as box:
        assert len(box.run("cat", "/etc/machine-id").stdout.strip()) == 32
        assert box.run("date", "+%Z", "--date=2026-11-01").stdout == "CET\n"
        failed = {line.split()[0] for line in box.run("systemctl", "list-units", *FAILED).stdout.splitlines()}
        assert failed <= {"console-setup.service"}, "a container has no terminal that it could set up"
        become = ("su", "-", "student", "-c", "LC_ALL=C su - teacher -c 'id -un; sudo --stdin --prompt= id -u'")
        assert box.run(*become, stdin=f"{PASSWORD}\n{PASSWORD}\n").stdout.split() == ["teacher", "0"]
        assert box.run(*become, stdin="another\n", check=False).returncode == 1
        assert box.run("su", "-", "teacher", "-c", "echo $LANG; locale charmap").stdout.split() == [
            "de_DE.UTF-8",
            "UTF-8",
        ]
        assert "de_DE.utf8" in box.run("locale", "-a").stdout.split()
        assert box.run("systemctl", "cat", "golden-locale.service", check=False).returncode == 1
        inside = Tree(Root(f"/proc/{box.leader()}/root/."), LINUX, {})
        assert locale.apply(inside, german, check=False) == {
            "changed": False, "diff": [], "timezone": "Europe/Berlin", "locale": "de_DE.UTF-8", "notes": []
        }  # fmt: skip
        assert 'XKBVARIANT="nodeadkeys"' in box.run("cat", "/etc/default/keyboard").stdout
        box.run("setupcon", "--keyboard-only", "--save-only", check=False)  # there is no console to ask
        keymap = box.run("sh", "-c", "zcat /etc/console-setup/cached_UTF-8_del.kmap.gz").stdout
        assert re.search(r"^keycode 26 = \+?(U\+00fc|udiaeresis)", keymap, re.MULTILINE)
        known = tmp_path / "known_hosts"
        known.write_text("".join(f"{network.server} {each}\n" for each in host_keys))
        ssh = [
            "ssh",
            "-F",
            "none",
            "-i",
            str(key),
            "-o",
            f"UserKnownHostsFile={known}",
            "-o",
            "StrictHostKeyChecking=yes",
        ]
        for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"):
            command = [*ssh, "-o", f"HostKeyAlgorithms={kind}", f"teacher@{network.server}", "id", "-un"]
            said = subprocess.run(network.inside(*command), capture_output=True, text=True, check=False)
            assert said.stdout == "teacher\n", said.stderr


@contextlib.contextmanager
def small_linux(folder: Path) -> t.Iterator[Path]:
    """On a filesystem of its own, which can be full."""
    with mounted_ext4(folder, 4 << 20) as root:
        (root / "etc").mkdir()
        for name, text in {
            "fstab": "",
            "os-release": "ID=debian\n",
            "debian_version": "12\n",
            "passwd": "root:x:0:0:root:/root:/bin/sh\n",
            "shadow": "root:*:19000::::::\n",
            "group": "root:x:0:\n",
            "hostname": "reference\n",
            "hosts": "127.0.0.1 localhost\n",
            ".pwd.lock": "",
        }.items():
            (root / "etc" / name).write_text(text)
        yield root


def attempts(root: Path) -> list[t.Callable[[], t.Any]]:
    tree = open_tree(str(root))
    return [
        lambda: hostname.apply(tree, "pc-017", None, check=False),
        lambda: accounts.apply(tree, UserRequest("teacher", password="x"), check=False),
    ]


def test_a_filesystem_that_is_full(tmp_path: Path) -> None:
    with small_linux(tmp_path) as root:
        with contextlib.suppress(OSError), (root / "ballast").open("wb") as ballast:
            while True:
                ballast.write(bytes(4096))
                ballast.flush()
        before = listing(root / "etc")
        for attempt in attempts(root):
            with pytest.raises(OsError, match="No space left on device"):
                attempt()
        assert listing(root / "etc") == before, "something is half written"
        (root / "ballast").unlink()
        assert all(attempt()["changed"] for attempt in attempts(root))


def test_a_filesystem_that_cannot_be_written(tmp_path: Path) -> None:
    with small_linux(tmp_path) as root, read_only(root):
        for attempt in attempts(root):
            with pytest.raises(OsError, match="Read-only file system"):
                attempt()
