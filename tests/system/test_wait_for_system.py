# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for a machine's own system, over real SSH to a real systemd that restarts."""

from __future__ import annotations

import base64
import json
import subprocess
import typing as t
from pathlib import Path

import pytest

from tests.support.container import Container, debian_tree
from tests.support.network import Network
from tests.support.playbook import ansible_environment
from tests.support.wsman import WindowsPeer

MARKER = {"image": "lab-a:2026.11", "digest": "a" * 64, "deploy": "d1", "at": "2026-11-01T12:00:00Z"}
PLACE = "/etc/ansible/facts.d/golden.fact"


def wait_for(
    folder: Path, host: dict[str, t.Any], options: dict[str, str], inside: t.Callable[..., t.Any] = lambda *words: words
) -> dict[str, t.Any]:
    """What the task returns for a host with these variables.

    :param inside: where the program runs.
    """
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"pc-1": host}}}))
    task = {"golden.fleet.wait_for_system": options, "register": "seen", "ignore_errors": True}
    keep = {"ansible.builtin.copy": {"content": "{{ seen | to_json }}", "dest": str(folder / "seen.json")},
            "delegate_to": "localhost", "vars": {"ansible_connection": "local"}}  # fmt: skip
    play = folder / "play.yml"
    play.write_text(json.dumps([{"hosts": "pc-1", "gather_facts": False, "tasks": [task, keep]}]))
    done = subprocess.run(
        inside("ansible-playbook", "-i", inventory, play),
        env=ansible_environment(folder),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, t.Any] = json.loads((folder / "seen.json").read_text())
    return found


class Fixture(t.NamedTuple):
    network: Network
    box: Container
    folder: Path

    def wait(self, timeout: str = "1s", extra: str = "", **options: str) -> dict[str, t.Any]:
        """What the task returns."""
        host = {**self.box.connection_vars(self.network.server), "ansible_ssh_args": extra}
        return wait_for(self.folder, host, {"timeout": timeout, **options}, self.network.inside)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Fixture]:
    folder = tmp_path_factory.mktemp("wait")
    with Network() as network, Container(folder / "box", debian_tree(), network=network.name) as box:
        yield Fixture(network, box, folder)


def mark(machine: Fixture, **changes: str) -> None:
    machine.box.write(PLACE, json.dumps({**MARKER, **changes}))


def boot_id(machine: Fixture) -> str:
    return machine.box.run("cat", "/proc/sys/kernel/random/boot_id").stdout.strip()


def test_a_machine_that_shows_what_was_deployed(machine: Fixture) -> None:
    mark(machine)
    seen = machine.wait(digest="a" * 64, deploy="d1")
    assert not seen["failed"]
    assert not seen["changed"]
    assert seen["marker"] == MARKER
    assert seen["boot_id"] == boot_id(machine)


@pytest.mark.parametrize("changes", [{"digest": "b" * 64}, {"deploy": "d0"}])
def test_another_system_is_not_taken_for_it(machine: Fixture, changes: dict[str, str]) -> None:
    mark(machine, **changes)
    seen = machine.wait(digest="a" * 64, deploy="d1")
    assert seen["failed"]
    assert f"it shows image lab-a:2026.11 from deploy {changes.get('deploy', 'd1')}" in seen["msg"]


NO_MARKERS = [None, "[]", "[" * 100_000, json.dumps({**MARKER, "image": "\x1b]0;owned\x07"})]


@pytest.mark.parametrize("content", NO_MARKERS, ids=["none", "list", "deep", "escape"])
def test_a_system_without_a_marker_is_not_taken_for_it(machine: Fixture, content: str | None) -> None:
    machine.box.run("rm", "-f", PLACE)
    if content is not None:
        machine.box.write(PLACE, content)
    seen = machine.wait(digest="a" * 64)
    assert seen["failed"]
    assert "it shows no marker" in seen["msg"]


def test_the_boot_environment_that_still_answers_is_not_taken_for_it(machine: Fixture) -> None:
    seen = machine.wait(old_boot_id=boot_id(machine))
    assert seen["failed"]
    assert "the boot environment still answers" in seen["msg"]


def test_another_host_key_is_no_answer(machine: Fixture) -> None:
    mark(machine)
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxqk1bF0wBq0kM2j1y7cVn0vQ1Zb8iZ6w3cFJY0aXyz"
    pinned = f"-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o KnownHostsCommand='/bin/echo %H {key}'"
    host_key = machine.box.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout.rsplit(" ", 1)[0]
    assert "does not answer" in machine.wait(extra=pinned)["msg"]
    assert not machine.wait(extra=pinned.replace(key, host_key))["failed"]


