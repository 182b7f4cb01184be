# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Windows does once: its answer file, its first boot, its drivers, on a real NTFS."""

from __future__ import annotations

import os
import subprocess
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os import acl
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import Tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import drivers, first_boot, unattend
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.answers import Answers, User
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.hive import Edit, change, read_value
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import shown, string

from tests.support.windows import deployed_windows, opened

ANSWERS = Answers(computer_name="pc-017", users=(User("teacher", "s3cret", admin=True),))
RUN_ONCE = r"Microsoft\Windows\CurrentVersion\RunOnce"
THEIRS = b"@echo off\r\nrem of the image \xe4\r\n"


@pytest.fixture
def tree(tmp_path: Path) -> t.Iterator[Tree]:
    with deployed_windows(tmp_path) as found:
        yield found


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "drivers"
    for name, content in {"net/nic.inf": b"[Version]", "net/x64/nic.sys": bytes(3 << 20), "Disk.INF": b"; two"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def path_of(tree: Tree, path: str) -> Path:
    return Path(tree.root.path + path)


def files_of(tree: Tree) -> dict[str, bytes]:
    """All files of the tree, with what is in them."""
    top = Path(tree.root.path)
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def steps_of(tree: Tree) -> dict[str, list[str]]:
    return first_boot.steps_of((tree.root.read("/Windows/golden.fleet/steps.cmd") or b"").decode())


def test_an_answer_file(tree: Tree) -> None:
    before = files_of(tree)
    would = unattend.apply(tree, ANSWERS, check=True)
    assert files_of(tree) == before
    assert unattend.apply(tree, ANSWERS, check=False) == would
    assert would["changed"]
    again = unattend.apply(tree, ANSWERS, check=False)
    assert not again["changed"]
    assert again["diff"]["before"] == again["diff"]["after"] == would["diff"]["after"]
    assert "s3cret" not in str(would)
    found = ET.parse(path_of(tree, unattend.PLACE)).getroot()
    components = found.findall(".//{*}component")
    assert {each.get("processorArchitecture") for each in components} == {"amd64"}
    assert steps_of(tree) == {
        "answers": [
            r'del /f /q "%SystemRoot%\Panther\Unattend\unattend.xml"',
            r'del /f /q "%SystemRoot%\Panther\unattend.xml"',
        ]
    }


def test_only_administrators_can_read_any_of_it(tree: Tree) -> None:
    before = set(files_of(tree))
    first_boot.apply(tree, ["echo secret"], check=False)
    unattend.apply(tree, ANSWERS, check=False, winrm="https")
    new = set(files_of(tree)) - before
    assert len(new) == 4
    for name in (*new, "Windows/golden.fleet", "Windows/Panther/Unattend", "ProgramData/golden.fleet"):
        assert tree.root.descriptor(f"/{name}") == acl.PRIVATE, name


def test_what_else_windows_would_find_is_removed(tree: Tree) -> None:
    path_of(tree, "/Windows/Panther/UNATTEND.XML").write_text("<unattend/>")
    path_of(tree, "/Windows/Panther/unattend").mkdir()
    path_of(tree, "/Windows/Panther/unattend/Unattend.xml").write_text(
        "<unattend><Password>t0pmost</Password></unattend>"
    )
    os.setxattr(path_of(tree, "/Windows/Panther/unattend/Unattend.xml"), acl.ATTRIBUTE, acl.READABLE)
    change(tree.root, "SYSTEM", [Edit("Setup", "UnattendFile", string(r"C:\other.xml"))], check=False)
    done = unattend.apply(tree, ANSWERS, check=False)
    assert "t0pmost" not in done["diff"]["before"]
    assert sorted(each.name for each in path_of(tree, "/Windows/Panther").rglob("*")) == ["Unattend.xml", "unattend"]
    assert tree.root.descriptor(unattend.PLACE) == acl.PRIVATE
    assert b"pc-017" in path_of(tree, "/Windows/Panther/unattend/Unattend.xml").read_bytes()
    assert read_value(tree.root, "SYSTEM", "Setup", "UnattendFile") is None
    assert not unattend.apply(tree, ANSWERS, check=False)["changed"]


def test_winrm(tree: Tree) -> None:
    unattend.apply(tree, ANSWERS, check=False, winrm="http")
    assert "Enable-PSRemoting" in steps_of(tree)["remote"][0]
    assert unattend.apply(tree, ANSWERS, check=False, winrm="https")["changed"]
    assert "HTTPS" in steps_of(tree)["remote"][0]
    assert unattend.apply(tree, ANSWERS, check=False)["changed"]
    assert set(steps_of(tree)) == {"answers"}


def test_a_windows_that_is_not_generalized_reads_no_answer_file(tmp_path: Path) -> None:
    with deployed_windows(tmp_path, generalized=False) as tree:
        before = files_of(tree)
        with pytest.raises(OsError, match="not generalized.*sysprep"):
            unattend.apply(tree, ANSWERS, check=False)
        with pytest.raises(OsError, match=r"no SetupComplete\.cmd. Use way=run_once"):
            first_boot.apply(tree, ["ver"], check=True)
        assert files_of(tree) == before


def test_hostile_places(tree: Tree, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    panther = path_of(tree, "/Windows/Panther")
    (panther / "Unattend").symlink_to(outside)
    with pytest.raises(OsError, match="symbolic links"):
        unattend.apply(tree, ANSWERS, check=False)
    (panther / "Unattend").unlink()
    (panther / "Unattend").mkdir()
    os.mkfifo(panther / "Unattend/unattend.xml")
    with pytest.raises(OsError, match="no plain file"):
        unattend.apply(tree, ANSWERS, check=False)
    (panther / "Unattend/unattend.xml").unlink()
    (panther / "unattend").mkdir()
    with pytest.raises(OsError, match="two names that Windows cannot tell apart"):
        unattend.apply(tree, ANSWERS, check=False)
    assert list(outside.iterdir()) == []


def test_a_first_boot(tree: Tree) -> None:
    script = path_of(tree, first_boot.SETUP_COMPLETE)
    script.parent.mkdir(parents=True)
    script.write_bytes(THEIRS)
    before = files_of(tree)
    would = first_boot.apply(tree, ["echo a", "echo b"], check=True)
    assert would["changed"]
    assert files_of(tree) == before
    assert first_boot.apply(tree, ["echo a", "echo b"], check=False) == would
    assert not first_boot.apply(tree, ["echo a", "echo b"], check=False)["changed"]
    assert script.read_bytes().endswith(THEIRS)
    assert script.read_bytes().startswith(b"rem >>> golden.fleet\r\n")
    assert first_boot.apply(tree, ["echo c"], check=False)["changed"]
    assert [line for line in steps_of(tree)["commands"] if "cmd.exe" in line] == ['cmd.exe /d /s /c "echo c"']
    assert first_boot.apply(tree, [], check=False)["changed"]
    assert not first_boot.apply(tree, [], check=False)["changed"]
    assert files_of(tree) == before


def test_the_first_logon_instead(tree: Tree) -> None:
    first_boot.apply(tree, ["echo a"], check=False)
    assert first_boot.apply(tree, ["echo a"], check=False, way="run_once")["changed"]
    assert not path_of(tree, first_boot.SETUP_COMPLETE).exists()
    value = read_value(tree.root, "SOFTWARE", RUN_ONCE, "golden.fleet")
    assert value
    assert shown(value) == r'cmd.exe /c "%SystemRoot%\golden.fleet\run.cmd"'
    assert not first_boot.apply(tree, ["echo a"], check=False, way="run_once")["changed"]
    # Others do not mind how it is started.
    unattend.apply(tree, ANSWERS, check=False)
    assert not path_of(tree, first_boot.SETUP_COMPLETE).exists()
    assert first_boot.apply(tree, ["echo a"], check=False)["changed"]
    assert read_value(tree.root, "SOFTWARE", RUN_ONCE, "golden.fleet") is None


def test_scripts_that_windows_can_run(tree: Tree) -> None:
    first_boot.apply(tree, ["echo größe"], check=False)
    for name in ("/Windows/golden.fleet/run.cmd", "/Windows/golden.fleet/steps.cmd", first_boot.SETUP_COMPLETE):
        content = path_of(tree, name).read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") == len(content.splitlines())
    assert "größe".encode() in path_of(tree, "/Windows/golden.fleet/steps.cmd").read_bytes()


def test_drivers(tree: Tree, packages: Path) -> None:
    before = files_of(tree)
    would = drivers.apply(tree, str(packages), check=True)
    assert files_of(tree) == before
    done = drivers.apply(tree, str(packages), check=False)
    assert done == would
    assert done["changed"]
    assert done["drivers"] == ["Disk.INF", "net/nic.inf"]
    laid = path_of(tree, "/Windows/golden.fleet/drivers")
    assert subprocess.run(["diff", "-r", packages, laid], check=False).returncode == 0
    assert not drivers.apply(tree, str(packages), check=False)["changed"]
    (packages / "net/x64/nic.sys").write_bytes(bytes(3 << 20)[:-1] + b"1")
    (packages / "Disk.INF").unlink()
    again = drivers.apply(tree, str(packages), check=False)
    assert again["diff"]["after"]["written"] == ["net/x64/nic.sys"]
    assert subprocess.run(["diff", "-r", packages, laid], check=False).returncode == 0
    assert "pnputil" in steps_of(tree)["drivers"][0]
    assert drivers.apply(tree, None, check=False)["changed"]
    assert steps_of(tree) == {}


def test_drivers_that_nothing_would_install_are_not_laid(tree: Tree, packages: Path) -> None:
    path_of(tree, "/Windows/System32/config/SOFTWARE").write_bytes(b"damaged")
    before = files_of(tree)
    for check in (True, False):
        with pytest.raises(OsError, match="no registry hive"):
            drivers.apply(tree, str(packages), check=check)
    assert files_of(tree) == before


def test_drivers_that_no_windows_can_have(tree: Tree, packages: Path) -> None:
    before = files_of(tree)
    for make, unmake, said in (
        (lambda: (packages / "net/NIC.inf").write_text(""), "net/NIC.inf", "two names"),
        (lambda: (packages / "a:b").write_text(""), "a:b", "nothing that a Windows can have"),
        (lambda: (packages / "out").symlink_to("/etc"), "out", "nothing that a Windows can have"),
        (lambda: os.mkfifo(packages / "fifo"), "fifo", "nothing that a Windows can have"),
    ):
        make()
        with pytest.raises(UsageError, match=said):
            drivers.apply(tree, str(packages), check=False)
        (packages / unmake).unlink()
    for name in ("net/nic.inf", "Disk.INF"):
        (packages / name).unlink()
    with pytest.raises(UsageError, match=r"none of its files is called \*\.inf"):
        drivers.apply(tree, str(packages), check=False)
    with pytest.raises(UsageError, match="There is no folder"):
        drivers.apply(tree, str(packages / "none"), check=False)
    assert files_of(tree) == before


def test_a_tree_that_can_only_be_read(tmp_path: Path, packages: Path) -> None:
    with deployed_windows(tmp_path):
        pass
    with opened(tmp_path / "windows.img", "ro,norecover") as tree:
        for work in (
            lambda: unattend.apply(tree, ANSWERS, check=False),
            lambda: first_boot.apply(tree, ["ver"], check=False),
            lambda: drivers.apply(tree, str(packages), check=False),
        ):
            with pytest.raises(OsError, match="Read-only file system"):
                work()
