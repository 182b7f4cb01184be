# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network of its own for virtual machines: a namespace, a bridge in it, a tap per machine; and neighbours, which are
other computers without being machines.

Nothing of the host's network is seen from inside, or changed.
"""

from __future__ import annotations

import ipaddress
import secrets
import subprocess
import types
from pathlib import Path

_BRIDGE = "lan0"
_LONGEST_NAME = 15  # of a network interface


class Network:
    """There from ``with`` to its end; or from create() to destroy(), also by different processes.

    :ivar name: of the namespace.
    :ivar server: address of the bridge, where servers listen.
    :ivar bridge: its name.
    """

    bridge = _BRIDGE

    def __init__(self, name: str | None = None, server: str = "10.77.0.1/24") -> None:
        self.name = name or f"golden-{secrets.token_hex(4)}"
        self._server = ipaddress.ip_interface(server)

    @property
    def server(self) -> str:
        return str(self._server.ip)

    @property
    def subnet(self) -> str:
        return str(self._server.network)

    def __enter__(self) -> Network:
        self.create()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.destroy()

    def create(self) -> None:
        _ip("netns", "add", self.name)
        try:
            self._ip("link", "set", "lo", "up")
            # A bridge forwards at once; with spanning tree a machine's first questions would be lost.
            self._ip("link", "add", _BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
            self._ip("address", "add", self._server.with_prefixlen, "dev", _BRIDGE)
            self._ip("link", "set", _BRIDGE, "up")
        except BaseException:
            self.destroy()
            raise

    def destroy(self) -> None:
        """Take it away, with all that is in it. Programs that still run inside keep what they have of it."""
        if self.exists():
            _ip("netns", "delete", self.name)

    def exists(self) -> bool:
        return Path("/run/netns", self.name).exists()

    def tap(self, name: str) -> str:
        """An interface for QEMU, plugged into the bridge.

        :returns: its name, for ``-netdev tap,ifname=…,script=no,downscript=no``.
        """
        if len(name) > _LONGEST_NAME:
            raise ValueError(f"{name!r} is longer than {_LONGEST_NAME} characters")
        self._ip("tuntap", "add", name, "mode", "tap")
        self._ip("link", "set", name, "master", _BRIDGE, "up")
        return name

    def plug(self, name: str, namespace: str, interface: str, mac: str) -> None:
        """A cable from the bridge to an interface in another namespace.

        :param name: of its end at the bridge.
        """
        peer = ("peer", "name", interface, "address", mac, "netns", namespace)
        self._ip("link", "add", name, "type", "veth", *peer)
        self._ip("link", "set", name, "master", _BRIDGE, "up")

    def add_address(self, address: str) -> None:
        """One more address of the bridge, where more servers can listen. Not in use by anybody else."""
        self._ip("address", "add", address, "dev", _BRIDGE, *(["nodad"] if ":" in address else []))

    def pids(self) -> list[int]:
        """The processes that run inside."""
        return [int(pid) for pid in _ip("netns", "pids", self.name).split()]

    def inside(self, *command: str | Path) -> list[str]:
        """The command, so that it runs inside."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def _ip(self, *words: str) -> None:
        _ip("-netns", self.name, *words)


class Neighbour:
    """A place for programs that are to be another computer on a network: a namespace with one network card.

    There from ``with`` to its end.

    :param address: of the card, with the length of its prefix; none yet if empty.
    :ivar name: of the namespace.
    """

    interface = "eth0"

    def __init__(self, network: Network, mac: str, address: str = "") -> None:
        self.name = f"golden-{secrets.token_hex(4)}"
        self.mac = mac
        self._network = network
        self._address = address

    def __enter__(self) -> Neighbour:
        _ip("netns", "add", self.name)
        try:
            self._network.plug(f"to-{self.name[7:]}", self.name, self.interface, self.mac)
            self._ip("link", "set", "lo", "up")
            self._ip("link", "set", self.interface, "up")
            if self._address:
                self._ip("address", "add", self._address, "dev", self.interface)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        _ip("netns", "delete", self.name)

    def add_address(self, address: str) -> None:
        """One more address of the card. Not in use by anybody else."""
        self._ip("address", "add", address, "dev", self.interface, *(["nodad"] if ":" in address else []))

    def inside(self, *command: str | Path) -> list[str]:
        """The command, so that it runs there."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def _ip(self, *words: str) -> None:
        _ip("-netns", self.name, *words)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
