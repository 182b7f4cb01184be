# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.fstab import (
    Entry,
    Filesystem,
    named,
    parse_fstab,
    root_of,
)
from hypothesis import given
from hypothesis import strategies as st

ESP = Filesystem("1", "/dev/loop0", "vfat", "BADD-CAFE", "ESP", "5C1D5E5F-0000-4000-8000-000000000001", "EFI", True)
ROOT = Filesystem("2", "/dev/loop1", "ext4", "0f0e0d0c-0000-4000-8000-000000000002", "the root", "1234abcd-02")
HOME = Filesystem("vg-0/home", "/dev/mapper/vg--0-home", "xfs", "0f0e0d0c-0000-4000-8000-000000000003", "home")
EVERY = [ESP, ROOT, HOME]


def test_what_belongs_into_the_tree() -> None:
    text = r"""
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=1 /      ext4 errors=remount-ro 0 1
UUID=2 /var/log ext4 defaults
UUID=3 /var   btrfs rw,subvol=/@var,compress=zstd 0 0
LABEL=a\040b /srv/a\040b auto nofail 0 2
/dev/sdb1 /media/usb0 auto noauto,user 0 0
UUID=4 none swap sw 0 0
UUID=5 swap swap sw 0 0
tmpfs /tmp tmpfs nosuid 0 0
server:/home /home nfs defaults 0 0
proc /proc proc defaults
/swapfile none swap sw
UUID=6 relative ext4
UUID=7
"""
    assert parse_fstab(text) == [
        Entry("UUID=3", "/var", "btrfs", "subvol=/@var"),
        Entry("UUID=2", "/var/log", "ext4"),
        Entry("LABEL=a b", "/srv/a b", "auto", optional=True),
        Entry("/dev/sdb1", "/media/usb0", "auto", optional=True),
    ]
    assert root_of(text) == "UUID=1"
    assert root_of("") == ""


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("UUID=badd-cafe", ESP),
        ('UUID="BADD-CAFE"', ESP),
        ("LABEL=the root", ROOT),
        ("LABEL=The Root", None),
        ("PARTUUID=5c1d5e5f-0000-4000-8000-000000000001", ESP),
        ("PARTUUID=1234ABCD-02", ROOT),
        ("PARTLABEL=EFI", ESP),
        ("UUID=", None),
        ("LABEL=", None),
        ("/dev/disk/by-uuid/BADD-CAFE", ESP),
        (r"/dev/disk/by-label/the\x20root", ROOT),
        ("/dev/disk/by-partlabel/EFI", ESP),
        ("/dev/disk/by-label/a=b", None),
        ("/dev/disk/by-id/ata-Disk-part1", None),
        ("/dev/mapper/vg--0-home", HOME),
        ("/dev/vg-0/home", HOME),
        ("/dev/mapper/luks-1234", None),
        ("/dev/mapper/a/b/c", None),
        ("/dev/sda1", ESP),
        ("/dev/sda3", None),
        ("/dev/sdb1", None),
    ],
)
def test_which_one_is_meant(source: str, found: Filesystem | None) -> None:
    assert named(source, EVERY, ("/dev/sda2", ROOT)) == found


@pytest.mark.parametrize(
    ("root", "boot"),
    [("/dev/nvme0n1p2", "/dev/nvme0n1p1"), ("/dev/mmcblk0p2", "/dev/mmcblk0p1"), ("/dev/vda2", "/dev/vda1")],
)
def test_names_of_partitions_mean_those_of_the_disk_that_the_root_is_on(root: str, boot: str) -> None:
    assert named(boot, EVERY, (root, ROOT)) == ESP
    assert named(boot, EVERY, (root.replace("2", "1"), ROOT)) is None, "the root is the second partition"
    assert named(boot, EVERY, ("UUID=1", ROOT)) is None, "nothing tells which disk that was"


def test_a_comment_of_debians_installer_is_not_what_the_root_is_called() -> None:
    assert root_of("# / was on /dev/sda2 during installation\n/dev/sda2 / ext4 defaults 0 1\n") == "/dev/sda2"


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    for entry in parse_fstab(text):
        named(entry.source, EVERY, (root_of(text), ROOT))


@given(st.text().filter(lambda text: not text.startswith("#") and text.strip()), st.text())
def test_no_source_is_too_odd(source: str, root: str) -> None:
    for entry in parse_fstab(f"/dev/{source} /x auto\nLABEL={source} /y auto"):
        named(entry.source, EVERY, (f"/dev/{root}", ROOT))
