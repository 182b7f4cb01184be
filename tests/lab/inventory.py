# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a lab: what a user of golden.fleet would write. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from .machines import LabMachine

SERVER = "imaging"  # its host
_IMAGE = "lab-a"
# A client that gets no answer to its question for an IPv6 router waits for 16 seconds before iPXE goes on with what
# DHCP said. So one answers, that is no router.
_ROUTER_ADVERTISEMENTS = ("enable-ra", "dhcp-range=fd77::,ra-only,64", "ra-param={interface},60,0")
SERVER_IPV6 = "fd77::1/64"


@dataclass(frozen=True)
class Facts:
    """What is new with every lab.

    :ivar interface: where the server meets the machines.
    :ivar connection: how the server is reached.
    :ivar known_hosts: file with the host keys of the machines.
    """

    server: str
    interface: str
    connection: dict[str, t.Any]
    key: Path
    public_key: str
    known_hosts: Path
    reader_password: str
    writer_password: str
    bmc_ports: dict[str, int]
    bmc_username: str
    bmc_password: str


def inventory(machines: t.Sequence[LabMachine], facts: Facts) -> dict[str, t.Any]:
    """Each file's content, by its path in the inventory."""
    children: dict[str, t.Any] = {"imaging_server": {"hosts": {SERVER: facts.connection}}}
    for machine in machines:
        group = children.setdefault(machine.group, {"hosts": {}})
        group["hosts"][machine.name] = _host(machine, facts)
    files = {
        "hosts.yml": {"all": {"children": children}},
        "group_vars/all.yml": _everybody(facts),
        "group_vars/imaging_server.yml": _server(machines, facts),
    }
    for group in {machine.group for machine in machines}:
        files[f"group_vars/{group}.yml"] = _group(group, facts)
    return files


def _host(machine: LabMachine, facts: Facts) -> dict[str, t.Any]:
    power: dict[str, t.Any] = {"provider": machine.power}
    port = facts.bmc_ports[machine.power]
    if machine.power == "redfish":
        power |= {"address": f"http://{machine.bmc_address}:{port}"}
    else:
        power |= {"address": machine.bmc_address, "port": port, "cipher_suite": 3, "uefi": machine.firmware == "uefi"}
    power |= {"username": facts.bmc_username, "password": facts.bmc_password}
    return {"ansible_host": machine.address, "golden_mac": machine.mac, "golden_power": power}


def _group(group: str, facts: Facts) -> dict[str, t.Any]:
    login = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(facts.key),
        "ansible_ssh_extra_args": f"-F none -o UserKnownHostsFile={facts.known_hosts} -o StrictHostKeyChecking=yes",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    if group == "reference":
        return {**login, "golden_image": _IMAGE}
    return {
        **login,
        "golden_image": f"{_IMAGE}:stable",
        "golden_erase": True,
        "golden_known_hosts": str(facts.known_hosts),
    }


def _everybody(facts: Facts) -> dict[str, t.Any]:
    return {
        "golden_server": SERVER,
        "golden_store": f"https://{facts.server}/store",
        "golden_store_username": "reader",
        "golden_store_password": facts.reader_password,
        "golden_store_writer_username": "writer",
        "golden_store_writer_password": facts.writer_password,
    }


def _server(machines: t.Sequence[LabMachine], facts: Facts) -> dict[str, t.Any]:
    addresses = [f"dhcp-host={machine.mac},{machine.address},{machine.name}" for machine in machines]
    return {
        "imaging_server_interface": facts.interface,
        "imaging_server_address": facts.server,
        "imaging_server_dhcp": "full",
        "imaging_server_dhcp_start": "10.77.0.200",
        "imaging_server_dhcp_end": "10.77.0.250",
        "imaging_server_dnsmasq_extra": [
            *addresses,
            *(line.format(interface=facts.interface) for line in _ROUTER_ADVERTISEMENTS),
        ],
        "imaging_server_secure_boot_macs": [machine.mac for machine in machines if machine.secure_boot],
        "imaging_server_domain_tools": True,
        "imaging_server_reader_password": "{{ golden_store_password }}",
        "imaging_server_writer_password": "{{ golden_store_writer_password }}",
        "boot_env_authorized_keys": [facts.public_key],
        "boot_env_upgrade": False,  # there is no way to a mirror from here
    }
