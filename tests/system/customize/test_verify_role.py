# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role verify, on a Debian that has booted in a container."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest

from tests.support.container import Container, debian_tree
from tests.support.deployed import play
from tests.support.network import Network

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")

MARKER = {"image": "lab-a:2026.11", "digest": "a" * 64, "deploy": "5f0c9d6f8a0d1b7f", "at": "2026-11-01T12:00:00Z"}
NAME = "golden-verify"


class Bench(t.NamedTuple):
    folder: Path
    network: Network
    box: Container

    def verify(self, **variables: t.Any) -> tuple[int, str, dict[str, t.Any]]:
        """How the play ends, what it says, and the result of the role."""
        result = self.folder / "result.json"
        keep = {"dest": str(result), "content": "{{ verify_result | to_json }}", "mode": "0600"}
        tasks = [
            {
                "block": [{"ansible.builtin.include_role": {"name": "golden.fleet.verify"}}],
                "always": [{"ansible.builtin.copy": keep, "delegate_to": "localhost"}],
            }
        ]
        connection = self.box.connection_vars(self.network.server)
        done = play(self.folder, self.network, {**connection, **variables}, tasks)
        assert done.returncode in {0, 2}, done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr, json.loads(result.read_text())


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Bench]:
    folder = tmp_path_factory.mktemp("verify")
    (folder / "box").mkdir()
    with Network() as network, Container(folder / "box", debian_tree(), network=network.name, name=NAME) as box:
        box.write("/etc/ansible/facts.d/golden.fact", json.dumps(MARKER))
        yield Bench(folder, network, box)


def failed(result: dict[str, t.Any]) -> list[str]:
    return [each["check"] for each in result["checks"] if not each["ok"]]


def test_all_is_well(bench: Bench) -> None:
    (bench.folder / "tests").mkdir()
    (bench.folder / "tests/test_it.py").write_text(
        "def test_ssh(host):\n    assert host.service('ssh').is_running\n"
        "def test_name(host):\n    assert host.file('/etc/hostname').content_string.strip() == 'golden-verify'\n"
    )
    (bench.folder / "own.yml").write_text("- {name: Look, ansible.builtin.stat: {path: /etc/passwd}}\n")
    code, said, result = bench.verify(
        golden_hostname=f"{NAME.upper()}.lab.example",
        golden_users=[{"name": "root"}, {"name": "gone", "state": "absent"}, {"name": "daemon", "state": "present"}],
        verify_digest="a" * 64,
        verify_services=["ssh"],
        verify_free="1M",
        verify_tests=str(bench.folder / "tests"),
        verify_tasks=str(bench.folder / "own.yml"),
        ansible_password="canary-0b57",
    )
    assert code == 0, said
    assert result["outcome"] == "ok"
    made = ["started", "hostname", "users", "digest", "free", "units", "services", "tasks", "tests"]
    assert [each["check"] for each in result["checks"]] == made
    assert set(result["checks"][0]) == {"check", "ok", "said"}
    assert "2 passed" in result["checks"][-1]["said"]
    assert "canary-0b57" not in said
    assert not list(Path("/tmp").glob("golden-verify-*"))


def test_everything_that_is_wrong_is_said_at_once(bench: Bench) -> None:
    (bench.folder / "bad").mkdir()
    (bench.folder / "bad/test_it.py").write_text("def test_it(host):\n    assert host.file('/none').exists\n")
    (bench.folder / "bad.yml").write_text("- {name: Look for it, ansible.builtin.command: /bin/false}\n")
    bench.box.write("/etc/systemd/system/bad.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n")
    bench.box.write(
        "/etc/ansible/facts.d/golden_first_boot.fact", json.dumps({"state": "failed", "total": 3, "done": 1, "rc": 7})
    )
    bench.box.run("systemctl", "start", "bad", check=False)
    variables = {
        "verify_hostname": "pc-07",
        "verify_domain": "lab.example",
        "verify_users": ["root", "teacher"],
        "verify_domain_user": "pupil@lab.example",
        "verify_digest": "b" * 64,
        "verify_services": ["ssh", "none"],
        "verify_free": "1000T",
        "verify_tests": str(bench.folder / "bad"),
        "verify_tasks": str(bench.folder / "bad.yml"),
    }
    try:
        code, said, result = bench.verify(**variables)
        assert code == 2
        assert result["outcome"] == "failed"
        wrong = ["first_boot", "hostname", "domain", "users", "digest", "free", "units", "services", "tasks", "tests"]
        assert failed(result) == wrong
        sentences = {each["check"]: each["said"] for each in result["checks"]}
        assert sentences["first_boot"] == "Of 3 commands of the first boot, 1 have succeeded; it is failed."
        assert sentences["hostname"] == f"Its name is {NAME}; it should be pc-07."
        assert sentences["domain"] == "lab.example: Neither adcli nor net is installed."
        assert sentences["users"] == "Users that it does not know: teacher, pupil@lab.example."
        assert sentences["units"] == "Units that have failed: bad.service."
        assert sentences["services"] == "Services that do not run: none."
        assert sentences["tasks"].startswith("bad.yml: Look for it: ")
        assert "1 failed" in sentences["tests"]
        assert "pc-07 is not as it should be." in said
        code, said, again = bench.verify(**variables, verify_policy="continue")
        assert code == 0
        assert failed(again) == wrong
        assert "Units that have failed: bad.service." in said
        _code, _said, ignored = bench.verify(verify_ignored_units=["bad.service"], verify_policy="continue")
        assert failed(ignored) == ["first_boot"]
    finally:
        bench.box.run("systemctl", "reset-failed")
        bench.box.run("rm", "/etc/ansible/facts.d/golden_first_boot.fact")


def test_it_waits_for_the_first_boot(bench: Bench) -> None:
    fact = "/etc/ansible/facts.d/golden_first_boot.fact"
    bench.box.write(fact, json.dumps({"state": "running", "total": 1, "done": 0, "rc": None}))
    bench.box.run("systemd-run", "--on-active=7", "sed", "-i", "s/running/done/", fact)
    try:
        code, said, result = bench.verify()
        assert code == 0, said
        assert failed(result) == []
        bench.box.write(fact, json.dumps({"state": "running", "total": 1, "done": 0, "rc": None}))
        assert failed(bench.verify(verify_timeout=5, verify_policy="continue")[2]) == ["first_boot"]
    finally:
        bench.box.run("rm", fact)
