# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of an imaging server whose disk is full."""

from __future__ import annotations

import contextlib
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import NetbootError, NetbootRefused
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import BOOT_ENV, BootEnv, new_entry
from ansible_collections.golden.fleet.plugins.module_utils._netboot.folder import NetbootFolder
from ansible_collections.golden.fleet.plugins.module_utils._netboot.report import decode
from ansible_collections.golden.fleet.tests.support.checkins import REPORT, make_netboot

MAC = "52:54:00:aa:bb:cc"
ENV = BootEnv("d" * 64, "http://10.77.0.1", "https://10.77.0.1/checkin", "")


@contextlib.contextmanager
def full(folder: Path) -> t.Iterator[None]:
    """A filesystem there that takes nothing any more."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], check=True)
    try:
        (folder / "full").write_bytes(b"x" * 4096)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("kind", ["entries", "grub", "ipxe"])
def test_nothing_is_left_of_an_entry_that_could_not_be_made(tmp_path: Path, kind: str) -> None:
    folder = make_netboot(tmp_path)
    with full(tmp_path / "netboot" / kind):
        with pytest.raises(NetbootError, match="No space left"):
            folder.put(new_entry(MAC, "pc-1", BOOT_ENV, 1, 600, {}), ENV)
        left = [path.name for path in (tmp_path / "netboot").rglob("*") if path.is_file()]
    assert left == ["full"]


def test_a_check_in_is_refused_although_that_cannot_be_noted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = decode(json.dumps(REPORT).encode())
    make_netboot(tmp_path)
    with full(tmp_path / "netboot"):
        for name in ("entries", "checkins"):
            (tmp_path / "netboot" / name).mkdir()
        with pytest.raises(NetbootRefused, match="no entry has this token"):
            NetbootFolder(tmp_path / "netboot").consume("wrong", report, "10.77.0.50", 1)
    assert "No space left" in capfd.readouterr().err


def test_a_check_in_that_cannot_be_kept_may_be_repeated(tmp_path: Path) -> None:
    folder, report = make_netboot(tmp_path), decode(json.dumps(REPORT).encode())
    entry = new_entry(MAC, "pc-1", BOOT_ENV, 1, 600, {})
    folder.put(entry, ENV)
    with full(tmp_path / "netboot" / "checkins"), pytest.raises(NetbootError, match="No space left"):
        folder.consume(entry.token, report, "10.77.0.50", 2)
    assert folder.consume(entry.token, report, "10.77.0.50", 3).id == entry.id
