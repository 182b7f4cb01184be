# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the lab's machines are described, and the inventory that is made of it."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.tests.lab.inventory import Facts, inventory
from ansible_collections.golden.fleet.tests.lab.machines import LabMachine, machines_of

_OURS = Path(__file__).parents[1] / "lab" / "machines.yml"


def _facts() -> Facts:
    return Facts(
        server="10.77.0.1",
        interface="lan0",
        connection={"ansible_host": "10.77.0.1"},
        key=Path("/lab/id_ed25519"),
        public_key="ssh-ed25519 AAAA",
        known_hosts=Path("/lab/known_hosts"),
        reader_password="read",
        writer_password="write",
        bmc_ports={"redfish": 8000, "ipmi": 623},
        bmc_username="admin",
        bmc_password="secret",
    )


def _host(files: dict[str, t.Any], group: str, name: str) -> t.Any:
    return files["hosts.yml"]["all"]["children"][group]["hosts"][name]


def test_the_machines_that_come_along() -> None:
    reference, blank, bios = machines_of(_OURS.read_text("utf-8"))
    assert (reference.name, reference.group, reference.holds) == ("ref-pc", "reference", "this_month")
    assert (blank.network_boot, blank.disk, blank.memory) == ("firmware", 3 << 30, 2 << 30)
    assert (bios.firmware, bios.power, bios.group) == ("bios", "ipmi", "lab_a")


def test_a_name_is_enough() -> None:
    assert machines_of("- name: pc") == (LabMachine(1, "pc"),)


def test_no_two_machines_share_an_address() -> None:
    machines = machines_of("\n".join(f"- name: pc-{number}" for number in range(90)))
    assert len({machine.mac for machine in machines}) == 90
    assert len({each for machine in machines for each in (machine.address, machine.bmc_address)}) == 180
    last_numbers = [int(machine.bmc_address.rpartition(".")[2]) for machine in machines]
    assert max(last_numbers) < 200  # from where on DHCP gives addresses to others


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "list of 1 to 90"),
        ("name: pc", "list of 1 to 90"),
        ("- pc", "machine 1 has no name"),
        ("- name: PC 1", "machine 1 has no name"),
        ("- name: a\n- name: a", "two machines have one name"),
        ("- {name: pc, colour: red}", "pc: colour is none of name, group"),
        ("- {name: pc, firmware: coreboot}", "pc: firmware is coreboot, not uefi or bios"),
        ("- {name: pc, power: [redfish]}", "pc: power is"),
        ("- {name: pc, disk: big}", "pc: 'big' is not a size"),
        ("- {name: pc, processors: two}", "pc: processors is two"),
        ("- {name: pc, group: Lab A}", "pc: Lab A cannot be the name of a group"),
        ("- {name: pc, firmware: bios, secure_boot: true}", "secure_boot needs firmware: uefi"),
        ("- {name: pc, firmware: bios, network_boot: firmware}", "a BIOS here has no network boot"),
        ("- {name: pc, secure_boot: true}", "secure_boot needs network_boot: firmware"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        machines_of(text)


def test_the_inventory_says_how_each_machine_is_switched() -> None:
    files = inventory(machines_of(_OURS.read_text("utf-8")), _facts())
    assert _host(files, "lab_a", "pc-1") == {
        "ansible_host": "10.77.0.12",
        "golden_mac": "52:54:00:77:00:02",
        "golden_power": {
            "provider": "redfish",
            "address": "http://10.77.0.102:8000",
            "username": "admin",
            "password": "secret",
        },
    }
    assert _host(files, "lab_a", "pc-2")["golden_power"] == {
        "provider": "ipmi",
        "address": "10.77.0.103",
        "port": 623,
        "cipher_suite": 3,
        "uefi": False,
        "username": "admin",
        "password": "secret",
    }


def test_each_group_has_its_variables() -> None:
    files = inventory(machines_of("- {name: ref, group: reference}\n- {name: pc, group: lab_b}"), _facts())
    assert set(files) == {
        "hosts.yml",
        "group_vars/all.yml",
        "group_vars/imaging_server.yml",
        "group_vars/reference.yml",
        "group_vars/lab_b.yml",
    }
    assert files["group_vars/reference.yml"]["golden_image"] == "lab-a"
    assert files["group_vars/lab_b.yml"]["golden_image"] == "lab-a:stable"


def test_the_server_knows_the_machines() -> None:
    text = "- name: a\n- {name: b, secure_boot: true, network_boot: firmware}"
    server = inventory(machines_of(text), _facts())["group_vars/imaging_server.yml"]
    assert "dhcp-host=52:54:00:77:00:01,10.77.0.11,a" in server["imaging_server_dnsmasq_extra"]
    assert "ra-param=lan0,60,0" in server["imaging_server_dnsmasq_extra"]
    assert server["imaging_server_secure_boot_macs"] == ["52:54:00:77:00:02"]
    assert server["boot_env_authorized_keys"] == ["ssh-ed25519 AAAA"]
