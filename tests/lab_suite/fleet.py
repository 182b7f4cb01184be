# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests do to a lab, beside running playbooks in it: they pull cables and cut power, and look what is left."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import yaml

from ..lab.lab import RUN, TREE, Lab
from ..lab.machines import LabMachine
from ..support.debian import blank_disk
from ..support.libvirt import BootDevice, Libvirt
from ..support.playbook import Play, ansible_environment, descendants, until

_NETBOOT = "/var/lib/golden.fleet/netboot"
_ROM = "<rom enabled='no'/>"  # of a network card: without its program a BIOS boots from no network
_PLAY = 900.0  # seconds that a playbook may take; two machines boot in it, emulated
_START_SERVER = "import tests.conftest; from tests.lab.lab import Lab; Lab().server().start()"
_LINE = 300.0  # seconds until something is to be seen

Record = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


class Fleet:
    """The machines of a lab that is up."""

    def __init__(self, lab: Lab, machines: t.Sequence[LabMachine]) -> None:
        self.server = lab.server()
        self.server_files = lab.server_files
        self.folder = lab.folder
        self.network = lab.network
        self._machines = {machine.name: machine for machine in machines}
        self._libvirt = Libvirt(lab.folder / "libvirt")
        self._plays: list[Play] = []

    # Playbooks

    def begin(self, playbook: str, *options: str, **variables: t.Any) -> Play:
        """Start golden.fleet.capture or golden.fleet.deploy, which then runs on.

        Variables in capital letters are the environment's.
        """
        argv = [str(RUN), "ansible-playbook", f"golden.fleet.{playbook}", *options]
        environment = {name: value for name, value in variables.items() if name.isupper()}
        given = {name: value for name, value in variables.items() if not name.isupper()}
        argv += ["-e", json.dumps({"golden_progress_interval": 1, **given})]
        play = Play(argv, {**ansible_environment(self.folder), **environment}, self.folder)
        self._plays.append(play)
        return play

    def play(self, playbook: str, *options: str, **variables: t.Any) -> str:
        """Run it to its good end; what it says."""
        play = self.begin(playbook, *options, **variables)
        assert play.ends(_PLAY) == 0, play.output
        return play.output

    def failing_play(self, playbook: str, *options: str, **variables: t.Any) -> str:
        """Run it to its bad end; what it says."""
        play = self.begin(playbook, *options, **variables)
        assert play.ends(_PLAY) != 0, play.output
        return play.output

    @staticmethod
    def sees(play: Play, pattern: str) -> None:
        """Wait for a line of a play that runs on."""
        _while_it_runs(play, pattern, lambda: play.output)

    def is_writing(self, play: Play, name: str) -> None:
        """Wait until it is in the middle of an apply, which its console tells earlier than a busy machine's play."""
        before = len(self.console(name))
        _while_it_runs(play, r"image_apply on disk \S+: writing, [1-9]\d %", lambda: self.console(name)[before:])

    @staticmethod
    def kill_all_of(play: Play) -> None:
        """As if its computer lost its power."""
        for pid in (play.process.pid, *descendants(play.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def has_image(self, name: str) -> None:
        """Deploy to it, unless the last deploy has worked."""
        if not self.records(name, "deploy") or self.record(name)["outcome"] != "ok":
            self.play("deploy", "-l", name, netboot_force=True)

    def close(self) -> None:
        with (self.folder / "plays.log").open("a", encoding="utf-8") as log:
            for play in self._plays:
                play.stop()
                log.write(play.output)

    # Machines

    def power(self, name: str) -> dict[str, t.Any]:
        """What the inventory says of how it is switched."""
        hosts = yaml.safe_load((self.folder / "inventory" / "hosts.yml").read_text("utf-8"))
        groups = hosts["all"]["children"].values()
        return next(dict(group["hosts"][name]["golden_power"]) for group in groups if name in group["hosts"])

    def address(self, name: str) -> str:
        return self._machines[name].address

    @property
    def key(self) -> str:
        """File of the SSH key that opens all systems of the machines."""
        group = yaml.safe_load((self.folder / "inventory" / "group_vars" / "reference.yml").read_text("utf-8"))
        return str(group["ansible_ssh_private_key_file"])

    def disk(self, name: str) -> Path:
        return self.folder / f"{name}.img"

    def console(self, name: str) -> str:
        """All that it has said, since the lab is up."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / f"{name}.console").read_text("utf-8", "replace")
        return ""

    def is_on(self, name: str) -> bool:
        return self._libvirt.is_on(name)

    def switch_on(self, name: str) -> None:
        self._libvirt.virsh("start", name)

    def cut_power(self, name: str) -> None:
        if self.is_on(name):
            self._libvirt.virsh("destroy", name)

    def first_device(self, name: str) -> BootDevice:
        """What it boots from at its next start."""
        return self._libvirt.boots_first(name)

    def boot_first(self, name: str, device: BootDevice) -> None:
        """As somebody sets it in the firmware's setup."""
        if self.first_device(name) != device:
            text = self._libvirt.virsh("dumpxml", "--inactive", name).replace(
                "<boot order='1'/>", "<boot order='other'/>"
            )
            text = text.replace("<boot order='2'/>", "<boot order='1'/>")
            path = self.folder / f"{name}.xml"
            path.write_text(text.replace("'other'", "'2'"), "utf-8")
            self._libvirt.virsh("define", str(path))

    def blank(self, name: str) -> None:
        """Cut its power, and give it a new disk."""
        self.cut_power(name)
        blank_disk(self.disk(name), self._machines[name].disk)

    def cable(self, name: str, *, plugged: bool) -> None:
        """Plug its network cable in, or pull it out; on or off."""
        words = ("domif-setlink", name, self._machines[name].mac, "up" if plugged else "down")
        self._libvirt.virsh(*words, "--config")
        if self.is_on(name):
            self._libvirt.virsh(*words)

    @contextlib.contextmanager
    def without_network_boot(self, name: str) -> t.Iterator[None]:
        """A BIOS machine with IPMI whose firmware does not boot from the network, whatever it is told."""
        folder = self.folder / f"{name}.bmc"
        kept = {path: path.read_text("utf-8") for path in folder.glob("*.xml")}
        for path, text in kept.items():
            path.write_text(text.replace("</interface>", f"{_ROM}</interface>"), "utf-8")
        try:
            yield
        finally:
            for path, text in kept.items():
                path.write_text(text, "utf-8")
            self._libvirt.virsh("define", str(folder / "disk.xml"))

    # The imaging server

    @staticmethod
    def start_server() -> None:
        """After its power was cut. A process of its own starts it, as it goes on when the tests are over."""
        subprocess.run([sys.executable, "-c", _START_SERVER], cwd=TREE, check=True)

    def entry(self, name: str) -> Record | None:
        """What the server knows of its next boot."""
        found = self.server.run("cat", f"{_NETBOOT}/entries/{self._hyphens(name)}.json", check=False)
        return t.cast("Record", json.loads(found.stdout)) if found.returncode == 0 else None

    def has_boot_file(self, name: str) -> bool:
        """Whether its next boot from the network leads into the boot environment."""
        return self.server.run("test", "-e", f"{_NETBOOT}/ipxe/{self._hyphens(name)}.ipxe", check=False).returncode == 0

    def requests(self, name: str) -> list[str]:
        """What it has fetched over HTTP."""
        lines = self.server.run("cat", "/var/log/golden.fleet/http.log").stdout.splitlines()
        asked = map(json.loads, lines)
        return [str(each["uri"]) for each in asked if each["address"] == self.address(name)]

    def records(self, name: str, purpose: str) -> list[Record]:
        """Oldest first."""
        folder = f"/srv/golden/records/{name}"
        found = self.server.run("sh", "-c", f"ls {folder}/*-{purpose}.json", check=False).stdout.split()
        return [json.loads(self.server.run("cat", path).stdout) for path in found]

    def record(self, name: str, purpose: str = "deploy") -> Record:
        """The newest."""
        return self.records(name, purpose)[-1]

    def _hyphens(self, name: str) -> str:
        return self._machines[name].mac.replace(":", "-")


def _while_it_runs(play: Play, pattern: str, text: t.Callable[[], str]) -> None:
    until(lambda: play.process.poll() is not None or re.search(pattern, text()), pattern, _LINE)
    assert play.process.poll() is None, play.output


def is_blank(disk: Path) -> bool:
    """Nothing was ever written there."""
    return disk.stat().st_blocks == 0


def until_said(say: t.Callable[[], str], text: str, seconds: float) -> float:
    """Wait until somebody says this; how long it took."""
    began = time.monotonic()
    until(lambda: text in say(), f"{text!r} in\n{say()[-3000:]}", seconds)
    return time.monotonic() - began
