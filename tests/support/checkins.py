# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The netboot part of an imaging server, without its network: folders, configuration, and the real check-in server.

with CheckinServer(folder) as server:
    server.config                   # for the option config of the netboot modules
    server.socket                   # what nginx would pass check-ins on to
    server.boot("52:54:00:12:34:56")    # as that machine and the boot environment on it do
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import sys
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._netboot.folder import NetbootFolder

from .service import Service, Startable

_CACHE = Path(__file__).resolve().parents[2] / ".cache"
_SERVER = "ansible_collections.golden.fleet.plugins.module_utils._netboot.server"
_TOKEN = re.compile(r" golden\.token=(\S+)")
_HTTP = 30.0  # seconds

BOOT_ENV = "d" * 64
# What a machine says of itself.
REPORT: t.Final[dict[str, t.Any]] = {
    "version": 1,
    "macs": ["52-54-00-AA-BB-CC"],
    "addresses": ["10.77.0.50", "fe80::5054:ff:feaa:bbcc"],
    "ssh_host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz",
    "dmi": {"vendor": "Dell Inc.", "model": "OptiPlex 7010", "serial": "ABC123", "uuid": "4c4c4544-0042"},
    "firmware": "uefi",
    "secure_boot": None,
    "memory": 2 << 30,
    "disks": [{"path": "/dev/vda", "size": 2 << 30, "serial": "d1", "model": None, "wwn": None}],
    "boot_env": BOOT_ENV,
}


class CheckinServer(Startable):
    """Folders, configuration, and a process for each check-in.

    :param folder: for all that it keeps. Its path must be short: a socket lies in it.
    """

    def __init__(self, folder: Path) -> None:
        self.config = folder / "netboot.json"
        self.socket = folder / "checkin.sock"
        self.netboot = NetbootFolder(folder / "netboot")
        self._folder = folder
        self._service = Service(folder, "checkins")

    def start(self) -> None:
        make_netboot(self._folder)
        self._service.start(self._command(), self.socket.exists)

    def stop(self) -> None:
        self._service.stop()

    def boot(self, mac: str) -> None:
        """Boot from the network: read the machine's boot file, and check in with the token in it."""
        script = (self._folder / "netboot" / "ipxe" / f"{mac.replace(':', '-')}.ipxe").read_text("utf-8")
        found = _TOKEN.search(script)
        if not found:
            raise ValueError(f"no token in the boot file of {mac}:\n{script}")
        status = self.check_in(found[1], {**REPORT, "macs": [mac]})
        if status != http.client.NO_CONTENT:
            raise RuntimeError(f"the check-in of {mac} was answered with {status}")

    def check_in(self, token: str, report: t.Mapping[str, t.Any]) -> int:
        """The answer's status. nginx in front of it would add where the request came from."""
        connection = _UnixConnection(self.socket)
        try:
            headers = {"Authorization": f"Bearer {token}", "X-Real-IP": report["addresses"][0]}
            connection.request("POST", "/checkin", json.dumps(report), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _command(self) -> list[str]:
        """As systemd does for the unit of the role: a process for each connection, which is its standard input."""
        activate = ["systemd-socket-activate", "--accept", "--inetd", f"--listen={self.socket}"]
        activate += [f"--setenv=PYTHONPATH={_CACHE}"]
        return [*activate, sys.executable, "-m", _SERVER, "checkin", "--config", str(self.config)]


def make_netboot(folder: Path) -> NetbootFolder:
    """The folders and the configuration that the role imaging_server makes; the latter is netboot.json."""
    for name in ("entries", "ipxe", "grub", "checkins"):
        (folder / "netboot" / name).mkdir(parents=True)
    current = folder / "http" / "boot-env" / "current"
    current.parent.mkdir(parents=True)
    current.symlink_to(BOOT_ENV)
    config = {
        "state": str(folder / "netboot"),
        "http_root": str(folder / "http"),
        "http_url": "http://10.77.0.1",
        "checkin_url": "https://10.77.0.1/checkin",
        "cmdline": "console=ttyS0",
        "dhcp_log": str(folder / "dnsmasq.log"),
        "http_log": str(folder / "http.log"),
        "records": str(folder / "records"),
    }
    (folder / "netboot.json").write_text(json.dumps(config), "utf-8")
    return NetbootFolder(folder / "netboot")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_HTTP)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_HTTP)
        self.sock.connect(str(self._path))
