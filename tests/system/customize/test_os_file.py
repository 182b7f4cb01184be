# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""os_file: what the controller sends to a tree, and what of it is seen; and real NTFS."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os import acl
from ansible_collections.golden.fleet.plugins.module_utils._os.files import FileRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import open_tree

from tests.support.deployed import play
from tests.support.disks import SIZE, call, make_filesystem, mounted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files get owners")

CANARY = "canary-7c31"
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    etc = tmp_path / "tree/etc"
    etc.mkdir(parents=True)
    (etc / "os-release").write_text("ID=debian\n")
    (etc / "fstab").touch()
    (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\nteacher:x:4711:4712::/:/bin/sh\n")
    (etc / "group").write_text("root:x:0:\nexam:x:4713:\n")
    return tmp_path / "tree"


class Site:
    """A playbook's folder, and its plays with one task of os_file."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.folder = folder
        self.tree = tree
        self.remote = folder / "remote"
        for name in ("files", "templates"):
            (folder / name).mkdir(parents=True)

    def place(self, *options: str, **args: t.Any) -> subprocess.CompletedProcess[str]:
        return self._play(options, [args])

    def _play(self, options: t.Sequence[str], every: list[dict[str, t.Any]]) -> subprocess.CompletedProcess[str]:
        """One task for each of these arguments."""
        tasks: list[dict[str, t.Any]] = []
        for number, args in enumerate(every):
            keep = {"content": "{{ kept | to_json }}", "dest": f"{self.folder}/result-{number}.json", "mode": "0600"}
            tasks.append({"golden.fleet.os_file": {"root": str(self.tree), **args}, "register": "kept"})
            tasks.append({"ansible.builtin.copy": keep, "no_log": True, "check_mode": False, "diff": False})
        variables = {**HERE, "ansible_remote_tmp": str(self.remote), "secret": CANARY, "rooms": [101, 102]}
        done = play(self.folder, None, variables, tasks, *options)
        assert not list(self.remote.glob("*")), "temporary files are left"
        return done

    def placed(self, *options: str, **args: t.Any) -> tuple[str, dict[str, t.Any]]:
        done = self.place(*options, **args)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr, json.loads((self.folder / "result-0.json").read_text())

    def rounds(self, *options: str, every: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        """The results of a play with all of these."""
        done = self._play(options, every)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads((self.folder / f"result-{number}.json").read_text()) for number in range(len(every))]


@pytest.fixture
def site(tmp_path: Path, tree: Path) -> Site:
    return Site(tmp_path / "site", tree)


def test_a_file_a_template_and_a_text(site: Site, tree: Path) -> None:
    (site.folder / "files/logo.bin").write_bytes(bytes(range(256)) * 4000)
    (site.folder / "templates/rooms.j2").write_text("{% for room in rooms %}\nroom {{ room }}\n{% endfor %}\n")
    (site.folder / "templates/data.json.j2").write_text('{"rooms": {{ rooms | to_json }}}\n')
    args: list[dict[str, t.Any]] = [
        {"src": "logo.bin", "dest": "/usr/share/logo.bin"},
        {
            "src": "rooms.j2",
            "dest": "/etc/rooms",
            "template": True,
            "mode": "0640",
            "owner": "teacher",
            "group": "exam",
        },
        {"src": "data.json.j2", "dest": "/etc/data.json", "template": True},
        {"content": "hello\n", "dest": "/etc/motd"},
        {"content": {"key": ["value"]}, "dest": "/etc/key.json"},
        {"src": str(site.folder / "files/logo.bin"), "dest": "/etc/logo.bin", "remote_src": True},
        {"state": "directory", "dest": "/etc/exam", "mode": "0750"},
        {"state": "link", "src": "motd", "dest": "/etc/issue"},
    ]
    for options, changed in (("--check",), True), ((), True), (("--check",), False), ((), False):
        results = site.rounds(*options, every=args)
        assert [each["changed"] for each in results] == [changed] * len(args), (options, results)
    assert (tree / "usr/share/logo.bin").read_bytes() == bytes(range(256)) * 4000
    assert (tree / "etc/rooms").read_text() == "room 101\nroom 102\n"
    info = (tree / "etc/rooms").stat()
    assert (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (0o640, 4711, 4713)
    assert (tree / "etc/data.json").read_text() == '{"rooms": [101, 102]}\n'
    assert json.loads((tree / "etc/key.json").read_text()) == {"key": ["value"]}
    assert os.readlink(tree / "etc/issue") == "motd"
    assert site.placed(state="absent", dest="/etc/exam")[1]["changed"]


def test_the_difference_is_shown(site: Site) -> None:
    site.placed(dest="/etc/motd", content="one\ntwo\n")
    said, _result = site.placed("--check", "--diff", dest="/etc/motd", content="one\nthree\n")
    assert "-two\n+three\n" in said


def test_secrets_are_seen_nowhere(site: Site, tree: Path) -> None:
    (site.folder / "password").write_text("vault password\n")
    (site.folder / "files/vaulted").write_text(f"{CANARY}\n")
    (site.folder / "templates/vaulted.j2").write_text(f"{CANARY} {{{{ rooms | length }}}}\n")
    vault = ["--vault-password-file", str(site.folder / "password")]
    for name in ("files/vaulted", "templates/vaulted.j2"):
        call(str(Path(sys.executable).with_name("ansible-vault")), "encrypt", *vault, site.folder / name)
    for args in (
        {"content": "{{ secret }}", "mode": "0600"},
        {"src": "vaulted"},
        {"src": "vaulted.j2", "template": True},
        {"content": "{{ secret }}{{ secret }}", "mode": "0600"},
    ):
        said, result = site.placed("-vvvvv", "--diff", *vault, dest="/etc/secret", **args)
        assert CANARY in (tree / "etc/secret").read_text()
        assert CANARY not in said
        assert CANARY not in json.dumps(result)
    journal = subprocess.run(["journalctl", "--since=-5min"], capture_output=True, text=True, check=False).stdout
    assert CANARY not in journal
    assert not list(site.folder.glob("home/tmp/*"))


def test_what_is_wrong_is_said(site: Site, tree: Path) -> None:
    os.mkfifo(tree / "etc/fifo")
    for args, why in (
        ({"dest": "/etc/x"}, "state is file but any of the following are missing: src, content"),
        ({"dest": "/etc/x", "src": "none"}, "Could not find or access 'none'"),
        ({"dest": "/etc/x", "src": "/none", "remote_src": True}, "/none cannot be read on this machine"),
        ({"dest": "/etc/x", "content": "x", "owner": "nobody"}, "no user nobody in /etc/passwd"),
        ({"dest": "/etc/fifo", "content": "x"}, "is no plain file"),
        ({"dest": "etc/x", "content": "x"}, "must be an absolute path"),
        ({"dest": "/etc/x", "content": "x", "root": "/"}, "the system that runs"),
        ({"dest": "/etc/x", "content": "x", "mode": "u=r"}, "octal"),
    ):
        done = site.place(**args)
        assert done.returncode == 2
        assert why in done.stdout, done.stdout
    assert not (tree / "etc/x").exists()


def test_ntfs(tmp_path: Path) -> None:
    disk = make_filesystem(tmp_path / "disk.img", "ntfs", SIZE["ntfs"])
    with mounted(disk, "-t", "ntfs-3g") as folder:
        (folder / "Windows/System32/config").mkdir(parents=True)
        (folder / "Windows/System32/config/SYSTEM").write_bytes(b"regf")
        (folder / "ProgramData").mkdir()
        tree = open_tree(str(folder))
        note = FileRequest("C:\\programdata\\Site\\note.txt", source=lambda: io.BytesIO(b"hello"))
        assert apply(tree, note, check=True)["changed"]
        assert not (folder / "ProgramData/Site").exists()
        assert apply(tree, note, check=False)["acl"] == "private"
        assert not apply(tree, note, check=False)["changed"]
        assert (folder / "ProgramData/Site/note.txt").read_bytes() == b"hello"
        assert os.getxattr(folder / "ProgramData/Site/note.txt", acl.ATTRIBUTE) == acl.PRIVATE
        for access, wanted in (("readable", acl.READABLE), ("private", acl.PRIVATE)):
            for request in (note._replace(access=access), FileRequest("/ProgramData/Site", "directory", access=access)):
                assert apply(tree, request, check=False)["changed"]
                assert not apply(tree, request, check=False)["changed"]
            for name in ("Site", "Site/note.txt"):
                assert os.getxattr(folder / "ProgramData" / name, acl.ATTRIBUTE) == wanted
        assert not apply(tree, FileRequest("/ProgramData/Site", "directory"), check=False)["changed"]
        (folder / "ProgramData/site").mkdir()
        with pytest.raises(OsError, match="cannot tell apart"):
            apply(tree, note, check=True)
        (folder / "ProgramData/site").rmdir()
        assert apply(tree, FileRequest("/programdata/SITE", "absent"), check=False)["changed"]
        assert not (folder / "ProgramData/Site").exists()


def test_a_filesystem_that_takes_nothing(tmp_path: Path) -> None:
    disk = make_filesystem(tmp_path / "disk.img", "ext4", SIZE["ext4"])
    request = FileRequest("/etc/large", source=lambda: io.BytesIO(bytes(64 << 20)))
    with mounted(disk) as folder:
        (folder / "etc").mkdir()
        (folder / "etc/os-release").write_text("ID=debian\n")
        (folder / "etc/fstab").touch()
        with pytest.raises(OsError, match="No space left on device"):
            apply(open_tree(str(folder)), request, check=False)
        assert sorted(os.listdir(folder / "etc")) == ["fstab", "os-release"]
        call("mount", "-o", "remount,ro", folder)
        with pytest.raises(OsError, match="Read-only file system"):
            apply(open_tree(str(folder)), request, check=False)
