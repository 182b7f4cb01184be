# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("the host's")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "etc").mkdir(parents=True)
    (folder / "etc" / "hostname").write_text("reference\n")
    return folder


def test_reading(tree: Path) -> None:
    root = Root(str(tree))
    assert root.read("/etc/hostname") == b"reference\n"
    assert root.read("/etc/none") is None
    assert root.read("/none/none") is None
    assert root.names("/etc") == ["hostname"]
    assert root.names("/none") == []
    assert root.exists("/etc/hostname")
    assert not root.exists("/etc/none")
    with pytest.raises(OsError, match="more than 3 bytes"):
        root.read("/etc/hostname", most=3)


def test_writing(tree: Path) -> None:
    Root(str(tree)).write("/etc/ansible/facts.d/golden.fact", b"{}", mode=0o600)
    file = tree / "etc/ansible/facts.d/golden.fact"
    assert file.read_bytes() == b"{}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["golden.fact"]
    Root(str(tree)).write("/etc/hostname", b"pc-1\n")
    assert (tree / "etc/hostname").read_text() == "pc-1\n"


def test_the_place_of_a_folder_has_no_links(tree: Path, outside: Path) -> None:
    (tree / "srv").mkdir()
    (tree / "link").symlink_to("/srv")
    (tree / "out").symlink_to("../../../..")
    (tree / "away").symlink_to(outside)
    root = Root(str(tree))
    assert root.place("/srv") == root.place("/link/.") == f"{tree}/srv"
    assert root.place("/") == root.place("/out") == root.place("/out/..") == str(tree)
    assert root.place("/none") is root.place(f"/out{outside}") is None
    assert root.place("/away", make=True) == f"{tree}{outside}"
    assert os.listdir(outside) == ["file"]
    with pytest.raises(OsError, match="/etc/hostname of the deployed system: Not a directory"):
        root.place("/etc/hostname")


def test_links_are_followed_as_the_system_itself_would(tree: Path) -> None:
    (tree / "usr/lib").mkdir(parents=True)
    (tree / "lib").symlink_to("usr/lib")
    (tree / "etc/os-release").symlink_to("../../../../lib/os-release")
    (tree / "etc/absolute").symlink_to("/etc/hostname")
    (tree / "usr/lib/os-release").write_text("ID=debian\n")
    root = Root(str(tree))
    assert root.read("/etc/os-release") == b"ID=debian\n"
    assert root.read("/etc/absolute") == b"reference\n"
    root.write("/lib/new", b"new")
    assert (tree / "usr/lib/new").read_bytes() == b"new"
    root.write("/etc/absolute", b"written through\n")
    assert (tree / "etc/hostname").read_bytes() == b"written through\n"
    assert root.names("/lib") == ["new", "os-release"]


@pytest.mark.parametrize("target", ["{outside}/file", "../../outside/file", "../../../../../../../../{outside}/file"])
def test_a_link_never_leads_out(tree: Path, outside: Path, target: str) -> None:
    (tree / "etc/trap").symlink_to(target.format(outside=outside))
    root = Root(str(tree))
    assert root.read("/etc/trap") is None
    root.write("/etc/trap", b"beneath")
    assert (outside / "file").read_text() == "the host's"
    assert root.read("/etc/trap") == b"beneath"


def test_a_folder_that_is_a_link_never_leads_out(tree: Path, outside: Path) -> None:
    (tree / "etc/ansible").symlink_to(outside)
    Root(str(tree)).write("/etc/ansible/file", b"beneath")
    assert (outside / "file").read_text() == "the host's"
    assert sorted(each.name for each in outside.iterdir()) == ["file"]


def test_parents_end_at_the_root(tree: Path, outside: Path) -> None:
    assert outside.exists()
    assert Root(str(tree)).read("/../outside/file") is None
    assert Root(str(tree)).read("/etc/../../etc/hostname") == b"reference\n"


def test_links_in_a_circle(tree: Path) -> None:
    (tree / "etc/one").symlink_to("two")
    (tree / "etc/two").symlink_to("one")
    with pytest.raises(OsError, match="symbolic links"):
        Root(str(tree)).read("/etc/one")
    with pytest.raises(OsError, match="symbolic links"):
        Root(str(tree)).write("/etc/one/file", b"")


def test_a_fifo_or_folder_in_the_way_is_left_alone(tree: Path) -> None:
    os.mkfifo(tree / "etc/fifo")
    (tree / "etc/folder").mkdir()
    root = Root(str(tree))
    for name in ("/etc/fifo", "/etc/folder"):
        with pytest.raises(OsError, match="no plain file"):
            root.read(name)
        with pytest.raises(OsError, match="no plain file"):
            root.write(name, b"")
    with pytest.raises(OsError, match="Not a directory"):
        root.write("/etc/hostname/file", b"")
    assert sorted(each.name for each in (tree / "etc").iterdir()) == ["fifo", "folder", "hostname"]


