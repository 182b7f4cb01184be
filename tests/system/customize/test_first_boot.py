# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands of the first boot, run by the systemd of a Debian in a container: power cuts, failures, and their end."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.first_boot import FOLDER, STATE, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import identify

from tests.support.container import Container, debian_tree
from tests.support.network import Network

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")

UNIT = "golden-first-boot.service"
SECRET = "canary-5d1f"


@pytest.fixture
def box(tmp_path: Path) -> t.Iterator[Container]:
    with Network() as network, Container(tmp_path, debian_tree(), network=network.name) as box:
        box.write("/etc/fstab", "")
        yield box


def leave(box: Container, *commands: str) -> None:
    """While it is up, but nothing of it would notice."""
    tree = identify(Root(f"/proc/{box.leader()}/root/."))
    assert tree
    assert apply(tree, commands, check=False)["changed"]
    box.run("sync")


def state(box: Container) -> dict[str, t.Any]:
    found: dict[str, t.Any] = json.loads(box.run("cat", STATE).stdout)
    return found


def test_they_run_once_and_nothing_stays(box: Container) -> None:
    leave(box, "hostname >/root/one", f"echo {SECRET} >/dev/null; test -e /root/one && echo two >>/root/two")
    box.start(outlive=False)
    assert box.run("cat", "/root/one").stdout.strip() == box.name
    assert state(box) == {"state": "done", "total": 2, "done": 2, "rc": 0}
    assert box.run("test", "-e", FOLDER, check=False).returncode == 1
    assert box.run("grep", "-rl", SECRET, "/etc", "/root", "/var/lib", check=False).stdout == ""
    journal = box.run("journalctl", "--unit", UNIT, "--output=cat").stdout
    assert "Command 2 of 2" in journal
    assert SECRET not in box.run("journalctl", "--output=cat").stdout
    box.start(outlive=False)
    assert box.run("cat", "/root/two").stdout == "two\n"
    assert box.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_a_power_cut_while_a_command_runs(box: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(
        box, "echo one >>/root/log", "echo two >>/root/log; test -e /root/again || { touch /root/again; sleep 3600; }"
    )
    with monkeypatch.context() as patch:
        # Its start is not complete before the last command.
        patch.setattr(box, "_is_up", (box.written / "root/again").exists)
        box.start(outlive=False)
    assert state(box)["state"] == "running"
    box.start(outlive=False)
    assert state(box)["state"] == "done"
    assert box.run("cat", "/root/log").stdout.split() == ["one", "two", "two"]


def test_a_failure_is_seen_and_can_be_mended(box: Container) -> None:
    leave(box, "test -e /root/mended", "echo two >>/root/log")
    box.start(outlive=False)
    assert box.run("systemctl", "is-system-running", check=False).stdout.strip() == "degraded"
    assert box.run("systemctl", "is-failed", UNIT).stdout.strip() == "failed"
    assert state(box) == {"state": "failed", "total": 2, "done": 0, "rc": 1}
    box.run("touch", "/root/mended")
    box.run("systemctl", "start", UNIT)
    assert state(box)["state"] == "done"
    assert box.run("cat", "/root/log").stdout == "two\n"
