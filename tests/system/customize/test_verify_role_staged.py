# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role verify where a machine does not do what it is asked, or is not to be asked much."""

from __future__ import annotations

import json
import socket
import sys
import typing as t
from pathlib import Path

from tests.support.staged import Stage

NAME = socket.gethostname().partition(".")[0]


def verified(stage: Stage, *options: str, **variables: t.Any) -> tuple[str, dict[str, t.Any]]:
    """What the play says, and the result of the role."""
    keep = {"dest": str(stage.folder / "result.json"), "content": "{{ verify_result | to_json }}", "mode": "0600"}
    tasks: list[dict[str, t.Any]] = [
        {
            "block": [{"ansible.builtin.include_role": {"name": "golden.fleet.verify"}}],
            "always": [{"ansible.builtin.copy": keep, "check_mode": False, "delegate_to": "localhost"}],
        }
    ]
    _code, said = stage.tasks(tasks, *options, verify_policy="continue", verify_free="1M", **variables)
    return said, json.loads((stage.folder / "result.json").read_text("utf-8"))


def found(result: dict[str, t.Any]) -> dict[str, bool]:
    return {each["check"]: each["ok"] for each in result["checks"]}


def test_check_mode_checks_as_well(tmp_path: Path) -> None:
    """The role changes nothing."""
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.program("systemctl", '#!/bin/sh\n[ "$1" != is-system-running ] || echo running\n')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").write_text("def test_it(host):\n    assert host.file('/etc/passwd').exists\n")
    asked = {
        "verify_hostname": NAME,
        "verify_domain": "lab.example",
        "verify_users": ["root"],
        "verify_services": ["ssh"],
        "verify_tests": str(tmp_path / "tests"),
    }
    said, result = verified(stage, "--check", **asked)
    assert all(found(result).values()), said + json.dumps(result, indent=1)
    assert len(result["checks"]) == 8


def test_a_domain_that_has_not_heard_of_it_yet(tmp_path: Path) -> None:
    """Domain controllers tell each other some seconds later."""
    stage = Stage(tmp_path, {"pc-1": {}})
    asked = tmp_path / "asked"
    stage.program("adcli", f"#!/bin/sh\necho $* >>{asked}\n[ $(wc -l <{asked}) -gt 1 ]\n")
    domain = {"name": "lab.example", "server": "dc2.lab.example"}
    said, result = verified(stage, golden_domain=domain, golden_hostname=NAME)
    assert found(result)["domain"], said
    line = "testjoin --domain=lab.example --domain-controller=dc2.lab.example"
    assert asked.read_text().splitlines() == [line, line]


def test_a_machine_that_is_lost(tmp_path: Path) -> None:
    """Nothing is known of it, so that its disk is not written again."""
    stage = Stage(tmp_path, {"pc-1": {"ansible_connection": "test.long.shaky"}})
    lost = tmp_path / "lost"
    stage.hosts["pc-1"].update(cut=str(lost), swallow="/nowhere")
    cut = {"ansible.builtin.file": {"path": str(lost), "state": "touch"}, "delegate_to": "imaging"}
    (tmp_path / "after.yml").write_text(json.dumps([cut]))
    settings = {"golden_verify": True, "verify_policy": "reimage"}
    code, said = stage.play("deploy", deploy_after_tasks=str(tmp_path / "after.yml"), **settings)
    assert code == 2, said
    (record,) = stage.records("pc-1")
    assert record["error"]["message"].startswith("pc-1 cannot be reached, so that nothing is known of it.")
    assert record["verify"] is None

    lost.unlink()
    stage.program("df", f'#!/bin/sh\ntouch {lost}; exec /usr/bin/df "$@"\n')
    code, said = stage.play("deploy", **settings)
    assert code == 2, said
    assert len(stage.records("pc-1")) == 2
    # Core before 2.19 fails where it cannot remove its temporary files.
    assert "Failed to connect to the host: the cable is cut." in stage.records("pc-1")[1]["error"]["message"]
    assert stage.records("pc-1")[1]["verify"] is None


def test_a_machine_without_python(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {"ansible_python_interpreter": "/nowhere/python3"}})
    code, said = stage.play("verify")
    assert code == 2, said
    assert "pc-1 cannot be asked, so that nothing is known of it. A Linux needs Python." in said


def test_deploy_knows_the_name_that_it_gave(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}, "pc-2": {"golden_hostname": "other"}, "pc-3": {"verify_hostname": "third"}})
    stage.play("deploy", golden_verify=True, verify_policy="continue")
    for host, name in {"pc-1": "pc-1", "pc-2": "other", "pc-3": "third"}.items():
        checks = {each["check"]: each["said"] for each in stage.records(host)[0]["verify"]["checks"]}
        assert checks["hostname"] == f"Its name is {NAME}; it should be {name}."


def test_own_tests_get_all_of_the_connection(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    seen = tmp_path / "seen.json"
    (tmp_path / "tests").mkdir()
    look = f"open({str(seen)!r}, 'w').write(open(config.getoption('--ansible-inventory')).read())"
    (tmp_path / "tests/conftest.py").write_text(f"def pytest_configure(config):\n    {look}\n")
    connection = {"ansible_become_pass": "canary-1", "ansible_become_exe": "/bin/sudo", "ansible_remote_tmp": "/tmp/x"}
    said, _result = verified(stage, verify_tests=str(tmp_path / "tests"), **connection)
    there = json.loads(seen.read_text())["all"]["hosts"]["pc-1"]
    assert connection.items() <= there.items(), said
    assert there["ansible_python_interpreter"] == sys.executable
    assert not any("golden" in name or "verify" in name for name in there)
    assert "canary" not in said