def test_a_file_keeps_its_mode_and_owner(tree: Path) -> None:
    root = Root(str(tree))
    os.chown(tree / "etc/hostname", 7, 8)
    (tree / "etc/hostname").chmod(0o640)
    root.write("/etc/hostname", b"pc-1")
    info = root.info("/etc/hostname")
    assert info
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (7, 8, 0o640)
    root.write("/etc/hostname", b"pc-1", mode=0o600, owner=(0, 0))
    info = root.info("/etc/hostname")
    assert info
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (0, 0, 0o600)


def test_folders_and_links(tree: Path, outside: Path) -> None:
    root = Root(str(tree))
    assert root.folder("/home/teacher/.ssh", 0o700, (1000, 1000))
    assert not root.folder("/home/teacher/.ssh", 0o700, (1000, 1000))
    info = (tree / "home/teacher/.ssh").stat()
    assert (info.st_uid, stat.S_IMODE(info.st_mode)) == (1000, 0o700)
    assert root.link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
    assert not root.link("/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
    assert root.link("/etc/localtime", "/usr/share/zoneinfo/UTC")
    assert os.readlink(tree / "etc/localtime") == "/usr/share/zoneinfo/UTC"
    (tree / "out").symlink_to(outside)
    with pytest.raises(OsError):
        root.folder("/etc/hostname")
    root.folder("/out/made")
    assert not (outside / "made").exists()
    root.remove("/etc/hostname")
    root.remove("/etc/hostname")
    assert not root.exists("/etc/hostname")


def test_a_folder_keeps_what_is_not_said(tree: Path) -> None:
    root = Root(str(tree))
    assert root.folder("/srv/new", None, None)
    assert stat.S_IMODE((tree / "srv/new").stat().st_mode) == 0o755
    (tree / "srv/new").chmod(0o711)
    assert not root.folder("/srv/new", None, None)
    assert root.folder("/srv/new", 0o700, None)
    assert stat.S_IMODE((tree / "srv/new").stat().st_mode) == 0o700


def test_taking_away_follows_no_link(tree: Path, outside: Path) -> None:
    (tree / "srv/deep").mkdir(parents=True)
    (tree / "srv/deep/out").symlink_to(outside)
    (tree / "srv/escape").symlink_to(outside)
    root = Root(str(tree))
    assert root.link_target("/srv/escape") == str(outside)
    assert root.link_target("/srv/deep") is None
    assert root.link_target("/none/none") is None
    assert root.remove_all("/srv/escape")
    assert not root.remove_all("/srv/escape")
    assert root.remove_all("/srv/deep")
    assert root.remove_all("/srv")
    assert os.listdir(outside) == ["file"]
    for path in ("/", "/etc/..", "."):
        with pytest.raises(OsError, match="names no entry"):
            root.remove_all(path)


def test_taking_away_through_a_link_stays_beneath(tree: Path, outside: Path) -> None:
    (tree / "escape").symlink_to(outside)
    assert not Root(str(tree)).remove_all("/escape/file")
    assert (outside / "file").exists()


def test_a_link_belongs_to_whom_it_shall(tree: Path) -> None:
    root = Root(str(tree))
    assert root.link("/etc/link", "/etc/hostname", owner=(1000, 1001))
    info = (tree / "etc/link").lstat()
    assert (info.st_uid, info.st_gid) == (1000, 1001)
    assert (tree / "etc/hostname").stat().st_uid == 0
    assert not root.link("/etc/link", "/etc/hostname")


def test_another_name(tree: Path) -> None:
    root = Root(str(tree))
    (tree / "home/new").mkdir(parents=True)
    root.move("/home/new", "teacher")
    assert root.names("/home") == ["teacher"]
    (tree / "home/other/file").mkdir(parents=True)
    with pytest.raises(OsError, match="not empty"):
        root.move("/home/teacher", "other")


def test_a_lock_is_held_by_one(tree: Path) -> None:
    root = Root(str(tree))
    with root.locked("/etc/.pwd.lock"):
        taken = subprocess.run(
            [sys.executable, "-c", _TRY, str(tree / "etc/.pwd.lock")], check=False, capture_output=True
        )
        assert b"Resource temporarily unavailable" in taken.stderr
    subprocess.run([sys.executable, "-c", _TRY, str(tree / "etc/.pwd.lock")], check=True)
    os.mkfifo(tree / "etc/fifo")
    with pytest.raises(OsError, match="no plain file"), root.locked("/etc/fifo"):
        pass


_TRY = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"


def test_a_file_keeps_its_selinux_label(tree: Path) -> None:
    label = b"system_u:object_r:hostname_etc_t:s0\0"
    try:
        os.setxattr(tree / "etc/hostname", "security.selinux", label)
    except OSError:
        pytest.skip("no SELinux labels here")
    Root(str(tree)).write("/etc/hostname", b"pc-1\n")
    assert os.getxattr(tree / "etc/hostname", "security.selinux") == label


def test_folders_are_for_all_whatever_the_umask(tree: Path) -> None:
    before = os.umask(0o077)
    try:
        Root(str(tree)).write("/etc/X11/xorg.conf.d/keyboard.conf", b"")
        Root(str(tree)).place("/srv/data", make=True)
    finally:
        os.umask(before)
    for folder in ("etc/X11", "etc/X11/xorg.conf.d", "srv", "srv/data"):
        assert stat.S_IMODE((tree / folder).stat().st_mode) == 0o755, folder
