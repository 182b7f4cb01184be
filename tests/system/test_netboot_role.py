# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role netboot makes of an inventory, and of what machines say."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import yaml
from ansible_collections.golden.fleet.tests.support.playbook import ansible_environment

TREE = Path(__file__).resolve().parents[2]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz"
MACHINE = {
    "golden_mac": "52:54:00:12:34:56",
    "golden_power": {"provider": "redfish"},
    "golden_server": "imaging",
    "netboot_tasks": "x",
}


def told(folder: Path, hosts: dict[str, dict[str, t.Any]], expression: str, **environment: str) -> dict[str, t.Any]:
    """What a template says with the role's variables, for each host."""
    play = {
        "hosts": "machines",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": sys.executable},
        "vars_files": [str(TREE / "roles/netboot/vars/main.yml")],
        "tasks": [
            {"copy": {"dest": f"{folder}/{{{{ id }}}}", "content": f"{{{{ {{'it': {expression}}} | to_json }}}}\n"}}
        ],
    }
    defaults = yaml.safe_load((TREE / "roles/netboot/defaults/main.yml").read_text())
    machines = {name: {**defaults, **MACHINE, **own, "id": number} for number, (name, own) in enumerate(hosts.items())}
    inventory = {
        "all": {
            "hosts": {"imaging": {"imaging_server_interface": "lan0"}},
            "children": {"machines": {"hosts": machines}},
        }
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    (folder / "inventory.json").write_text(json.dumps(inventory))
    command = ["ansible-playbook", "-i", folder / "inventory.json", folder / "play.yml"]
    done = subprocess.run(
        command, env={**ansible_environment(folder), **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {name: json.loads((folder / str(host["id"])).read_text())["it"] for name, host in machines.items()}


def test_what_is_no_host_key_comes_into_no_command(tmp_path: Path) -> None:
    """The machine says it, and ssh on the controller would run it."""
    hostile = [
        f"{KEY}\"' -oProxyCommand=touch${{IFS}}/tmp/it;#",
        f"{KEY}\n",
        f"{KEY}\n-oProxyCommand=reboot",
        f"{KEY} -oProxyCommand=reboot",
        f"-o{KEY}",
        "x",
        "",
        None,
    ]
    hosts = {
        "good": {"netboot_ssh_host_keys": [*hostile, KEY], "__netboot_users_ssh_args": "-C"},
        "bad": {"netboot_ssh_host_keys": hostile, "__netboot_users_ssh_args": ""},
    }
    assert told(tmp_path, hosts, "__netboot_host_keys") == {"good": [KEY], "bad": []}
    pinned = told(tmp_path, hosts, "__netboot_pinned")["good"]
    assert pinned.endswith(f"""-o KnownHostsCommand='/usr/bin/printf "%H {KEY}\\n"' -C""")


def test_what_is_wrong_in_an_inventory(tmp_path: Path) -> None:
    hosts: dict[str, tuple[dict[str, t.Any], list[str]]] = {
        "pc-1": ({}, []),
        "pc-2": ({"golden_mac": "52:54:00:12:34"}, ["golden_mac is 52:54:00:12:34; it must be the MAC address"]),
        "pc-3": ({"golden_mac": 525400123456}, ["golden_mac is 525400123456; it must be the MAC address"]),
        "pc-4": (
            {"golden_power": {"provider": "redfsh"}},
            ["the provider redfsh; it must be one of redfish, ipmi, wol"],
        ),
        "pc-5": (
            {"golden_power": {}, "golden_server": "imagng"},
            ["has the provider (none)", "golden_server is imagng; it must be the imaging server"],
        ),
    }
    said = told(tmp_path, {name: changed for name, (changed, _why) in hosts.items()}, "__netboot_wrong")
    for name, (_changed, why) in hosts.items():
        assert len(said[name]) == len(why)
        assert all(part in each for part, each in zip(why, said[name], strict=True)), said[name]


def test_power_has_what_only_others_know(tmp_path: Path) -> None:
    hosts = {
        "redfish": {},
        "wol": {"golden_power": {"provider": "wol"}},
        "elsewhere": {"golden_power": {"provider": "wol", "broadcast": "10.9.0.255"}},
    }
    environment = {"GOLDEN_POWER_USERNAME": "admin", "GOLDEN_POWER_PASSWORD": "canary"}
    power = told(tmp_path, hosts, "__netboot_power", **environment)
    login = {"username": "admin", "password": "canary"}
    assert power["redfish"] == {"provider": "redfish", "mac": MACHINE["golden_mac"], **login}
    assert power["wol"] == {"provider": "wol", "mac": MACHINE["golden_mac"], "interface": "lan0", **login}
    assert "interface" not in power["elsewhere"]


def test_records_stay_in_their_folder(tmp_path: Path) -> None:
    folders = told(tmp_path, {"../../etc": {}, "pc-1.lab.example": {}}, "__netboot_folder")
    assert list(folders.values()) == ["/srv/golden/records/.._.._etc", "/srv/golden/records/pc-1.lab.example"]
