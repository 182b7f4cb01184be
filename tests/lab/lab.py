# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab: virtual machines with management controllers and an imaging server, in a network namespace of their own.

Everything of it is in one folder, from which another process takes it down again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from ..support import debian
from ..support.bmc import IpmiBmc, RedfishBmc
from ..support.container import Container
from ..support.libvirt import Libvirt, Machine
from ..support.network import Network
from ..support.qemu import accelerator
from .inventory import SERVER_IPV6, Facts, inventory
from .machines import LabMachine
from .server import binds, fill_cache, server_tree

TREE = Path(__file__).resolve().parents[2]
FOLDER = TREE / "build" / "lab"
RUN = TREE / "tests" / "lab" / "run"

_NAME = "golden-lab"  # of its network namespace
_BMC = {"redfish": RedfishBmc, "ipmi": IpmiBmc}
_BMC_PORTS = {"redfish": 8000, "ipmi": 623}
_LAST_LINES = 40
_PATIENCE = 30.0  # seconds until what was killed is gone
_NO_TREE = Path("/nonexistent")  # for a container that is there already
_ANSIBLE_CFG = """\
[defaults]
inventory = {folder}/inventory
collections_path = {collections}
retry_files_enabled = false
# How often Ansible looks whether a task has ended; by default a thousand times a second, which keeps it busy.
internal_poll_interval = 0.05

[ssh_connection]
pipelining = true
"""

Say = t.Callable[[str], None]


class LabFailed(Exception):
    """The lab cannot be started. The message says why."""


