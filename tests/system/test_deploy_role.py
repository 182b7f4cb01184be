# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role deploy: what it does in which order, and what it says when something fails."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.support.staged import DIGEST, Stage

DOMAIN = {"name": "lab.example", "ou": "OU=Lab A,DC=lab,DC=example"}



def test_hosts_do_not_get_into_one_another(tmp_path: Path) -> None:
    stage = Stage(tmp_path, {"pc-1": {}, "pc-2": {}})
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 0, said
    assert "canary" not in said
    assert sorted(call["name"] for call in stage.calls("os_hostname")) == ["pc-1", "pc-2"]
    assert len(stage.calls("ad_computer")) == 2
    for host in ("pc-1", "pc-2"):
        (record,) = stage.records(host)
        assert (record["outcome"], record["image"], record["digest"], record["bytes"]) == ("ok", "lab-a:1", DIGEST, 7)


def test_a_server_that_is_lost_in_the_middle(tmp_path: Path) -> None:
    """The machine waits with its disk written: it is not forgotten there."""
    stage = Stage(tmp_path, {"pc-1": {}})
    stage.says("os_mount", {"_touch": [str(stage.cut_server)]})
    stage.program("systemd-run", f"#!/bin/sh\ntouch {tmp_path}/sent-back\n")
    code, said = stage.play("deploy", golden_domain=DOMAIN)
    assert code == 2, said
    assert (tmp_path / "sent-back").exists()
    assert "failed=1" in said
    assert "account | Stop where it cannot be prepared: imaging cannot be reached" in said
    assert not stage.calls("os_domain_join", "deployed_marker")


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
    assert [call["reuse"] for call in stage.calls("ad_computer")] == [False, True]
    assert [call["erase"] for call in stage.calls("image_apply")] == [False, True]
    assert [each["verify"]["outcome"] for each in stage.records("pc-1")] == ["failed", "failed"]
