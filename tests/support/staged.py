# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles of this tree, really played, where each module of the collection only says what a test tells it to.

    stage = Stage(folder, {"pc-1": {}, "pc-2": {}})
    stage.says("image_apply", {"failed": True, "msg": "the disk is full"})
    code, said = stage.play("deploy")
    stage.calls("deployed_marker")

All hosts are this computer. The imaging server's connection can be cut, and so can the boot environment's. The programs
that would restart a computer are never run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

from .playbook import ansible_environment

_TREE = Path(__file__).resolve().parent.parent.parent
_SHAKY = Path(__file__).resolve().parent / "collections"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz"
DIGEST = "d" * 64
_MARKER = {"image": "lab-a:1", "digest": DIGEST, "deploy": "d1"}
_CHECKIN = {"address": "127.0.0.1", "ssh_host_key": KEY, "firmware": "uefi", "dmi": {"serial": "1"}}
_SYSTEM = {"family": "linux", "mounted": True}
_ACCOUNT = {
    "name": "PC",
    "domain": "lab.example",
    "server": "dc1.lab.example",
    "created": True,
    "one_time_password": "canary-f0rS0me",
}
_ANSWERS: dict[str, dict[str, t.Any]] = {
    "pxe_reboot": {"checkin": _CHECKIN, "entry": {"id": "d1"}, "seconds": 1.0},
    "image_info": {"images": [{"image": "lab-a:1", "digest": DIGEST, "firmware": [], "os": []}]},
    "deployed_info": {"disk": "/dev/sda", "family": "linux", "marker": None},
    "image_apply": {"changed": True, "disk": {"path": "/dev/sda"}, "bytes": 7},
    "os_mount": _SYSTEM,
    "deployed_marker": {"changed": True, "marker": _MARKER, "ssh_host_keys": []},
    "ad_computer": {"changed": True, **_ACCOUNT},
}
_SILENT = [
    *(
        "disk_identity",
        "netboot_entry",
        "next_boot",
        "power",
        "wait_for_system",
        "os_identity",
        "os_hostname",
        "os_locale",
        "os_user",
    ),
    *("os_domain_join", "os_drivers", "os_file", "os_first_boot", "os_registry", "os_unattend"),
]
_MODULE = """\
#!/usr/bin/python
# WANT_JSON
import fcntl, json, pathlib, sys

here, name = pathlib.Path({folder!r}), {name!r}
given = json.loads(pathlib.Path(sys.argv[1]).read_text())
with open(here / "lock", "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(here / "calls.jsonl", "a") as calls:
        calls.write(json.dumps({{"module": name, **given}}) + "\\n")
    answers = json.loads((here / "answers" / name).read_text())
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    (here / "answers" / name).write_text(json.dumps([*answers] if answers else [answer]))
for each in answer.pop("_touch", []):
    pathlib.Path(each).touch()
print(json.dumps({{"changed": False, **answer}}))
"""
# Runs the command here, whatever the host; the options are those of the boot environment's connection.
_SSH = """\
#!/bin/sh
for last; do :; done
[ "$last" != ControlPersist ] || exit 0
if [ -e {cut} ]; then echo "the cable is cut" >&2; exit 255; fi
VIA_SSH=yes exec /bin/sh -c "$last"
"""


class Stage:
    """A fleet without machines.

    :ivar cut_server: while this file exists, the imaging server cannot be reached.
    :ivar cut_inside: the same, for the boot environment.
    """

    def __init__(self, folder: Path, hosts: dict[str, dict[str, t.Any]]) -> None:
        self.folder = folder
        self.cut_server, self.cut_inside = folder / "cut-server", folder / "cut-inside"
        fleet = folder / "collections/ansible_collections/golden/fleet"
        for place in (fleet / "plugins/modules", folder / "answers", folder / "bin"):
            place.mkdir(parents=True)
        for name in ("roles", "galaxy.yml", "meta", "playbooks"):
            (fleet / name).symlink_to(_TREE / name)
        for name in (*_ANSWERS, *_SILENT):
            (fleet / f"plugins/modules/{name}.py").write_text(_MODULE.format(folder=str(folder), name=name), "utf-8")
            self.says(name, _ANSWERS.get(name, {}))
        self.program("ssh", _SSH.format(cut=self.cut_inside))
        for name, says in {"systemd-run": "", "systemctl": "running", "adcli": ""}.items():
            self.program(name, f"#!/bin/sh\necho {says}\n")
        here = {"ansible_python_interpreter": sys.executable, "cut": str(self.cut_server), "swallow": f"{folder}/no"}
        machine = {
            **here,
            "ansible_connection": "local",
            "ansible_ssh_executable": str(folder / "bin/ssh"),
            "ansible_ssh_transfer_method": "piped",
            "golden_power": {"provider": "ssh", "address": "127.0.0.1", "username": "root"},
            "golden_server": "imaging",
            "golden_image": "lab-a:1",
            "golden_store": "http://127.0.0.1/store",
            "netboot_records": str(folder / "records"),
        }
        self.hosts = {
            "imaging": {**here, "ansible_connection": "test.long.shaky"},
            **{
                name: {**machine, "golden_mac": f"52:54:00:00:00:{number:02x}", **own}
                for number, (name, own) in enumerate(hosts.items())
            },
        }

    def program(self, name: str, text: str) -> None:
        """What is found in place of a program."""
        (self.folder / "bin" / name).write_text(text, "utf-8")
        (self.folder / "bin" / name).chmod(0o755)

    def says(self, module: str, *answers: dict[str, t.Any]) -> None:
        """What a module answers: one after the other, and the last one from then on."""
        usual = _ANSWERS.get(module, {})
        told = [each if each.get("failed") else {**usual, **each} for each in answers]
        (self.folder / "answers" / module).write_text(json.dumps(told), "utf-8")

    def play(self, *roles: str, options: t.Sequence[str] = (), **variables: t.Any) -> tuple[int, str]:
        """How the play of these roles ends, and what it says."""
        tasks = [{"ansible.builtin.include_role": {"name": f"golden.fleet.{role}"}} for role in roles]
        return self.tasks(tasks, *options, **variables)

    def tasks(self, tasks: list[dict[str, t.Any]], *options: str, **variables: t.Any) -> tuple[int, str]:
        """The same, of any tasks."""
        hosts = {name: {**own, **(variables if name != "imaging" else {})} for name, own in self.hosts.items()}
        (self.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}), "utf-8")
        play = {"hosts": "all:!imaging", "gather_facts": False, "tasks": tasks}
        (self.folder / "play.json").write_text(json.dumps([play]), "utf-8")
        tool = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            # Whatever else fails: nothing restarts this computer.
            [tool, "-i", "inventory.json", "-e", "__netboot_ending=--version", *options, "play.json"],
            env={
                **ansible_environment(self.folder),
                "ANSIBLE_COLLECTIONS_PATH": f"{self.folder}/collections:{_SHAKY}",
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            },
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    def calls(self, *modules: str) -> list[dict[str, t.Any]]:
        """What these modules were asked, in the order in which they were."""
        log = self.folder / "calls.jsonl"
        found = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
        return [each for each in found if not modules or each["module"] in modules]

    def records(self, host: str) -> list[dict[str, t.Any]]:
        """From the oldest to the newest."""
        return [json.loads(path.read_text("utf-8")) for path in sorted((self.folder / "records" / host).glob("*.json"))]
