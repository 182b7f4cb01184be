# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.golden.fleet.tests.demo.report import Step, compared, table


def test_the_table() -> None:
    deploy = {
        "purpose": "deploy", "host": "pc-1", "firmware": "uefi", "outcome": "ok",
        "bytes": {"fetched": 165_000_000, "written": 731_000_000},
        "seconds": {"boot": 61.2, "work": 75, "back": 40, "all": 190},
    }  # fmt: skip
    failed = {
        "purpose": "deploy", "host": "pc-2", "firmware": None, "outcome": "failed",
        "bytes": None,
        "seconds": {"boot": None, "work": None, "back": None, "all": 900},
    }  # fmt: skip
    lines = table([Step("golden.fleet.deploy", 193.4, 8.24, 2)], [deploy, failed]).splitlines()
    assert " ".join(lines[2].split()) == "deploy pc-1 uefi 1 min 1 s 1 min 15 s 165.0 MB 731.0 MB 40 s 3 min 10 s"
    assert " ".join(lines[3].split()) == "deploy FAILED pc-2 15 min 0 s"
    assert lines[-1] == "golden.fleet.deploy: 3 min 13 s, of which the controller was busy for 4.1 s per machine"


def test_a_boot_compared_with_the_kernel_alone() -> None:
    record = {"host": "ref-pc", "seconds": {"boot": 60.3}}
    assert "ref-pc 60 s over the network, 2.0 times the 30 s" in compared(record, 30.1)
