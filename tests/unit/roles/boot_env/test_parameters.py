# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel's command line tells the client."""

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import BootEnv, grub_file, new_entry
from ansible_collections.golden.fleet.roles.boot_env.files.client.parameters import Parameters, parse


def test_understands_what_an_entry_says() -> None:
    entry = new_entry("52:54:00:aa:bb:cc", "pc-1", "boot_env", 1, 60, {})
    env = BootEnv("d1", "http://10.0.0.1", "https://10.0.0.1/checkin", "console=tty0 quiet")
    line = next(line for line in grub_file(entry, env).splitlines() if line.startswith("linux"))
    assert parse(line) == Parameters("https://10.0.0.1/checkin", entry.token, "52:54:00:aa:bb:cc")


@pytest.mark.parametrize(
    ("word", "mac"),
    [
        ("BOOTIF=01-52-54-00-AA-BB-CC", "52:54:00:aa:bb:cc"),
        ("BOOTIF=52:54:00:aa:bb:cc", "52:54:00:aa:bb:cc"),
        ("BOOTIF=", ""),
        ("BOOTIF=../../etc", ""),
        ("", ""),
    ],
)
def test_card_that_it_booted_from(word: str, mac: str) -> None:
    assert parse(f"quiet {word} panic=30").mac == mac


def test_nobody_may_want_a_check_in() -> None:
    assert parse("quiet") == Parameters()


@pytest.mark.parametrize("url", ["http://10.0.0.1/checkin", "https:///checkin", "10.0.0.1"])
def test_token_goes_over_tls_only(url: str) -> None:
    with pytest.raises(ValueError, match="no https:// address"):
        parse(f"golden.checkin={url} golden.token=t")


@pytest.mark.parametrize(
    ("url", "named"),
    [("https://imaging.example/checkin", True), ("https://10.0.0.1:8443/c", False), ("https://[fd00::1]/c", False)],
)
def test_knows_names_from_addresses(url: str, named: bool) -> None:
    assert parse(f"golden.checkin={url}").server_has_name is named
