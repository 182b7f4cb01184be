# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the documentation of each module do what they say: they are run, on a store and a disk of ours."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore

from tests.support.bmc import RedfishBmc, free_port
from tests.support.engine import capture_disk, noise_disk
from tests.support.libvirt import Libvirt, Machine

TREE = Path(__file__).parents[2]
# Their examples need an imaging server, or a system on a disk that nobody uses; they are not run yet.
ELSEWHERE = {
    "deployed_info", "deployed_marker", "netboot_entry", "netboot_info", "netboot_wait", "pxe_reboot",
    "wait_for_system",
}  # fmt: skip
MODULES = sorted(each for each in (TREE / "plugins" / "modules").glob("*.py") if each.stem not in ELSEWHERE)
# What the examples of a module find in the store: versions of lab-a, and tags of the first one.
FOUND: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "image_apply": (("2026.11",), ("stable",)),
    "image_info": (("2026.11", "2026.10"), ("stable",)),
    "image_prune": (("2026.11", "2026.10"), ()),
    "image_tag": (("2026.11",), ("testing",)),
    "image_verify": (("2026.11",), ("stable",)),
}

Task = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


def _examples(module: Path) -> list[Task]:
    """The value of EXAMPLES, without importing the module."""
    values = {
        statement.targets[0].id: statement.value
        for statement in ast.parse(module.read_text("utf-8")).body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    tasks: list[Task] = yaml.safe_load(ast.literal_eval(values["EXAMPLES"]))
    return tasks


def _options(task: Task) -> tuple[str, dict[str, t.Any]]:
    """The module that a task calls, and its options."""
    (name,) = (key for key in task if "." in key)
    return name, task[name] or {}


def _here(task: Task, store: Path, disk: Path, power: dict[str, t.Any] | None) -> Task:
    """The task with our store, our disk and our machine in the place of those of the example."""
    name, options = _options(task)
    changes: dict[str, t.Any] = {}
    if power and "power" in options:
        changes["power"] = power
    if name.startswith("golden.fleet.image_"):
        if "store" in options:
            changes["store"] = str(store)
        if "disk" in options:
            changes["disk"] = {"path": str(disk)} if isinstance(options["disk"], dict) else str(disk)
    return {**task, name: {**options, **changes}}


def _play(tasks: list[Task], folder: Path) -> None:
    playbook = folder / "play.json"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), "utf-8")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "GOLDEN_"))}
    environment = {
        **mine,
        "ANSIBLE_COLLECTIONS_PATH": str(TREE / ".cache"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
    }
    tool = str(Path(sys.executable).with_name("ansible-playbook"))
    here = ["-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"]
    done = subprocess.run(
        [tool, *here, str(playbook)], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def power(module: Path, tmp_path: Path) -> t.Iterator[dict[str, t.Any] | None]:
    """A machine to switch, for the modules that do."""
    if module.stem not in {"next_boot", "power"}:
        yield None
        return
    machine = Machine("pc-07", "52:54:00:12:34:07", noise_disk(tmp_path / "pc.img", 1), "bios", memory=64 << 20)
    with Libvirt(tmp_path / "libvirt") as libvirt:
        libvirt.define(machine)
        with RedfishBmc(tmp_path / "bmc", libvirt, machine, free_port()) as bmc:
            yield {"provider": "redfish", "address": bmc.url, "username": bmc.username, "password": bmc.password}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_examples_of_a_module_run(module: Path, tmp_path: Path, power: dict[str, t.Any] | None) -> None:
    reference = noise_disk(tmp_path / "reference.img", 3)
    disk = noise_disk(tmp_path / "disk.img", 4, seed=2)
    versions, tags = FOUND.get(module.stem, ((), ()))
    with DirectoryStore(str(tmp_path / "store")) as store:
        for version in versions:
            capture_disk(store, reference, f"lab-a:{version}", tags=tags if version == versions[0] else ())
    tasks = _examples(module)
    assert any(_options(task)[0] == f"golden.fleet.{module.stem}" for task in tasks)
    _play([_here(task, tmp_path / "store", disk, power) for task in tasks], tmp_path)
