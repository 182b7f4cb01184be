# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wake-on-LAN: what arrives at another machine of the network."""

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._power.wol import magic_packet
from ansible_collections.golden.fleet.tests.support.network import Network

MAC = "52:54:00:12:34:07"
_HEAR = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
    listener.bind(("", 9))
    listener.settimeout(20)
    print("listening", flush=True)
    print(listener.recv(1000).hex())
"""
_SEND = """
import sys
sys.path.insert(0, {root!r})
from ansible_collections.golden.fleet.plugins.module_utils._power.options import PowerOptions
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power
print(open_power(PowerOptions("wol", mac={mac!r}, **{options!r})).start())
"""


@pytest.fixture
def network() -> t.Iterator[Network]:
    """With a second machine, 10.77.0.2, in a namespace of its own."""
    with Network() as network, Network(server="10.78.0.1/24") as other:
        for words in (
            ["link", "add", "port", "netns", network.name, "type", "veth", "peer", "port", "netns", other.name],
            ["-n", network.name, "link", "set", "port", "master", "lan0", "up"],
            ["-n", other.name, "address", "add", "10.77.0.2/24", "broadcast", "10.77.0.255", "dev", "port"],
            ["-n", other.name, "link", "set", "port", "up"],
        ):
            subprocess.run(["ip", *words], check=True)
        network.other = other  # type: ignore[attr-defined]
        yield network


@pytest.mark.parametrize("options", [{"broadcast": "10.77.0.255"}, {"interface": "lan0"}])
def test_a_sleeping_machine_hears_the_packet(network: Network, options: dict[str, str]) -> None:
    other: Network = network.other  # type: ignore[attr-defined]
    listen = other.inside(sys.executable, "-c", _HEAR)
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout
        assert listener.stdout.readline() == "listening\n"
        script = _SEND.format(root=sys.path[0], mac=MAC, options=options)
        sent = subprocess.run(network.inside(sys.executable, "-c", script), capture_output=True, text=True, check=True)
        assert "sent the packet that switches it on" in sent.stdout
        assert bytes.fromhex(listener.stdout.readline().strip()) == magic_packet(MAC)


def test_a_network_that_cannot_be_reached(network: Network) -> None:
    script = _SEND.format(root=sys.path[0], mac=MAC, options={"broadcast": "255.255.255.255"})
    sent = subprocess.run(network.inside(sys.executable, "-c", script), capture_output=True, text=True, check=False)
    assert "Network is unreachable. Is this machine on the network of that one?" in sent.stderr