class Lab:
    """The one lab of this tree."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.network = Network(_NAME)
        self._ours = folder / "ours"  # the network namespace is this tree's
        self._up = folder / "up"

    @property
    def is_up(self) -> bool:
        return self._up.exists() and self.network.exists()

    @property
    def server_files(self) -> Path:
        """The root of what the imaging server has written."""
        return self._container(_NO_TREE).written

    def up(self, machines: t.Sequence[LabMachine], say: Say, *, serve: bool = True) -> None:
        """Start it, with nothing of an earlier one.

        :param serve: run the playbook golden.fleet.server; otherwise the server is nothing but a Debian yet.
        :raises LabFailed: something does not start. Nothing is left then but the logs.
        """
        with self._locked():
            if self.network.exists() and not self._ours.exists():
                raise LabFailed(f"A lab of another tree is up: the network namespace {_NAME} exists already.")
            self._take_down()
            try:
                self._start(machines, say, serve)
            except BaseException:
                self._take_down()
                raise

    def down(self) -> None:
        """Take all of it away but the logs. Nothing if it is not there."""
        if self.folder.exists():
            with self._locked():
                self._take_down()

    def run(self, *command: str, log: Path) -> None:
        """Run a program inside.

        :raises LabFailed: it failed; the message has its last words.
        """
        with log.open("ab") as file:
            done = subprocess.run([str(RUN), *command], stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
        if done.returncode:
            said = log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
            raise LabFailed(
                "\n".join([*said, f"{' '.join(command)} failed with {done.returncode}; all it said is in {log}"])
            )

    def server(self) -> Container:
        """The imaging server of a lab that is up."""
        return self._container(server_tree(lambda _text: None))

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the inventory has passwords
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _start(self, machines: t.Sequence[LabMachine], say: Say, serve: bool) -> None:
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        states = debian.disks(say=say)
        tree = server_tree(say)
        fill_cache(say)
        self._ours.touch()
        self.network.create()
        for machine in machines:
            self.network.add_address(f"{machine.bmc_address}/24")
        self.network.add_address(SERVER_IPV6)
        password = secrets.token_hex(8)
        with ThreadPoolExecutor() as pool:
            making = pool.submit(self._make_machines, machines, states, password)
            self._start_server(tree, machines, states, password)
            say("the server is there, a Debian with systemd")
            if serve:
                self.run("ansible-playbook", "golden.fleet.server", log=self.folder / "server.log")
                say("it is an imaging server")
            making.result()
            say("the machines are there, switched off")
        self._up.touch()

    def _make_machines(self, machines: t.Sequence[LabMachine], states: debian.States, password: str) -> None:
        kind = "kvm" if accelerator() == "kvm" else "qemu"
        libvirt = Libvirt(self.folder / "libvirt", self.network.name, kind)
        libvirt.start()
        for machine in machines:
            virtual = self._make_machine(machine, states)
            libvirt.define(virtual)
            bmc = _BMC[machine.power]
            port = _BMC_PORTS[machine.power]
            bmc(self.folder / f"{machine.name}.bmc", libvirt, virtual, port, machine.bmc_address, password).start()

    def _make_machine(self, machine: LabMachine, states: debian.States) -> Machine:
        disk = self.folder / f"{machine.name}.img"
        if machine.holds == "blank":
            debian.blank_disk(disk, machine.disk)
        else:
            debian.copy_disk(states.last_month if machine.holds == "last_month" else states.this_month, disk)
            os.truncate(disk, max(machine.disk, debian.DISK_SIZE))
        return Machine(
            machine.name,
            machine.mac,
            disk,
            firmware=machine.firmware,
            secure_boot=machine.secure_boot,
            memory=machine.memory,
            processors=machine.processors,
            bridge=self.network.bridge,
            console=self.folder / f"{machine.name}.console",
            ipxe=machine.network_boot == "ipxe",
        )

    def _start_server(self, tree: Path, machines: t.Sequence[LabMachine], states: debian.States, password: str) -> None:
        container = self._container(tree)
        container.start()
        known_hosts = self.folder / "known_hosts"
        host_key = states.host_key.read_text()
        known_hosts.write_text("".join(f"{machine.address} {host_key}" for machine in machines))
        facts = Facts(
            server=self.network.server,
            interface=self.network.bridge,
            connection=container.connection_vars(self.network.server),
            key=states.key,
            public_key=states.key.with_suffix(".pub").read_text().strip(),
            known_hosts=known_hosts,
            reader_password=secrets.token_hex(12),
            writer_password=secrets.token_hex(12),
            bmc_ports=_BMC_PORTS,
            bmc_username=RedfishBmc.username,
            bmc_password=password,
        )
        self._write_inventory(inventory(machines, facts))
        self._write_settings()

    def _container(self, tree: Path) -> Container:
        return Container(self.folder / "server", tree, network=self.network.name, name=_NAME, binds=binds())

    def _write_inventory(self, files: dict[str, t.Any]) -> None:
        for name, content in files.items():
            path = self.folder / "inventory" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content, sort_keys=False, width=1000))

    def _write_settings(self) -> None:
        """For the script run, and for Ansible."""
        config = self.folder / "ansible.cfg"
        config.write_text(_ANSIBLE_CFG.format(folder=self.folder, collections=TREE / ".cache"))
        settings = {
            "LAB_NETWORK": self.network.name,
            "ANSIBLE_CONFIG": str(config),
            "LIBVIRT_DEFAULT_URI": Libvirt(self.folder / "libvirt").uri,
        }
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()]
        (self.folder / "environment").write_text("".join(lines))

    def _take_down(self) -> None:
        for name in ("up", "environment"):
            (self.folder / name).unlink(missing_ok=True)
        if self._ours.exists():
            self._container(_NO_TREE).destroy()
            self._kill_all()
            self.network.destroy()
            self._ours.unlink()
        for image in self.folder.glob("*.img"):
            image.unlink()

    def _kill_all(self) -> None:
        """Whatever runs in the network namespace, but who called us from in there."""
        callers = _ancestors()
        deadline = time.monotonic() + _PATIENCE
        while self.network.exists() and (pids := set(self.network.pids()) - callers):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise LabFailed(f"These processes of the lab cannot be killed: {sorted(pids)}")
            time.sleep(0.05)


def _ancestors() -> set[int]:
    """This process, its parent, and so on."""
    found = set()
    pid = os.getpid()
    while pid > 0:
        found.add(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found
