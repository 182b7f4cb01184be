# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users in a tree: homes, keys, sudo, passwords, and traps."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import GoldenError, OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import passwords, sudo
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.accounts import UserRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.homes import with_keys
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, Tree

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files are given to users")

PASSWORD = "Käse-7!"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0vyLD4XDDZBJW2sS1bGXt5M5Ok0v6b0j6k9k0XyZ12"
OTHER_KEY = KEY.replace("XyZ12", "XyZ13")
YESCRYPT = "password [success=1 default=ignore] pam_unix.so obscure yescrypt\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    files = {
        "etc/passwd": "root:x:0:0:root:/root:/bin/bash\nsetup:x:1000:1000::/home/setup:/bin/bash\n",
        "etc/shadow": "root:*:19000:0:99999:7:::\nsetup:!:19000:0:99999:7:::\n",
        "etc/group": "root:x:0:\nsudo:x:27:setup\nsetup:x:1000:\n",
        "etc/gshadow": "root:*::\nsudo:*::setup\nsetup:!::\n",
        "etc/login.defs": "HOME_MODE 0700\n",
        "etc/sudoers": "Defaults env_reset\n%sudo\tALL=(ALL:ALL) ALL\n",
        "etc/pam.d/common-password": YESCRYPT,
        "etc/skel/.bashrc": "# ~/.bashrc\n",
        "etc/skel/bin/tool": "#!/bin/sh\n",
        "home/setup/notes": "of the image's maker",
        "usr/bin/bash": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "bin").symlink_to("usr/bin")
    (root / "usr/bin/bash").chmod(0o755)
    (root / "etc/skel/bin/tool").chmod(0o750)
    (root / "etc/skel/passwords").symlink_to("/etc/shadow")
    (root / "etc/shadow").chmod(0o640)
    os.chown(root / "etc/shadow", 0, 42)
    os.chown(root / "home/setup", 1000, 1000)
    return root


@pytest.fixture
def tree(folder: Path) -> Tree:
    return Tree(Root(str(folder)), LINUX, {})


def everything(folder: Path) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path)] = (info.st_mode, info.st_uid, info.st_gid, content)
    return found


def owned(path: Path) -> tuple[int, int, int]:
    info = path.lstat()
    return info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)


TEACHER = UserRequest(
    "teacher", password=PASSWORD, admin=True, comment="Teacher", authorized_keys=(f"{KEY} teacher@desk",)
)


def test_a_new_user(tree: Tree, folder: Path) -> None:
    before = everything(folder)
    would = apply(tree, TEACHER, check=True)
    assert would["changed"]
    assert everything(folder) == before
    done = apply(tree, TEACHER, check=False)
    assert (done["uid"], done["gid"], done["home"], done["notes"]) == (1001, 1001, "/home/teacher", [])
    assert done["diff"]["before"] == {"authorized_keys": ""}
    assert done["diff"]["after"]["password"] == "set"
    home = folder / "home/teacher"
    assert owned(home) == (1001, 1001, 0o700)
    assert owned(home / ".bashrc") == (1001, 1001, 0o644)
    assert owned(home / "bin/tool") == (1001, 1001, 0o750)
    assert os.readlink(home / "passwords") == "/etc/shadow"
    assert owned(home / "passwords")[:2] == (1001, 1001)
    assert owned(folder / "etc/shadow") == (0, 42, 0o640)
    assert owned(home / ".ssh") == (1001, 1001, 0o700)
    assert owned(home / ".ssh/authorized_keys") == (1001, 1001, 0o600)
    assert sorted(os.listdir(folder / "home")) == ["setup", "teacher"]
    assert "sudo:x:27:setup,teacher\n" in (folder / "etc/group").read_text()
    assert not (folder / "etc/sudoers.d").exists()
    known = (folder / "etc/shadow").read_text().splitlines()[-1].split(":")[1]
    assert known.startswith("$y$")
    assert passwords.fits(PASSWORD, known)
    after = everything(folder)
    again = apply(tree, TEACHER, check=False)
    assert (again["changed"], everything(folder)) == (False, after)
    assert known not in json.dumps([would, done, again])
    assert PASSWORD not in json.dumps([would, done, again], ensure_ascii=False)


def test_a_user_goes(tree: Tree, folder: Path) -> None:
    before = everything(folder)
    apply(tree, TEACHER, check=False)
    away = UserRequest("teacher", present=False, remove_home=True)
    assert apply(tree, away, check=True)["changed"]
    assert (folder / "home/teacher").exists()
    gone = apply(tree, away, check=False)
    assert (gone["changed"], gone["uid"], gone["home"]) == (True, None, None)
    assert not apply(tree, away, check=False)["changed"]
    (folder / "etc/.pwd.lock").unlink()
    assert everything(folder) == before


