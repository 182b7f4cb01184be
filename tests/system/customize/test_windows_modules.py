# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The os_ modules on a Windows, through Ansible: check, real, check again, real again; and no secret is ever seen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import Tree

from tests.support.playbook import ansible_environment
from tests.support.windows import deployed_windows

SECRETS = ["s3cret-of-teacher", "s3cret-of-all", "s3cret-to-join", "s3cret-to-say", "AAAAA-BBBBB-CCCCC-DDDDD-11111"]
TEACHER, ALL, JOIN, SAY, KEY = SECRETS
Task = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


def play(folder: Path, tree: Tree, tasks: list[Task], *options: str) -> tuple[int, str]:
    """:returns: how many tasks have changed something, and all that was said."""
    names = {name for task in tasks for name in task if name.startswith("golden.fleet.")}
    defaults = {name: {"root": tree.root.path} for name in names}
    playbook = folder / "play.json"
    playbook.write_text(
        json.dumps([{"hosts": "all", "gather_facts": False, "module_defaults": defaults, "tasks": tasks}])
    )
    inventory = folder / "inventory.json"
    this_one = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory.write_text(json.dumps({"all": {"hosts": {"pc-017": this_one}}}))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", inventory, playbook, "--diff", *options],
        env=ansible_environment(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return int(done.stdout.rpartition(" changed=")[2].split()[0]), done.stdout


def four_times(folder: Path, tree: Tree, tasks: list[Task], changes: int) -> str:
    said = ""
    for options, wanted in ((["--check"], changes), ([], changes), (["--check"], 0), ([], 0)):
        changed, output = play(folder, tree, tasks, "-vvv", *options)
        assert changed == wanted, output
        said += output
    return said


@pytest.mark.slow
def test_a_generalized_one(tmp_path: Path) -> None:
    tasks: list[Task] = [
        {"golden.fleet.os_identity": {}},
        {"golden.fleet.os_first_boot": {"commands": [f"say {SAY}"]}},
        {
            "golden.fleet.os_unattend": {
                "computer_name": "pc-017",
                "timezone": "Europe/Berlin",
                "locale": "de_DE",
                "product_key": KEY,
                "administrator_password": ALL,
                "users": [{"name": "teacher", "password": TEACHER}],
                "domain": {"name": "lab.example", "username": "joiner", "password": JOIN},
                "first_logon_commands": [f"say {SAY}"],
                "winrm": "https",
            }
        },
        {
            "golden.fleet.os_registry": {
                "hive": "SYSTEM",
                "path": r"CurrentControlSet\Control\Session Manager\Power",
                "name": "HiberbootEnabled",
                "type": "dword",
                "data": 0,
            }
        },
    ]
    with deployed_windows(tmp_path) as tree:
        said = four_times(tmp_path, tree, tasks, 4)
        content = tree.root.read("/Windows/Panther/Unattend/unattend.xml") or b""
    assert JOIN.encode() in content
    hidden = re.findall(rb"<Value>(.*)</Value>", content)
    assert len(hidden) == 2
    for secret in (*SECRETS, *(each.decode() for each in hidden)):
        assert secret not in said


@pytest.mark.slow
def test_one_that_is_not_generalized(tmp_path: Path) -> None:
    tasks: list[Task] = [
        {"golden.fleet.os_hostname": {"name": "pc-017"}},
        {"golden.fleet.os_identity": {}, "register": "identity"},
        {"golden.fleet.os_first_boot": {"commands": ["ver"], "way": "run_once"}},
        {"ansible.builtin.assert": {"that": ["identity.notes | length == 2"]}},
    ]
    refused: list[Task] = [
        {"golden.fleet.os_unattend": {}, "register": "one", "failed_when": "'sysprep' not in one.msg"},
        {
            "golden.fleet.os_user": {"name": "teacher"},
            "register": "two",
            "failed_when": "'golden.fleet.os_unattend' not in two.msg",
        },
    ]
    with deployed_windows(tmp_path, generalized=False) as tree:
        four_times(tmp_path, tree, tasks, 3)
        assert play(tmp_path, tree, refused)[0] == 0
