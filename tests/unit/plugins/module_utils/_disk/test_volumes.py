# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What blkid says of a volume."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._disk.volumes import parse_blkid

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def test_type_and_uuid() -> None:
    known = parse_blkid((TRANSCRIPTS / "blkid-2.38.1-ntfs").read_text())
    assert (known["TYPE"], known["UUID"], "LABEL" in known) == ("ntfs", "4F54187A3557B563", False)


def test_labels_come_without_the_shell_s_backslashes() -> None:
    assert parse_blkid((TRANSCRIPTS / "blkid-2.38.1-odd_label").read_text())["LABEL"] == 'my "root" $x'
    assert parse_blkid("LABEL=a\\\\b=c\n") == {"LABEL": "a\\b=c"}


def test_nothing_is_known_of_nothing() -> None:
    assert parse_blkid("") == {}
