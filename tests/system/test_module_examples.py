# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in the documentation of each module do what they say: they are run, on real parts of ours."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._netboot.config import read_config
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import BOOT_ENV, WAITING
from ansible_collections.golden.fleet.plugins.module_utils._netboot.prepare import EntryRequest, ensure_entry
from ansible_collections.golden.fleet.plugins.module_utils._os.marker import PLACES, Marker, deployed_info, mark
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import string
from ansible_collections.golden.fleet.plugins.module_utils._power.base import NETWORK
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore

from tests.support.bmc import RedfishBmc
from tests.support.checkins import CheckinServer
from tests.support.container import Container, debian_tree
from tests.support.deployed import deployed_debian
from tests.support.disks import MIB, Piece, call, looped, make_gpt, sparse
from tests.support.engine import apply_disk, capture_disk, noise_disk
from tests.support.hives import make_hive
from tests.support.libvirt import Libvirt, Machine
from tests.support.network import Network
from tests.support.playbook import Play, ansible_environment
from tests.support.samba import CLIENT, DC, JOINER, SambaDomain
from tests.support.service import free_port
from tests.support.windows import deployed_windows, keys, write_hive

TREE = Path(__file__).parents[2]
MODULES = sorted((TREE / "plugins" / "modules").glob("*.py"))
HOST, SERVER = "pc-07", "imaging"  # as the examples call them
THIS_ONE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
MAC = "52:54:00:12:34:56"
REF = "lab-a:2026.11"
DEPLOY = "5f0c9d6f8a0d1b7f"
PATIENCE = 120.0  # seconds for a play; the examples themselves would wait longer
# Files by which a Debian is known.
DEBIAN = ("etc/debian_version", "etc/ssh/ssh_host_ed25519_key.pub", "usr/lib/os-release")
LANGUAGES = ("console-setup", "locales", "sudo")  # what a Debian needs to speak another
# How many tasks in the examples of a module change something.
CHANGES = {
    "ad_computer": 3,
    "deployed_marker": 1,
    "disk_identity": 1,
    "image_apply": 1,
    "image_capture": 2,
    "image_prune": 1,
    "image_tag": 2,
    "netboot_entry": 2,
    "next_boot": 2,
    "os_domain_join": 1,
    "os_drivers": 1,
    "os_file": 4,
    "os_first_boot": 2,
    "os_hostname": 1,
    "os_identity": 2,
    "os_locale": 1,
    "os_mount": 2,
    "os_registry": 3,
    "os_unattend": 2,
    "os_user": 2,
    "power": 2,
    "pxe_reboot": 1,
}
# What the examples of a module find in the store: versions of lab-a, and tags of the first one.
FOUND: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "image_apply": (("2026.11",), ("stable",)),
    "image_info": (("2026.11", "2026.10"), ("stable",)),
    "image_prune": (("2026.11", "2026.10"), ()),
    "image_tag": (("2026.11",), ("testing",)),
    "image_verify": (("2026.11",), ("stable",)),
}

Task = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


@dataclass
class Scene:
    """Where the examples of a module are run.

    :ivar options: what takes the place of options that an example writes out, and does not take from a variable.
    :ivar defaults: what netboot modules are told that no example says.
    :ivar root: where a deployed system is mounted for os_ modules.
    :ivar variables: what stands in the inventory, or is known from earlier tasks.
    :ivar machine: how the machine is reached; this one, unless told.
    :ivar command: what the program that runs the play is started by.
    :ivar meanwhile: what happens while the play runs.
    """

    options: dict[str, t.Any] = field(default_factory=dict)
    defaults: dict[str, t.Any] = field(default_factory=dict)
    root: Path | None = None
    variables: dict[str, t.Any] = field(default_factory=dict)
    machine: dict[str, t.Any] = field(default_factory=lambda: dict(THIS_ONE))
    command: tuple[str, ...] = ()
    meanwhile: t.Callable[[Play], None] = lambda _play: None


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


