# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._netboot.report import LONGEST, decode
from ansible_collections.golden.fleet.tests.support.checkins import REPORT


def encoded(**changes: t.Any) -> bytes:
    return json.dumps({**REPORT, **changes}).encode()


def test_a_report() -> None:
    report = decode(encoded())
    assert report.macs == ("52:54:00:aa:bb:cc",)
    assert report.addresses[0] == "10.77.0.50"
    assert report.secure_boot is None
    assert report.disks[0]["size"] == 2 << 30


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"macs": "52:54:00:aa:bb:cc"},
        {"macs": ["no address"]},
        {"macs": ["52:54:00:aa:bb:cc"] * 65},
        {"addresses": ["$(reboot)"]},
        {"ssh_host_key": "ssh-ed25519 AAAA\nother-host ssh-rsa BBBB"},
        {"ssh_host_key": "@cert-authority * ssh-ed25519 AAAA"},
        {"dmi": {"vendor": "Dell Inc."}},
        {"dmi": {"vendor": "a\x1b[2J", "model": "", "serial": "", "uuid": ""}},
        {"firmware": "coreboot"},
        {"secure_boot": "yes"},
        {"memory": 1.5},
        {"memory": True},
        {"disks": [{"size": -1}]},
        {"boot_env": ["a"]},
    ],
)
def test_what_is_no_report(changes: dict[str, t.Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(encoded(**changes))


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"\xff", b"[" * 60000, b'{"version": 1, "version": 1}', b" " * (LONGEST + 1), b"{}", b"null"],
)
def test_what_is_not_even_an_object(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(data)
