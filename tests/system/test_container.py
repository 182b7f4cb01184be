# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The container that roles are tested in leaves nothing behind, whatever happens to the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.tests.support.container import Container, debian_tree
from ansible_collections.golden.fleet.tests.support.network import Network
from ansible_collections.golden.fleet.tests.support.playbook import alive, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")

# A test that is killed while its container is up.
_KILLED = """
import os, signal, sys
from pathlib import Path
from ansible_collections.golden.fleet.tests.support.container import Container
with Container(Path(sys.argv[1]), Path(sys.argv[2]), network=sys.argv[3], name=sys.argv[4]) as box:
    print(box.leader())
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def network() -> t.Iterator[Network]:
    with Network() as network:
        yield network


def test_files_survive_a_power_cut_and_go_with_the_container(tmp_path: Path, network: Network) -> None:
    tree = debian_tree()
    with Container(tmp_path, tree, network=network.name) as box:
        box.write("/root/note", "kept")
        box.start(outlive=False)
        assert box.run("cat", "/root/note").stdout == "kept"
        assert box.run("systemctl", "is-system-running").stdout.strip() == "running"
        leader = box.leader()
    assert not alive(leader)
    assert not (tree / "root/note").exists()
    assert not (tmp_path / "written").exists()


def test_nothing_runs_on_when_the_test_is_killed(tmp_path: Path, network: Network) -> None:
    box = Container(tmp_path, debian_tree(), network=network.name, name="golden-killed")
    arguments = [str(tmp_path), str(debian_tree()), network.name, box.name]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    until(lambda: not alive(int(done.stdout)), "the container is gone")
    box.destroy()