def _here(task: Task, scene: Scene) -> Task:
    """The task with our store, our disk and our machine in the place of those of the example."""
    name, options = _options(task)
    changes = {
        key: {"path": scene.options[key]} if key == "disk" and isinstance(value, dict) else scene.options[key]
        for key, value in options.items()
        if key in scene.options and not (isinstance(value, str) and "{{" in value)
    }
    return {**task, name: {**options, **changes}}


def _play(tasks: list[Task], folder: Path, scene: Scene) -> int:
    """:returns: how many of the tasks have changed something."""
    playbook, inventory = folder / "play.json", folder / "inventory.json"
    play = {"hosts": HOST, "gather_facts": False, "vars": scene.variables, "tasks": tasks}
    play["module_defaults"] = {"group/golden.fleet.netboot": scene.defaults}
    if scene.root:
        names = {_options(task)[0] for task in tasks}
        play["module_defaults"].update({name: {"root": str(scene.root)} for name in names if ".os_" in name})
    playbook.write_text(json.dumps([play]), "utf-8")
    inventory.write_text(json.dumps({"all": {"hosts": {HOST: scene.machine, SERVER: THIS_ONE}}}), "utf-8")
    tool = str(Path(sys.executable).with_name("ansible-playbook"))
    running = Play([*scene.command, tool, "-i", str(inventory), str(playbook)], ansible_environment(folder), folder)
    try:
        scene.meanwhile(running)
        assert running.ends(PATIENCE) == 0, running.output
    finally:
        running.stop()
    return int(running.output.rpartition(" changed=")[2].split()[0])


@contextlib.contextmanager
def _with_a_store(folder: Path, versions: t.Sequence[str] = (), tags: tuple[str, ...] = ()) -> t.Iterator[Scene]:
    """Images of one disk in a store, and another disk that holds something else."""
    reference = noise_disk(folder / "reference.img", 3)
    disk = noise_disk(folder / "disk.img", 4, seed=2)
    with DirectoryStore(str(folder / "store")) as store:
        for version in versions:
            capture_disk(store, reference, f"lab-a:{version}", tags=tags if version == versions[0] else ())
    yield Scene(options={"store": str(folder / "store"), "disk": str(disk)})


@contextlib.contextmanager
def _with_power(folder: Path) -> t.Iterator[Scene]:
    """A machine with a management controller."""
    with _machine(folder) as (_libvirt, power):
        yield Scene(options={"power": power}, variables={"golden_power": power})


@contextlib.contextmanager
def _machine(folder: Path) -> t.Iterator[tuple[Libvirt, dict[str, t.Any]]]:
    """A machine that is off, with nothing on its disk, and how it is switched."""
    machine = Machine(HOST, MAC, noise_disk(folder / "pc.img", 1), "bios", memory=64 << 20)
    with Libvirt(folder / "libvirt") as libvirt:
        libvirt.define(machine)
        with RedfishBmc(folder / "bmc", libvirt, machine, free_port()) as bmc:
            yield (
                libvirt,
                {"provider": "redfish", "address": bmc.url, "username": bmc.username, "password": bmc.password},
            )


@contextlib.contextmanager
def _with_an_imaging_server(folder: Path) -> t.Iterator[Scene]:
    """Nobody waits yet, and nobody waits any more."""
    with CheckinServer(folder) as server:
        yield Scene(defaults={"config": str(server.config)})
        assert server.netboot.entries() == []


@contextlib.contextmanager
def _with_a_machine_that_has_not_come(folder: Path) -> t.Iterator[Scene]:
    with CheckinServer(folder) as server:
        _let_it_wait(server)
        yield Scene(defaults={"config": str(server.config)})
        assert [entry.state for entry in server.netboot.entries()] == [WAITING]


