# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Management controllers for virtual machines: Redfish by sushy-tools, IPMI by OpenIPMI's simulator.

    with RedfishBmc(folder, libvirt, machine, port=8000) as bmc:
        bmc.url, bmc.username, bmc.password
    with IpmiBmc(folder, libvirt, machine, port=623) as bmc:
        bmc.address, bmc.port, bmc.username, bmc.password

Each belongs to one machine, and listens in the network namespace of its libvirt, or on loopback here if that has none.

From a playbook, a machine that is off, with Redfish; from the folder above tests:

    python3 -m tests.support.bmc start FOLDER     # prints how it is reached as JSON
    python3 -m tests.support.bmc stop FOLDER
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from .libvirt import Libvirt, Machine
from .service import Service, Startable, free_port, start_or_stop

# ipmi_sim wants "get NAME..." answered with lines of NAME:VALUE, and "set NAME VALUE ..." done. As on a real
# controller, the boot device counts for the next start only; "default" is the disk.
_CHASSIS = """\
#!/bin/sh
set -eu
virsh() { command virsh --quiet --connect %(uri)s "$@" >/dev/null; }
state() { command virsh --connect %(uri)s domstate %(name)s; }
cd %(folder)s
boot_from() {
    virsh define "$([ "$1" = pxe ] && echo network || echo disk).xml"
    echo "$1" >boot
}
start() {
    virsh start %(name)s
    boot_from none
}
change() {
    case $1=$2 in
    power=1) [ "$(state)" = running ] || start ;;
    power=0) [ "$(state)" = "shut off" ] || virsh destroy %(name)s ;;
    reset=*) virsh destroy %(name)s; start ;;
    shutdown=*) virsh shutdown %(name)s ;;
    boot=*) boot_from "$2" ;;
    esac
}
echo "$@" >>chassis.log
verb=$2
shift 2
while [ $# -gt 0 ]; do
    case $verb=$1 in
    get=power) echo "power:$([ "$(state)" = "shut off" ] && echo 0 || echo 1)" ;;
    get=boot) echo "boot:$(cat boot)" ;;
    set=*) change "$1" "$2"; shift ;;
    esac
    shift
done
"""
_LAN = """\
name "golden"
set_working_mc 0x20
startlan 1
    addr {address} {port}
    priv_limit admin
    guid {guid}
endlan
chassis_control "{chassis} 0x20"
user 2 true "{username}" "{password}" admin 10
"""
_CONTROLLER = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


