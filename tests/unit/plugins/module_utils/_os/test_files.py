# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import GoldenError, OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.files import FileRequest, apply, mode_of, path_of
from ansible_collections.golden.fleet.plugins.module_utils._os.owners import id_in
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, WINDOWS, Tree

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
SECRET = "hunter2"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    etc = tmp_path / "root/etc"
    etc.mkdir(parents=True)
    (etc / "passwd").write_text("root:x:0:0::/root:/bin/sh\nteacher:x:4711:4712::/home/t:/bin/sh\nodd\n")
    (etc / "group").write_text("root:x:0:\nstaff:x:4713:\n")
    return Tree(Root(str(tmp_path / "root")), LINUX, {})


def text(content: str, dest: str = "/etc/motd", **more: t.Any) -> FileRequest:
    return FileRequest(dest, source=lambda: io.BytesIO(content.encode()), **more)


def on_disk(tree: Tree, path: str = "/etc/motd") -> Path:
    return Path(tree.root.path + path)


def steps(tree: Tree, request: FileRequest) -> dict[str, t.Any]:
    """Check, real, check again, real again."""
    before = sorted(map(str, Path(tree.root.path).rglob("*")))
    would = apply(tree, request, check=True)
    assert sorted(map(str, Path(tree.root.path).rglob("*"))) == before
    done = apply(tree, request, check=False)
    assert done == would
    for check in (True, False):
        assert not apply(tree, request, check=check)["changed"]
    return done