@contextlib.contextmanager
def _with_somebody_who_switches_it_on(folder: Path) -> t.Iterator[Scene]:
    with CheckinServer(folder) as server:
        _let_it_wait(server)

        def switch_on(play: Play) -> None:
            play.sees(r"TASK \[Wait until somebody has switched pc-07 on\]")
            time.sleep(1)  # it shall have to wait
            server.boot(MAC)

        yield Scene(defaults={"config": str(server.config)}, meanwhile=switch_on)


def _let_it_wait(server: CheckinServer) -> None:
    request = EntryRequest(MAC, HOST, BOOT_ENV, lifetime=600, renew=False)
    ensure_entry(read_config(str(server.config)), request)


@contextlib.contextmanager
def _with_a_machine_to_restart(folder: Path) -> t.Iterator[Scene]:
    """Its boot environment is played: there is nothing here that it could boot from. tests/lab boots a real one."""
    with CheckinServer(folder) as server, _machine(folder) as (libvirt, power):

        def boot(play: Play) -> None:
            play.sees(r"pc-07 \| pxe_reboot: switched on")
            assert libvirt.is_on(HOST)
            assert libvirt.boots_first(HOST) == NETWORK
            server.boot(MAC)

        yield Scene(
            defaults={"config": str(server.config)},
            variables={"golden_mac": MAC, "golden_power": power},
            meanwhile=boot,
        )


@contextlib.contextmanager
def _with_an_image_applied(folder: Path) -> t.Iterator[Scene]:
    """A Debian on a disk that is a block device."""
    files = {name: (debian_tree() / name).read_bytes() for name in DEBIAN}
    pieces = [Piece("vfat", MIB, 40 * MIB), Piece("ext4", 42 * MIB, 24 * MIB, {**files, "etc/fstab": b""})]
    reference = make_gpt(folder / "reference.img", 68 * MIB, pieces)
    with DirectoryStore(str(folder / "store")) as store, looped(sparse(folder / "disk.img", 80 * MIB)) as node:
        capture_disk(store, reference, REF)
        applied = apply_disk(store, node, REF)
        yield Scene(options={"disk": node}, variables={"applied": applied, "boot": {"entry": {"id": DEPLOY}}})
        assert deployed_info(read_disk(node))["release"]["id"] == "debian", "nobody keeps the disk"


@contextlib.contextmanager
def _with_an_image_to_be_marked(folder: Path) -> t.Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(_with_an_image_applied(folder))
        yield scene
        marker = deployed_info(read_disk(scene.options["disk"]))["marker"]
        assert (marker["image"], marker["deploy"]) == (REF, DEPLOY)


@contextlib.contextmanager
def _with_a_marker(folder: Path) -> t.Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        scene = stack.enter_context(_with_an_image_applied(folder))
        marker = Marker(REF, scene.variables["applied"]["digest"], DEPLOY, "2026-11-01T12:00:00Z")
        mark(read_disk(scene.options["disk"]), marker, check=False)
        yield scene


@contextlib.contextmanager
def _with_a_system_that_has_booted(folder: Path) -> t.Iterator[Scene]:
    marker = {"image": REF, "digest": "a" * 64, "deploy": DEPLOY, "at": "2026-11-01T12:00:00Z"}
    with Network() as network, Container(folder / "box", debian_tree(), network=network.name) as box:
        box.write(PLACES[LINUX], json.dumps(marker))
        yield Scene(
            variables={"applied": {"digest": marker["digest"]}, "boot": {"entry": {"id": DEPLOY}}},
            machine=box.connection_vars(network.server),
            command=tuple(network.inside()),
        )


@contextlib.contextmanager
def _with_a_windows(folder: Path) -> t.Iterator[Scene]:
    with deployed_windows(folder) as tree:
        mount = Path(tree.root.path)
        write_hive(mount, "NTUSER", make_hive({"Software": {}}))
        old_agent = {r"Microsoft\Windows\CurrentVersion\Run": {"OldAgent": string("agent.exe")}}
        write_hive(mount, "SOFTWARE", make_hive({**keys()["SOFTWARE"], **old_agent}))
        yield Scene(
            root=mount,
            variables={
                "account": {"blob": base64.b64encode(bytes(90)).decode()},
                "vault_administrator": "pa55-of-all",
                "vault_teacher": "pa55-of-hers",
            },
        )