def test_a_home_is_kept_unless_told(tree: Tree, folder: Path) -> None:
    assert apply(tree, UserRequest("setup", present=False), check=False)["changed"]
    assert (folder / "home/setup/notes").exists()
    found = apply(tree, UserRequest("setup", uid=1500), check=False)
    assert found["notes"] == ["/home/setup was there before, and belongs to the user 1000, not to setup."]


def test_whose_home_is_not_taken_away(tree: Tree, folder: Path) -> None:
    away = UserRequest("setup", present=False, remove_home=True)
    os.chown(folder / "home/setup", 5, 5)
    with pytest.raises(OsError, match="belongs to the user 5, not to 1000"):
        apply(tree, away, check=True)
    (folder / "home/setup").rename(folder / "home/real")
    (folder / "home/setup").symlink_to("/etc")
    with pytest.raises(OsError, match="is a link"):
        apply(tree, away, check=False)
    passwd = (folder / "etc/passwd").read_text()
    (folder / "etc/passwd").write_text(passwd.replace("/home/setup", "/"))
    with pytest.raises(OsError, match="root live there"):
        apply(tree, away, check=False)
    assert "setup" in (folder / "etc/passwd").read_text()


def test_passwords(tree: Tree, folder: Path) -> None:
    def known() -> str:
        return (folder / "etc/shadow").read_text().split("setup:")[1].split(":")[0]

    assert apply(tree, UserRequest("setup"), check=False)["changed"] is False
    assert not apply(tree, UserRequest("setup", password="x", update_password="on_create"), check=False)["changed"]
    done = apply(tree, UserRequest("setup", password="x"), check=False)
    assert (done["diff"]["before"]["password"], done["diff"]["after"]["password"]) == ("none", "set")
    assert passwords.fits("x", known())
    done = apply(tree, UserRequest("setup", password="y"), check=False)
    assert done["diff"]["after"]["password"] == "another set"
    (folder / "etc/pam.d/common-password").write_text(f"#{YESCRYPT}")
    apply(tree, UserRequest("setup", password="z"), check=False)
    assert known().startswith("$6$")
    given = UserRequest("setup", password_hash=passwords.hashed("w", passwords.YESCRYPT))
    assert apply(tree, given, check=False)["changed"]
    assert not apply(tree, given, check=False)["changed"]
    assert known() == given.password_hash
    apply(tree, UserRequest("setup", password_hash="!"), check=False)
    assert known() == "!"


def test_administrators(tree: Tree, folder: Path) -> None:
    rule = folder / "etc/sudoers.d/golden-a%2eb"
    (folder / "etc/group").write_text("root:x:0:\n")
    assert apply(tree, UserRequest("a.b", admin=True), check=False)["changed"]
    assert owned(rule) == (0, 0, 0o440)
    assert not apply(tree, UserRequest("a.b", admin=True), check=False)["changed"]
    assert not apply(tree, UserRequest("a.b"), check=False)["changed"]
    assert apply(tree, UserRequest("a.b", admin=False), check=False)["changed"]
    assert not rule.exists()
    apply(tree, UserRequest("a.b", admin=True), check=False)
    apply(tree, UserRequest("a.b", present=False), check=False)
    assert not rule.exists()
    (folder / "etc/sudoers.d/folder").mkdir()  # sudo does not mind
    (folder / "etc/sudoers").unlink()
    assert apply(tree, UserRequest("a.b", admin=True), check=False)["notes"][0].startswith("The deployed system has no")


@pytest.mark.parametrize(
    ("rules", "groups", "installed", "expected"),
    [
        ("%sudo ALL=(ALL) ALL\n", "sudo:x:1:\nwheel:x:2:\n", True, ("sudo", False)),
        ("  %wheel\tALL = (ALL) ALL\n", "sudo:x:1:\nwheel:x:2:\n", True, ("wheel", False)),
        ("# %wheel ALL=(ALL) ALL\n", "wheel:x:2:\n", True, ("wheel", True)),
        ("%wheel ALL=(ALL) ALL\n", "users:x:2:\n", True, (None, True)),
        ("%wheel ALL=(ALL:ALL) NOPASSWD: SETENV: ALL, !/bin/su\n", "wheel:x:2:\n", True, ("wheel", False)),
        ("%wheel ALL=ALL # all\n", "wheel:x:2:\n", True, ("wheel", False)),
        ("%sudo ALL=(ALL) /usr/bin/ALL\n", "sudo:x:1:\n", True, ("sudo", True)),
        ("", "sudo:x:2:\n", False, ("sudo", False)),
        ("", "", False, (None, True)),
    ],
)
def test_how_one_becomes_root(rules: str, groups: str, installed: bool, expected: tuple[str | None, bool]) -> None:
    assert sudo.way_in(rules, groups, installed) == (*expected, installed)


