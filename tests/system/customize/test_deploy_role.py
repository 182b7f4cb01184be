# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role deploy: what it does in which order, and what it says when something fails."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import yaml

from tests.support.staged import DIGEST, Stage

DOMAIN = {"name": "lab.example", "ou": "OU=Lab A,DC=lab,DC=example"}


def test_hosts_do_not_get_into_one_another(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}, "pc-2": {}})
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 0, said
    assert "canary" not in said
    assert sorted(call["name"] for call in stage.calls("os_hostname")) == ["pc-1", "pc-2"]
    assert len(prepared(stage)) == 2
    for host in ("pc-1", "pc-2"):
        (record,) = stage.records(host)
        assert (record["outcome"], record["image"], record["digest"], record["bytes"]) == ("ok", "lab-a:1", DIGEST, 7)


def prepared(stage: Stage) -> list[dict[str, t.Any]]:
    """The calls that make or reset an account."""
    return [call for call in stage.calls("ad_computer") if not call["_ansible_check_mode"]]


def test_a_server_that_is_lost_in_the_middle(tmp_path: Path) -> None:
    """The machine waits with its disk written: it is not forgotten there."""
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.says("os_mount", {"_touch": [str(stage.cut_server)]})
    stage.program("systemd-run", f"#!/bin/sh\ntouch {tmp_path}/sent-back\n")
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 2, said
    assert (tmp_path / "sent-back").exists()
    assert "failed=1" in said
    assert "account: imaging cannot be reached" in said
    assert not stage.calls("os_domain_join", "deployed_marker")


def test_a_machine_that_is_back_is_not_switched_off_when_its_check_fails(tmp_path: Path) -> None:
    power = {"provider": "redfish", "address": "http://127.0.0.1:1", "username": "a", "password": "b"}
    stage = Stage(tmp_path, {"pc-1": {"golden_power": power}})
    stage.says("wait_for_system", {"seconds": 1.0})
    own = tmp_path / "own.yml"
    own.write_text("- {name: Mine, ansible.builtin.command: /bin/false}\n")
    code, said = stage.play("deploy", deploy_after_tasks=str(own))
    assert code == 2, said
    calls = [call["module"] for call in stage.calls("power", "wait_for_system")]
    assert calls == ["power", "power", "wait_for_system"]


