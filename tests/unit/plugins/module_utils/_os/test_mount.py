# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.golden.fleet.plugins.module_utils._os.mount import mounts_at, parse_mountinfo

MOUNTINFO = rb"""22 29 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
90 29 7:0 / /run/golden.fleet/os/srv/data\040of\134all rw,nosuid shared:40 - xfs /dev/loop0 rw,nouuid
91 29 7:1 /@home /mnt/caf\303\251 rw - btrfs /dev/loop1 rw,subvol=/@home
"""


def test_mount_points() -> None:
    assert parse_mountinfo(MOUNTINFO) == ["/proc", "/", "/run/golden.fleet/os/srv/data of\\all", "/mnt/café"]


def test_what_only_begins_alike_is_elsewhere() -> None:
    assert "/proc" in mounts_at("/proc")
    assert mounts_at("/pro") == []
