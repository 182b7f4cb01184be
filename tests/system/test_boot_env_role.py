# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role boot_env through Ansible: on the imaging server itself, and with a build host of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.tests.support.boot_env import boot_env
from ansible_collections.golden.fleet.tests.support.debian import default_cache
from ansible_collections.golden.fleet.tests.support.playbook import ansible_environment

PLAY = [
    {
        "hosts": "servers",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.import_role": {"name": "golden.fleet.boot_env"}}],
    }
]


class Site:
    """Two imaging servers, both this machine; one of them lets another host build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots = [folder / "alone" / "boot-env", folder / "helped" / "boot-env"]
        self.ca = folder / "ca.crt"
        self.ca.write_text("CERTIFICATE\n")
        self.variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "/usr/bin/python3",
            "boot_env_authorized_keys": ["ssh-ed25519 AAAA me"],
            "boot_env_ca_file": str(self.ca),
            "boot_env_manage_packages": False,
            "boot_env_upgrade": False,
        }

    def play(self, *options: str) -> subprocess.CompletedProcess[str]:
        cache = str(default_cache() / "boot-env")
        alone = {"boot_env_root": str(self.roots[0]), "boot_env_cache": cache}
        helped = {"boot_env_root": str(self.roots[1]), "boot_env_build_host": "builder", "boot_env_cache": cache}
        inventory = {
            "servers": {"hosts": {"alone": alone, "helped": helped}, "vars": self.variables},
            "builders": {"hosts": {"builder": {}}, "vars": self.variables},
        }
        (self.folder / "inventory.json").write_text(json.dumps(inventory))
        (self.folder / "play.json").write_text(json.dumps(PLAY))
        return subprocess.run(
            ["ansible-playbook", "-i", self.folder / "inventory.json", *options, self.folder / "play.json"],
            env=ansible_environment(self.folder),
            capture_output=True,
            text=True,
            check=False,
        )

    def changes(self, *options: str) -> list[int]:
        """How many tasks changed something, for each server."""
        done = self.play(*options)
        assert done.returncode == 0, done.stdout + done.stderr
        recap = done.stdout.partition("PLAY RECAP")[2].splitlines()
        return [int(line.partition("changed=")[2].split()[0]) for line in recap if "changed=" in line]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    boot_env(tmp_path / "unused", ca="", authorized_keys=[])  # so that no mirror is needed below
    return Site(tmp_path)


def test_builds_when_something_has_changed(site: Site) -> None:
    assert site.changes("--check") == [1, 1]
    assert not any(root.exists() for root in site.roots)
    assert all(count > 0 for count in site.changes())
    links = [os.readlink(root / "current") for root in site.roots]
    assert links[0] == links[1]
    for root in site.roots:
        assert sorted(path.name for path in (root / "current").iterdir()) == [
            "cmdline",
            "initrd.img",
            "packages.txt",
            "vmlinuz",
        ]
    assert site.changes("--check") == [0, 0]
    assert site.changes() == [0, 0]


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"boot_env_authorized_keys": []}, "must have the public key of the controller"),
        ({"boot_env_authorized_keys": ["AAAA"]}, "must have the public key of the controller"),
        ({"boot_env_ca_file": "/nowhere"}, "has no certificate /nowhere"),
        ({"boot_env_keyboard": "$(id)"}, "not a layout such as"),
        ({"boot_env_mirrors": ["deb [trusted=yes] copy:/nowhere ./"]}, "mmdebstrap failed"),
    ],
)
def test_says_what_is_wrong(site: Site, variables: dict[str, object], why: str) -> None:
    done = site.play("--limit", "alone", "-e", json.dumps(variables))
    assert done.returncode != 0
    assert why in done.stdout
    assert not any(root.exists() for root in site.roots)