def test_a_record_that_cannot_be_written(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.says("wait_for_system", {"_touch": [str(stage.cut_server)]})
    code, said = stage.play("deploy")
    assert code == 2, said
    assert "imaging cannot be reached, so that no record says how pc-1 ended: ok." in said


def test_a_record_says_nothing_of_an_earlier_run(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    checked_in: dict[str, t.Any] = {}
    stage.says("pxe_reboot", checked_in, {"failed": True, "msg": "it does not check in"})
    code, said = stage.play("deploy", "deploy")
    assert code == 2, said
    first, second = stage.records("pc-1")
    assert (first["outcome"], first["applied"], first["bytes"]) == ("ok", True, 7)
    assert (second["outcome"], second["applied"], second["bytes"]) == ("failed", False, None)
    assert (second["image"], second["digest"], second["disk"]) == ("lab-a:1", None, None)


def test_a_machine_that_is_imaged_once_more_takes_the_account_that_was_made_for_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.says("ad_computer", {"name": "PC-1"})
    code, said = stage.play("deploy", golden_domain=DOMAIN, golden_verify=True, verify_policy="reimage")
    assert code == 2, said
    assert [call["reuse"] for call in prepared(stage)] == [False, True]
    assert [call["erase"] for call in stage.calls("image_apply")] == [False, True]
    assert [each["verify"]["outcome"] for each in stage.records("pc-1")] == ["failed", "failed"]


def test_what_the_domain_would_refuse_is_found_before_a_restart(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.says("ad_computer", {"failed": True, "msg": "There is no OU=Lab B in lab.example. Make it first."})
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 2, said
    assert "There is no OU=Lab B in lab.example" in said
    (asked,) = stage.calls("ad_computer")
    assert (asked["_ansible_check_mode"], asked["ou"]) == (True, DOMAIN["ou"])
    assert not stage.calls("pxe_reboot")


def test_check_mode_asks_the_domain(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    assert stage.play("deploy", options=["--check"], golden_domain=DOMAIN)[0] == 0
    assert [call["module"] for call in stage.calls()] == ["ad_computer"]


def test_a_name_that_is_taken_leaves_the_disk_as_it_was(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.says("ad_computer", {"failed": True, "msg": "CN=PC-1 exists. Set reuse.", "exists": True})
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 2, said
    assert "CN=PC-1 exists. Set reuse. The disk of pc-1 is as it was." in said
    assert not stage.calls("image_apply")
    assert stage.records("pc-1")[0]["error"]["message"].startswith("CN=PC-1 exists.")

    # Where nothing is to be written, it is the machine's own account.
    stage.says("deployed_info", {"marker": {"digest": DIGEST}})
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 0, said


def test_names_that_no_machine_should_get(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, t.Any]] = {
        "pc-1": {"golden_hostname": "PC-7"},
        "pc-2": {"golden_hostname": "{{ 'pc' }}-7"},
        "pc-7.lab": {},
        "pc-3": {"golden_domain": {"name": "other.example"}, "golden_hostname": "pc-7"},
        "a-name-of-16-chrs": {},
        "10.20.0.7": {},
        "pc-4": {},
    }
    stage = Stage(tmp_path, {name: {"golden_domain": DOMAIN, **own} for name, own in hosts.items()})
    code, said = stage.play("deploy", options=["--check"])
    assert code == 2, said
    assert "pc-1, pc-2, pc-7.lab would all be pc-7 in lab.example" in said.replace("PC-7", "pc-7")
    assert "a-name-of-16-chrs would be named a-name-of-16-chrs" in said
    assert "10.20.0.7 would be named 10" in said
    assert sorted(call["name"] for call in stage.calls("ad_computer")) == ["pc-4", "pc-7"]


def test_tasks_of_ones_own_before_the_first_boot(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}})
    own = tmp_path / "own.yml"
    own.write_text("- {name: Mine, golden.fleet.os_file: {dest: /etc/mine}}\n")
    code, said = stage.play("deploy", deploy_before_tasks=str(own))
    assert code == 0, said
    done = [call["module"] for call in stage.calls("os_identity", "os_file", "deployed_marker", "wait_for_system")]
    assert done == ["os_identity", "os_file", "deployed_marker", "wait_for_system"]

    own.write_text("- {name: Mine, ansible.builtin.command: /bin/false}\n")
    code, said = stage.play("deploy", deploy_before_tasks=str(own))
    assert code == 2, said
    assert stage.records("pc-1")[1]["error"]["task"] == "Mine"
    assert len(stage.calls("deployed_marker")) == 1, "the next deploy would leave the disk as it is"

    stage.says("deployed_info", {"marker": {"digest": DIGEST}})
    code, said = stage.play("deploy", deploy_before_tasks=str(own))
    assert code == 0, said


def test_these_tasks_may_go_another_way(tmp_path: Path) -> None:
    """By an include, whose variables are as strong as those of the role. Those of a block are weaker."""
    stage = Stage(tmp_path, {"pc-1": {}})
    look = {"ansible.builtin.shell": f"echo ${{VIA_SSH:-no}} >>{tmp_path}/ways"}
    inside = {
        "ansible.builtin.include_tasks": "{{ inventory_dir }}/kiosk.yml",
        "vars": {"ansible_connection": "ansible.builtin.local"},
    }
    (tmp_path / "kiosk.yml").write_text(json.dumps([look]))
    (tmp_path / "own.yml").write_text(json.dumps([look, {"block": [inside], "always": [look]}]))
    code, said = stage.play("deploy", deploy_before_tasks=str(tmp_path / "own.yml"))
    assert code == 0, said
    assert (tmp_path / "ways").read_text().split() == ["yes", "no", "yes"]


def test_the_document_goes_this_way() -> None:
    text = (Path(__file__).parents[3] / "docs/deployed-root.md").read_text("utf-8")
    examples = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    tasks = [task for example in examples for task in all_tasks(example)]
    ways = [task for task in tasks if "ansible_connection" in task.get("vars", {})]
    assert ways
    assert all("ansible.builtin.include_tasks" in task for task in ways)


def all_tasks(example: t.Any) -> t.Iterator[dict[str, t.Any]]:
    for each in example if isinstance(example, list) else []:
        yield each
        for key in ("tasks", "block", "rescue", "always"):
            yield from all_tasks(each.get(key, []))
