# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine is awaited, over real SSH to an imaging server that is away for a while."""

from __future__ import annotations

import contextlib
import json
import sys
import typing as t
from pathlib import Path

import pytest

from tests.support.checkins import CheckinServer
from tests.support.playbook import Play, ansible_environment
from tests.support.sshd import Sshd

MAC = "52:54:00:12:34:07"


class Site(t.NamedTuple):
    folder: Path
    server: CheckinServer
    sshd: Sshd

    def play(self, timeout: str) -> Play:
        """Begin to bring a machine, which a person switches on, into its boot environment."""
        arguments = f"-F none -o ControlMaster=no -o ControlPath=none -o UserKnownHostsFile={self.sshd.known_hosts}"
        imaging = {
            "ansible_host": "127.0.0.1", "ansible_port": self.sshd.port, "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.sshd.key), "ansible_ssh_args": arguments,
            "ansible_python_interpreter": sys.executable,
        }  # fmt: skip
        options = {"mac": MAC, "config": str(self.server.config), "power": {"provider": "manual"}, "timeout": timeout}
        task = {"golden.fleet.pxe_reboot": options, "delegate_to": "imaging"}
        playbook, inventory = self.folder / "play.json", self.folder / "inventory.json"
        playbook.write_text(json.dumps([{"hosts": "pc-07", "gather_facts": False, "tasks": [task]}]))
        inventory.write_text(json.dumps({"all": {"hosts": {"pc-07": {}, "imaging": imaging}}}))
        tool = str(Path(sys.executable).with_name("ansible-playbook"))
        return Play([tool, "-i", str(inventory), str(playbook)], ansible_environment(self.folder), self.folder)

    def log(self, line: str) -> None:
        """What dnsmasq writes: a poll under way ends with it."""
        with (self.folder / "dnsmasq.log").open("a") as file:
            file.write(f"{line}\n")


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    with CheckinServer(tmp_path) as server, Sshd(tmp_path) as sshd:
        yield Site(tmp_path, server, sshd)


@contextlib.contextmanager
def away(site: Site, timeout: str) -> t.Iterator[Play]:
    """A play whose imaging server goes away, once the machine is to be switched on."""
    play = site.play(timeout)
    try:
        play.sees(r"pc-07 \| pxe_reboot: now switch it on")
        site.sshd.stop()
        site.log(f"dnsmasq-dhcp[7]: 3804 DHCPACK(br0) 10.77.0.50 {MAC} pc-07")
        yield play
    finally:
        play.stop()


def test_a_server_that_is_away_for_a_while(site: Site) -> None:
    with away(site, "2m") as play:
        play.sees(r"pc-07 \| pxe_reboot: the imaging server does not answer, asking again: imaging cannot be reached")
        site.server.boot(MAC)
        site.sshd.start()
        assert play.ends() == 0, play.output
    assert "pc-07 | pxe_reboot: checked in from" in play.output


def test_a_server_that_stays_away(site: Site) -> None:
    with away(site, "8s") as play:
        assert play.ends() == 2, "failed, not unreachable"
    assert "the entry could not be removed: imaging cannot be reached" in play.output
    assert "unreachable=0" in play.output