def test_a_rule_is_for_a_user_and_no_alias() -> None:
    assert sudo.rule_for("TEACHERS") == b'Defaults:"TEACHERS" !targetpw\n"TEACHERS" ALL=(ALL:ALL) ALL\n'
    assert sudo.rule_for("a.b-2") == b"Defaults:a.b-2 !targetpw\na.b-2 ALL=(ALL:ALL) ALL\n"


def test_keys() -> None:
    before = f'# mine\nfrom="10.0.0.0/8" {KEY} old\nnonsense'
    after = with_keys(before, [f"{KEY} new", OTHER_KEY], exclusive=False)
    assert after == f"# mine\n{KEY} new\nnonsense\n{OTHER_KEY}\n"
    assert with_keys(after, [f"{KEY} new", OTHER_KEY], exclusive=False) == after
    assert with_keys(after, [KEY], exclusive=True) == f"{KEY}\n"
    assert with_keys(after, [], exclusive=True) == ""
    assert with_keys("", [], exclusive=False) == ""
    assert with_keys(f"#{KEY}\n", [KEY], exclusive=False) == f"#{KEY}\n{KEY}\n"


def test_keys_of_a_user_who_is_there(tree: Tree, folder: Path) -> None:
    keys = folder / "home/setup/.ssh/authorized_keys"
    apply(tree, UserRequest("setup", authorized_keys=(KEY,)), check=False)
    assert keys.read_text() == f"{KEY}\n"
    keys.chmod(0o666)
    assert apply(tree, UserRequest("setup", authorized_keys=(KEY,)), check=True)["changed"], "sshd would not take it"
    apply(tree, UserRequest("setup", authorized_keys=(KEY,)), check=False)
    assert owned(keys) == (1000, 1000, 0o600)
    only = UserRequest("setup", authorized_keys=(OTHER_KEY,), exclusive_keys=True)
    apply(tree, only, check=False)
    assert keys.read_text() == f"{OTHER_KEY}\n"
    assert not apply(tree, only, check=False)["changed"]
    assert not apply(tree, UserRequest("setup", authorized_keys=()), check=False)["changed"]


def test_traps_in_a_home(tree: Tree, folder: Path) -> None:
    wish = UserRequest("setup", authorized_keys=(KEY,))
    (folder / "home/setup/.ssh").symlink_to("/etc")
    before = everything(folder)
    with pytest.raises(OsError, match=r"/home/setup/\.ssh of the deployed system is a link"):
        apply(tree, wish, check=False)
    assert everything(folder) == before, "the user would own /etc"
    (folder / "home/setup/.ssh").unlink()
    (folder / "home/setup/.ssh").mkdir()
    os.mkfifo(folder / "home/setup/.ssh/authorized_keys")
    with pytest.raises(OsError, match="no plain file"):
        apply(tree, wish, check=False)


