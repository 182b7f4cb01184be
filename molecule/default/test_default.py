# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scenario must have left on the machine."""

from __future__ import annotations

import os

import testinfra

WORK = os.environ["WORK"]
MACHINE = testinfra.get_host("local://")


def test_role_left_an_interpreter_with_the_libraries() -> None:
    assert MACHINE.check_output(f"{WORK}/venv/bin/python -c 'import blake3, requests, zstandard; print(1)'") == "1"


def test_applied_disk_has_the_partition_and_a_clean_filesystem() -> None:
    partition = MACHINE.check_output(f"sfdisk --dump {WORK}/target.img")
    assert 'name="root"' in partition
    assert MACHINE.run(f"e2fsck -fn '{WORK}/target.img?offset=1048576'").rc == 0


def test_backup_header_is_at_the_end_of_the_bigger_disk() -> None:
    disk = MACHINE.file(f"{WORK}/target.img")
    assert MACHINE.check_output(f"tail -c 512 {disk.path} | head -c 8") == "EFI PART"


def test_files_are_the_same() -> None:
    for name in ("GPL-3", "Apache-2.0"):
        applied = MACHINE.check_output(f"debugfs -R 'cat /{name}' '{WORK}/target.img?offset=1048576' 2>/dev/null")
        assert applied == MACHINE.file(f"/usr/share/common-licenses/{name}").content_string.rstrip("\r\n")
