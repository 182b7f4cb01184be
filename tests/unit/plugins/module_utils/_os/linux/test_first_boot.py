# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands of the first boot in a tree; and their program, run by the shells here as a boot would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.first_boot import FOLDER, STATE, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, WINDOWS, Tree

SECRET = "hunter2"
WANTED = "etc/systemd/system/multi-user.target.wants/golden-first-boot.service"
UNIT = "etc/systemd/system/golden-first-boot.service"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "usr/lib/systemd").mkdir(parents=True)
    (root / "usr/lib/systemd/systemd").touch()
    return root


@pytest.fixture
def tree(folder: Path) -> Tree:
    return Tree(Root(str(folder)), LINUX, {})


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_they_are_left_and_taken_away(tree: Tree, folder: Path) -> None:
    empty = files(folder)
    would = apply(tree, [f"echo {SECRET}", "true"], check=True)
    assert files(folder) == empty
    done = apply(tree, [f"echo {SECRET}", "true"], check=False)
    assert done == would
    assert (done["changed"], done["commands"], done["diff"]["before"]) == (True, 2, {})
    assert SECRET not in json.dumps(done)
    assert not apply(tree, [f"echo {SECRET}", "true"], check=False)["changed"]
    assert os.readlink(folder / WANTED) == f"/{UNIT}"
    assert json.loads((folder / STATE[1:]).read_text())["state"] == "pending"
    for path in (folder / FOLDER[1:]).rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert stat.S_IMODE((folder / FOLDER[1:]).stat().st_mode) == 0o700
    assert apply(tree, ["true"], check=False)["diff"]["before"]["commands"] == 2
    assert not any(SECRET in text for text in files(folder).values())
    assert apply(tree, [], check=False)["changed"]
    assert files(folder) == empty
    assert not (folder / WANTED).is_symlink()
    assert not apply(tree, [], check=False)["changed"]


def test_what_is_damaged_is_made_whole(tree: Tree, folder: Path) -> None:
    apply(tree, ["true"], check=False)
    (folder / WANTED).unlink()
    assert apply(tree, ["true"], check=False)["changed"]
    (folder / FOLDER[1:] / "commands/001").chmod(0o644)
    assert apply(tree, ["true"], check=False)["changed"]
    (folder / FOLDER[1:] / "commands/002").write_text("false")
    assert apply(tree, ["true"], check=False)["changed"]
    assert not apply(tree, ["true"], check=False)["changed"]


def test_the_unit(tree: Tree, folder: Path) -> None:
    apply(tree, ["true"], check=False)
    assert "network-online" not in (folder / UNIT).read_text()
    assert "After=golden-join.service golden-locale.service\n" in (folder / UNIT).read_text()
    assert apply(tree, ["true"], check=False, network=True)["changed"]
    assert "After=network-online.target\n" in (folder / UNIT).read_text()
    assert apply(tree, ["true"], check=False, network=True, reboot=True)["changed"]


def test_what_cannot_be(tree: Tree, folder: Path) -> None:
    for commands in (["true", " \n"], ["a\0b"], ["a\udcff"], ["true"] * 1000):
        with pytest.raises(UsageError, match="first boot"):
            apply(tree, commands, check=True)
    with pytest.raises(OsError, match="is for Linux"):
        apply(Tree(tree.root, WINDOWS, {}), ["true"], check=True)
    shutil.rmtree(folder / "usr")
    with pytest.raises(OsError, match="does not start with systemd"):
        apply(tree, ["true"], check=True)
    assert not apply(tree, [], check=True)["changed"], "there is nothing to take away"


class Boots:
    """Runs what was left, as boots would, in a folder."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        self.folder = folder
        self._tree = tree
        self.log = folder / "log"

    def leave(self, *commands: str) -> None:
        apply(self._tree, [each.replace("LOG", str(self.log)) for each in commands], check=False)
        program = self.folder / FOLDER[1:] / "run"
        program.write_text(program.read_text().replace("/etc/", f"{self.folder}/etc/"))

    def boot(self) -> subprocess.CompletedProcess[str]:
        program = self.folder / FOLDER[1:] / "run"
        return subprocess.run(
            ["setsid", "--wait", "sh", str(program)], capture_output=True, text=True, check=False, timeout=20
        )

    @property
    def state(self) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads((self.folder / STATE[1:]).read_text())
        return found

    @property
    def logged(self) -> list[str]:
        return self.log.read_text().split()


@pytest.fixture
def boots(tree: Tree, folder: Path) -> Boots:
    return Boots(tree, folder)


def test_all_succeed_and_nothing_stays(boots: Boots) -> None:
    boots.leave(*(f"echo {number} >>LOG; : {SECRET}" for number in range(1, 13)))
    done = boots.boot()
    assert done.returncode == 0
    assert SECRET not in done.stdout + done.stderr
    assert boots.logged == [str(number) for number in range(1, 13)]
    assert boots.state == {"state": "done", "total": 12, "done": 12, "rc": 0}
    assert sorted(files(boots.folder)) == sorted(["log", "usr/lib/systemd/systemd", STATE[1:]])
    assert not (boots.folder / WANTED).is_symlink()


def test_a_failure_is_the_end_until_it_is_mended(boots: Boots) -> None:
    boots.leave("echo one >>LOG", "test -e LOG.mended || exit 7; echo two >>LOG", "echo three >>LOG")
    for _each in range(4):  # more often than a command may end the boot
        done = boots.boot()
        assert done.returncode == 1
        assert "Command 2 of 3 has failed with exit code 7" in done.stdout
        assert boots.state == {"state": "failed", "total": 3, "done": 1, "rc": 7}
    boots.log.with_suffix(".mended").touch()
    assert boots.boot().returncode == 0
    assert boots.logged == ["one", "two", "three"]
    assert boots.state["state"] == "done"


def test_a_power_cut_in_the_middle(boots: Boots) -> None:
    boots.leave(
        "echo one >>LOG", "echo two >>LOG; test -e LOG.power || { touch LOG.power; kill -9 0; }", "echo 3 >>LOG"
    )
    assert boots.boot().returncode == -signal.SIGKILL
    assert boots.state == {"state": "running", "total": 3, "done": 1, "rc": None}
    assert boots.boot().returncode == 0
    assert boots.logged == ["one", "two", "two", "3"]


def test_a_command_that_restarts_the_machine_does_not_do_so_for_ever(boots: Boots) -> None:
    boots.leave("echo up >>LOG; kill -9 0", "echo never >>LOG")
    assert [boots.boot().returncode for _each in range(5)] == [-signal.SIGKILL] * 3 + [1] * 2
    assert boots.logged == ["up"] * 3
    assert boots.state == {"state": "failed", "total": 2, "done": 0, "rc": None}