def test_the_home_of_another_tree(tree: Tree, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (folder / "srv").symlink_to(f"../{tmp_path}/outside")
    apply(tree, UserRequest("setup", home="/srv/setup", authorized_keys=(KEY,)), check=False)
    assert (folder / str(tmp_path).lstrip("/") / "outside/setup/.ssh/authorized_keys").exists()
    assert os.listdir(tmp_path / "outside") == []


def test_an_interruption_at_every_write(tree: Tree, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system can be used in between, and the next run does the rest."""
    whole = Root.write

    def attempt(request: UserRequest, writes: int) -> bool:
        left = [writes]

        def write(self: Root, *args: t.Any, **more: t.Any) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            whole(self, *args, **more)

        monkeypatch.setattr(Root, "write", write)
        try:
            apply(tree, request, check=False)
        except KeyboardInterrupt:
            return False
        finally:
            monkeypatch.setattr(Root, "write", whole)
        return True

    student = UserRequest("student", admin=True, authorized_keys=(KEY,))
    apply(tree, student, check=False)
    wanted = everything(folder)
    away = UserRequest("student", present=False, remove_home=True)
    apply(tree, away, check=False)
    bare = everything(folder)
    for writes in range(20):
        done = attempt(student, writes)
        passwd, shadow = ((folder / "etc" / name).read_text() for name in ("passwd", "shadow"))
        assert "student" not in passwd or "student" in shadow
        assert apply(tree, student, check=False)["uid"] == 1001
        assert everything(folder) == wanted
        gone = attempt(away, writes)
        apply(tree, away, check=False)
        assert everything(folder) == bare
        if done and gone:
            return
    pytest.fail("it writes too often")


WRONG: list[tuple[UserRequest, str]] = [
    (UserRequest("te:cher"), "cannot be the name"),
    (UserRequest("-teacher"), "cannot be the name"),
    (UserRequest("../etc"), "cannot be the name"),
    (UserRequest("ALL", admin=True), "cannot be the name"),
    (UserRequest("t", uid=0), "uid is 0"),
    (UserRequest("t", comment="a:b"), "no colon"),
    (UserRequest("t", home="/home/../etc"), "home is"),
    (UserRequest("t", home="home"), "home is"),
    (UserRequest("t", home="/home/t\n"), "home is"),
    (UserRequest("t", shell="/bin/zsh"), "no program /bin/zsh"),
    (UserRequest("t", shell="/etc/passwd"), "no program /etc/passwd"),
    (UserRequest("t", groups=("docker",)), "no group docker"),
    (UserRequest("t", password=""), "The password is empty"),
    (UserRequest("t", password="a\nb"), "control characters"),
    (UserRequest("t", password_hash="secret:1"), "is none as"),
    (UserRequest("t", authorized_keys=("ssh-ed25519",)), "no public SSH key"),
    (UserRequest("t", authorized_keys=(f"{KEY}\nssh-rsa",)), "no public SSH key"),
    (UserRequest("setup", uid=1500), "with the number 1000, not 1500"),
    (UserRequest("t", uid=1000), "of the user setup"),
    (UserRequest("root", present=False), "root is not taken away"),
]


@pytest.mark.parametrize(("request_", "message"), WRONG)
def test_what_makes_no_sense(tree: Tree, folder: Path, request_: UserRequest, message: str) -> None:
    before = everything(folder)
    with pytest.raises(GoldenError, match=message) as error:
        apply(tree, request_, check=False)
    assert "secret" not in error.value.message
    assert everything(folder) == before


@pytest.mark.parametrize("request_", [TEACHER, UserRequest("setup", present=False, remove_home=True)])
@pytest.mark.parametrize("path", ["passwd", "group", "subuid", "login.defs"])
def test_numbers_that_are_none(tree: Tree, folder: Path, path: str, request_: UserRequest) -> None:
    """Not one of these is worth a traceback."""
    odd = "9" * 5000
    with (folder / "etc" / path).open("a") as file:
        file.write(f"odd:x:{odd}:{odd}::/home/setup:\nUID_MIN {odd}\nSUB_UID_COUNT {odd}\n")
    with contextlib.suppress(GoldenError):
        apply(tree, request_, check=True)


@pytest.mark.parametrize(
    "line",
    [
        "setup",
        "setup:x",
        "setup:x:a:b::/home/setup:/bin/sh",
        f"setup:x:{'9' * 5000}:1::/:/",
        "setup:x:1:4294967295::/:/",
    ],
)
def test_a_line_that_makes_no_sense(tree: Tree, folder: Path, line: str) -> None:
    text = (folder / "etc/passwd").read_text()
    (folder / "etc/passwd").write_text(text.replace(text.splitlines()[1], line))
    for request in (UserRequest("setup", present=False, remove_home=True), UserRequest("setup", comment="x")):
        if ":" in line:
            with pytest.raises(OsError, match="a line of setup that makes no sense"):
                apply(tree, request, check=True)
        else:
            apply(tree, request, check=True)


@pytest.mark.parametrize(
    "known",
    ["$6$rounds=999999999$abcdefgh$", "$2b$31$abcdefghijklmnopqrstuu", "$y$jFT$abcdefgh$", "$7$CU..../....abc$"],
)
def test_a_hash_that_takes_for_ever_fits_nothing(known: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_crypt", lambda *_all: pytest.fail("it is tried"))
    assert not passwords.fits("x", known + "a" * 43)


def test_a_system_without_shadow(tree: Tree, folder: Path) -> None:
    (folder / "etc/shadow").unlink()
    with pytest.raises(OsError, match="no /etc/shadow"):
        apply(tree, UserRequest("t"), check=False)


def test_a_machine_without_libxcrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_LIBRARIES", ("libnone.so.1", "libc.so.6"))
    with pytest.raises(GoldenError, match="libcrypt1"):
        passwords.hashed("x", passwords.YESCRYPT)


def test_hashes() -> None:
    with pytest.raises(UsageError):
        passwords.check_hash("geheim")
    for value in ("!", "*", "!!", passwords.hashed("x", passwords.SHA512)):
        passwords.check_hash(value)
    assert passwords.scheme_for("password sufficient pam_unix.so sha512 shadow yescryptic") == passwords.SHA512
    assert passwords.scheme_for(YESCRYPT) == passwords.YESCRYPT