@contextlib.contextmanager
def _with_a_domain(folder: Path) -> t.Iterator[Scene]:
    with Network() as network, SambaDomain(folder / "samba", network) as domain:
        yield Scene(variables={"vault_joiner": JOINER.password}, command=tuple(domain.inside()))


@contextlib.contextmanager
def _with_a_linux_that_can_join(folder: Path) -> t.Iterator[Scene]:
    with deployed_debian(folder, installed=CLIENT) as tree:
        yield Scene(root=tree, variables={"account": {"name": "PC-17", "one_time_password": "pa55-once", "server": DC}})


@contextlib.contextmanager
def _with_a_linux(folder: Path) -> t.Iterator[Scene]:
    """And with a folder of drivers, beside the playbook."""
    (folder / "drivers/common/firmware").mkdir(parents=True)
    (folder / "drivers/common/firmware/nic.bin").write_bytes(b"firmware")
    with deployed_debian(folder) as tree:
        (tree / "root/.bash_history").write_text("ls\n")
        yield Scene(root=tree, variables={"vault_exam_key": "pa55-of-the-exam", "vault_token": "pa55-of-this-one"})


@contextlib.contextmanager
def _with_a_copy_of_a_linux(folder: Path) -> t.Iterator[Scene]:
    """With the account that it was prepared with; and beside the playbook, the key of a teacher."""
    call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "teacher")
    with deployed_debian(folder, installed=LANGUAGES) as tree:
        call("chroot", tree, "useradd", "--create-home", "setup")
        known = str(folder / "known_hosts")
        yield Scene(root=tree, variables={"vault_teacher": "pa55-of-hers", "known_hosts_file": known})


@contextlib.contextmanager
def _with_nothing(_folder: Path) -> t.Iterator[Scene]:
    yield Scene()


SCENES: dict[str, t.Callable[[Path], t.ContextManager[Scene]]] = {
    "ad_computer": _with_a_domain,
    "deployed_info": _with_a_marker,
    "deployed_marker": _with_an_image_to_be_marked,
    "disk_identity": _with_an_image_applied,
    "disk_info": _with_nothing,
    "job": _with_nothing,
    "netboot_entry": _with_an_imaging_server,
    "netboot_info": _with_a_machine_that_has_not_come,
    "netboot_wait": _with_somebody_who_switches_it_on,
    "next_boot": _with_power,
    "os_domain_join": _with_a_linux_that_can_join,
    "os_drivers": _with_a_linux,
    "os_file": _with_a_linux,
    "os_first_boot": _with_a_linux,
    "os_hostname": _with_a_copy_of_a_linux,
    "os_identity": _with_a_copy_of_a_linux,
    "os_locale": _with_a_copy_of_a_linux,
    "os_mount": _with_an_image_applied,
    "os_registry": _with_a_windows,
    "os_unattend": _with_a_windows,
    "os_user": _with_a_copy_of_a_linux,
    "power": _with_power,
    "pxe_reboot": _with_a_machine_to_restart,
    "wait_for_system": _with_a_system_that_has_booted,
}


def _scene(module: str, folder: Path) -> t.ContextManager[Scene]:
    return SCENES[module](folder) if module in SCENES else _with_a_store(folder, *FOUND.get(module, ()))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_the_examples_of_a_module_run(module: Path, tmp_path: Path) -> None:
    tasks = _examples(module)
    assert any(_options(task)[0] == f"golden.fleet.{module.stem}" for task in tasks)
    with _scene(module.stem, tmp_path) as scene:
        changes = _play([_here(task, scene) for task in tasks], tmp_path, scene)
        assert changes == CHANGES.get(module.stem, 0)