@needs_root
def test_a_text(tree: Tree) -> None:
    assert steps(tree, text("hello\n"))["changed"]
    assert on_disk(tree).read_text() == "hello\n"
    assert stat.S_IMODE(on_disk(tree).stat().st_mode) == 0o644
    again = steps(tree, text("hello\nworld\n", mode=0o640, owner="teacher", group="staff"))
    info = on_disk(tree).stat()
    assert (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (0o640, 4711, 4713)
    assert again["diff"][0]["before"] == {"state": "file", "mode": "0644", "owner": 0, "group": 0}
    assert again["diff"][0]["after"] == {"state": "file", "mode": "0640", "owner": 4711, "group": 4713}
    assert (again["mode"], again["owner"]) == ("0640", 4711)


@needs_root
def test_what_is_not_said_stays(tree: Tree) -> None:
    steps(tree, text("one", mode=0o600, owner="4711"))
    steps(tree, text("two"))
    info = on_disk(tree).stat()
    assert (stat.S_IMODE(info.st_mode), info.st_uid) == (0o600, 4711)


@needs_root
def test_only_what_everybody_may_read_is_shown(tree: Tree) -> None:
    shown = steps(tree, text("hello\n"))["diff"][1]
    assert (shown["before"], shown["after"]) == ("", "hello\n")
    for request in (
        text(SECRET, mode=0o600),
        text(SECRET * 2, mode=0o644),  # the one before was private
        text(SECRET, mode=0o644, secret=True),
        FileRequest("/etc/motd", state="absent", secret=True),
    ):
        assert SECRET not in str(steps(tree, request))
    binary = FileRequest("/etc/motd", source=lambda: io.BytesIO(b"\xff\0"))
    assert "not shown" in steps(tree, binary)["diff"][1]["after"]


@needs_root
def test_folders_links_and_nothing(tree: Tree) -> None:
    assert steps(tree, FileRequest("/srv/exam", "directory", mode=0o750, group="staff"))["changed"]
    assert (on_disk(tree, "/srv/exam").stat().st_mode & 0o777) == 0o750
    steps(tree, text("one", "/srv/exam/one"))
    assert steps(tree, FileRequest("/srv/exam/current", "link", target="/etc/passwd"))["target"] == "/etc/passwd"
    assert os.readlink(on_disk(tree, "/srv/exam/current")) == "/etc/passwd"
    assert steps(tree, FileRequest("/srv/exam/current", "absent"))["changed"]
    assert on_disk(tree, "/etc/passwd").exists()
    assert not steps(tree, FileRequest("/srv/exam/current", "absent"))["changed"]
    assert steps(tree, FileRequest("/srv/exam", "absent"))["state"] == "absent"
    assert not on_disk(tree, "/srv/exam").exists()


def test_what_is_in_the_way_stays(tree: Tree) -> None:
    os.mkfifo(on_disk(tree, "/etc/fifo"))
    on_disk(tree, "/etc/folder").mkdir()
    for path in ("/etc/fifo", "/etc/folder"):
        with pytest.raises(OsError, match="is not put in its place"):
            apply(tree, text("x", path), check=False)
    with pytest.raises(OsError, match="is no plain file"):
        apply(tree, FileRequest("/etc/fifo", "directory"), check=True)
    with pytest.raises(OsError, match="a link is not put in its place"):
        apply(tree, FileRequest("/etc/folder", "link", target="x"), check=True)
    assert sorted(os.listdir(on_disk(tree, "/etc"))) == ["fifo", "folder", "group", "passwd"]


@needs_root
def test_a_link_that_can_be_none(tree: Tree) -> None:
    for target in ("", "a\0b", "x" * 4096):
        with pytest.raises(GoldenError):
            apply(tree, FileRequest("/etc/a", "link", target=target), check=False)
        assert not on_disk(tree, "/etc/a").is_symlink()


def test_links_of_the_image_stay_beneath(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "root/etc/motd").symlink_to(tmp_path / "outside")
    (tmp_path / "root/etc/up").symlink_to("../../../../../../..")
    steps(tree, text("hello"))
    steps(tree, text("up", "/etc/up/note"))
    assert not (tmp_path / "outside").exists()
    assert on_disk(tree, "/note").read_text() == "up"


def test_names_are_those_of_the_tree(tree: Tree) -> None:
    with pytest.raises(OsError, match="no user daemon in /etc/passwd"):
        apply(tree, text("x", owner="daemon"), check=True)
    with pytest.raises(OsError, match="no group nogroup in /etc/group"):
        apply(tree, text("x", group="nogroup"), check=True)
    assert id_in(f"odd:x:{'9' * 5000}\n", "odd") is None
    assert id_in("+::::\nodd:x:-1\nodd:x:5", "odd") == 5


@pytest.mark.parametrize("dest", ["etc/motd", "", "/", "/etc/..", "/etc/../motd", "//", "/a\0b"])
def test_paths_that_are_none(tree: Tree, dest: str) -> None:
    with pytest.raises(UsageError, match="absolute path"):
        path_of(tree, dest)


def test_paths_of_a_windows(tmp_path: Path) -> None:
    tree = Tree(Root(str(tmp_path), windows=True), WINDOWS, {})
    assert path_of(tree, "C:\\ProgramData\\site\\a.txt") == "/ProgramData/site/a.txt"
    assert path_of(tree, "/ProgramData//site") == "/ProgramData/site"
    for dest in ("D:\\x", "C:x", "C:\\", "C:\\..\\x", "C:\\a:b", "C:\\nul.txt\\a", "/a./b"):
        with pytest.raises(UsageError):
            path_of(tree, dest)


def test_options_of_the_other_system(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(OsError, match="The option acl is for Windows"):
        apply(tree, text("x", access="readable"), check=True)
    windows = Tree(Root(str(tmp_path), windows=True), WINDOWS, {})
    with pytest.raises(OsError, match="The option mode is for Linux"):
        apply(windows, text("x", mode=0o600), check=True)
    with pytest.raises(UsageError, match="Links are for Linux"):
        apply(windows, FileRequest("/x", "link", target="y"), check=True)


@pytest.mark.parametrize(("mode", "number"), [("0644", 0o644), ("644", 0o644), (0o644, 0o644), ("7777", 0o7777)])
def test_modes(mode: t.Any, number: int) -> None:
    assert mode_of(mode) == number


@pytest.mark.parametrize("mode", ["u=rw", "0899", "-1", "77777", True, 1 << 20])
def test_modes_that_are_none(mode: t.Any) -> None:
    with pytest.raises(UsageError, match="octal"):
        mode_of(mode)