def test_a_machine_that_is_off_is_waited_for(machine: Fixture) -> None:
    mark(machine)
    machine.box.stop()
    seen = machine.wait()
    assert seen["failed"]
    assert "it does not answer" in seen["msg"]
    machine.box.start(outlive=False)
    assert not machine.wait("1m", digest="a" * 64)["failed"]


STARTED, COMPLETE = "134403383341205180", "IMAGE_STATE_COMPLETE"


class Windows:
    """Answers what a Windows would, one answer after the other; the last again and again."""

    def __init__(self, *answers: tuple[str, str, dict[str, str] | None]) -> None:
        self.answers = list(answers)

    def powershell(self, line: str) -> tuple[int, str]:
        """Its exit code tells whether the last command worked, as long as the script itself says none."""
        script = base64.b64decode(line.rpartition(" ")[2]).decode("utf-16-le")
        assert "LastBootUpTime" in script
        assert "Setup\\State).ImageState" in script
        assert "$env:SystemDrive/ProgramData/golden.fleet/golden.fact" in script
        started, setup, marker = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        text = json.dumps(marker) if marker else ""
        return 0 if marker or script.endswith("; exit 0") else 1, f"{started}\r\n{setup}\r\n{text}"

    def wait(self, folder: Path, timeout: str = "1s", password: str = "correct horse", **options: str) -> t.Any:
        with WindowsPeer(folder, self.powershell, "correct horse") as peer:
            host = {**peer.connection_vars(), "ansible_password": password}
            return wait_for(folder, host, {"timeout": timeout, **options})


@pytest.mark.parametrize("marker", [MARKER, None])
def test_a_windows_that_was_deployed_and_one_that_never_was(tmp_path: Path, marker: dict[str, str] | None) -> None:
    seen = Windows((STARTED, COMPLETE, marker)).wait(tmp_path)
    assert not seen["failed"], seen["msg"]
    assert (seen["boot_id"], seen["setup"], seen["marker"]) == (STARTED, COMPLETE, marker)


WAITED: list[tuple[tuple[str, str, dict[str, str] | None], dict[str, str], str]] = [
    ((STARTED, COMPLETE, {**MARKER, "deploy": "d0"}), {"deploy": "d1"}, "it shows image lab-a:2026.11 from deploy d0"),
    ((STARTED, COMPLETE, None), {"deploy": "d1"}, "it shows no marker"),
    ((STARTED, "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE", MARKER), {"deploy": "d1"}, "its setup is still at work"),
    ((STARTED, COMPLETE, MARKER), {"old_boot_id": STARTED}, "it has not restarted"),
    ((STARTED, COMPLETE, MARKER), {"password": "wrong"}, "it does not answer: ntlm: the specified credentials"),
]


@pytest.mark.parametrize(("answer", "options", "message"), WAITED)
def test_a_windows_that_is_not_what_is_waited_for(
    tmp_path: Path, answer: tuple[str, str, dict[str, str] | None], options: dict[str, str], message: str
) -> None:
    seen = Windows(answer).wait(tmp_path, **options)
    assert seen["failed"]
    assert message in seen["msg"]


def test_a_windows_that_comes_after_another_one(tmp_path: Path) -> None:
    """The old one still answers, then the new one in its setup, and then as it shall be. What it cannot say of itself
    is no reason to wait for ever."""
    new = str(int(STARTED) + 1)
    windows = Windows(
        (STARTED, COMPLETE, {**MARKER, "deploy": "d0"}),
        (new, "IMAGE_STATE_UNDEPLOYABLE", MARKER),
        ("", "", MARKER),
    )
    seen = windows.wait(tmp_path, "1m", digest="a" * 64, deploy="d1", old_boot_id=STARTED)
    assert not seen["failed"], seen["msg"]
    assert (seen["boot_id"], seen["setup"], seen["marker"]) == (None, None, MARKER)


def test_a_windows_that_is_off(tmp_path: Path) -> None:
    with WindowsPeer(tmp_path, Windows((STARTED, COMPLETE, MARKER)).powershell, "correct horse") as peer:
        host = peer.connection_vars()
    seen = wait_for(tmp_path, host, {"timeout": "1s", "deploy": "d1"})
    assert seen["failed"]
    assert "it does not answer: " in seen["msg"]
    assert "Connection refused" in seen["msg"]