class _Bmc(Startable):
    """start() and stop() may be called by different processes.

    :param folder: for all that it keeps; its own.
    """

    username = "admin"

    def __init__(
        self,
        folder: Path,
        libvirt: Libvirt,
        machine: Machine,
        port: int,
        address: str = "127.0.0.1",
        password: str | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.machine = machine
        self.address = address
        self.port = port
        self.password = password or secrets.token_hex(8)  # IPMI allows 20 bytes
        self._libvirt = libvirt
        self._service = Service(self.folder, type(self).__name__)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        inside = ["ip", "netns", "exec", self._libvirt.network] if self._libvirt.network else []
        self._service.start([*inside, *self._prepare()], lambda: self._answers(inside))

    def stop(self) -> None:
        """As a controller without power: it answers no more. Its machine is not touched."""
        self._service.stop()

    def _prepare(self) -> list[str]:
        """Write what it needs, and return the command that starts it."""
        raise NotImplementedError

    def _answers(self, inside: list[str]) -> bool:
        raise NotImplementedError


class RedfishBmc(_Bmc):
    """sushy-emulator with one system.

    :param certificate: folder with server.pem and server.key, for HTTPS.
    """

    def __init__(self, *arguments: t.Any, certificate: Path | None = None, **more: t.Any) -> None:
        super().__init__(*arguments, **more)
        self._certificate = certificate

    @property
    def url(self) -> str:
        return f"http{'s' if self._certificate else ''}://{self.address}:{self.port}"

    def _prepare(self) -> list[str]:
        users = subprocess.run(
            ["htpasswd", "-niB", self.username], input=self.password, capture_output=True, text=True, check=True
        )
        (self.folder / "users").write_text(users.stdout)
        settings: dict[str, t.Any] = {
            "LISTEN_IP": self.address,
            "LISTEN_PORT": self.port,
            "LIBVIRT_URI": self._libvirt.uri,
            "AUTH_FILE": str(self.folder / "users"),
            "ALLOWED_INSTANCES": [self.machine.uuid],
            "STATE_DIR": str(self.folder),
        }
        if self._certificate:
            settings["SSL_CERT"] = str(self._certificate / "server.pem")
            settings["SSL_KEY"] = str(self._certificate / "server.key")
        config = self.folder / "emulator.conf"
        config.write_text("".join(f"SUSHY_EMULATOR_{name} = {value!r}\n" for name, value in settings.items()))
        return [_emulator(), "--config", str(config)]

    def _answers(self, inside: list[str]) -> bool:
        asked = subprocess.run(
            [*inside, "curl", "--silent", "--insecure", "--max-time", "5", f"{self.url}/redfish/v1"],
            capture_output=True,
            check=False,
        )
        return asked.returncode == 0


class IpmiBmc(_Bmc):
    """ipmi_sim. It never calls its boot flags valid, though it obeys them."""

    def _prepare(self) -> list[str]:
        for first in ("network", "disk"):
            (self.folder / f"{first}.xml").write_text(self.machine.xml(self._libvirt.kind, first), "utf-8")
        (self.folder / "boot").write_text("none\n")
        (self.folder / "state").mkdir(exist_ok=True)
        chassis = self.folder / "chassis"
        words = {"uri": self._libvirt.uri, "name": self.machine.name, "folder": str(self.folder)}
        chassis.write_text(_CHASSIS % {name: shlex.quote(word) for name, word in words.items()})
        chassis.chmod(0o755)
        lan, controller = self.folder / "lan.conf", self.folder / "controller.emu"
        lan.touch(0o600)
        lan.write_text(
            _LAN.format(
                address=self.address,
                port=self.port,
                guid=self.machine.uuid.replace("-", ""),
                chassis=chassis,
                username=self.username,
                password=self.password,
            )
        )
        controller.write_text(_CONTROLLER)
        return ["ipmi_sim", "-n", "-c", str(lan), "-f", str(controller), "-s", str(self.folder / "state")]

    def _answers(self, inside: list[str]) -> bool:
        where = ["-I", "lanplus", "-C", "3", "-N", "1", "-R", "1", "-H", self.address, "-p", str(self.port)]
        asked = subprocess.run(
            [*inside, "ipmitool", *where, "-U", self.username, "-E", "mc", "guid"],
            capture_output=True,
            check=False,
            env={**os.environ, "IPMI_PASSWORD": self.password},
        )
        return asked.returncode == 0


def _emulator() -> str:
    """tests/tools/setup.sh puts it beside the Python of the tests."""
    return shutil.which("sushy-emulator") or str(Path(sys.executable).with_name("sushy-emulator"))


def _standing(folder: Path) -> tuple[Libvirt, Machine, RedfishBmc]:
    """The machine of the playbooks."""
    libvirt = Libvirt(folder / "libvirt")
    machine = Machine("pc-07", "52:54:00:12:34:07", folder / "disk.img", "bios", memory=64 << 20, processors=1)
    return libvirt, machine, RedfishBmc(folder / "redfish", libvirt, machine, free_port())


def _start(folder: Path) -> None:
    libvirt, machine, bmc = _standing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    machine.disk.touch()
    os.truncate(machine.disk, 1 << 20)
    libvirt.start()
    libvirt.define(machine)
    bmc.start()
    print(json.dumps({"url": bmc.url, "username": bmc.username, "password": bmc.password, "libvirt": libvirt.uri}))


def _stop(folder: Path) -> None:
    libvirt, _machine, bmc = _standing(folder)
    bmc.stop()
    libvirt.stop()


if __name__ == "__main__":
    start_or_stop("a virtual machine with Redfish, on loopback", _start, _stop)
