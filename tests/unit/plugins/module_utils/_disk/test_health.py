# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a filesystem is fit to be captured, judged from what its tools say."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk import health

Judge = t.Callable[[str], t.Optional[str]]
TRANSCRIPTS = Path(__file__).parent / "transcripts"


def said(name: str) -> str:
    return (TRANSCRIPTS / name).read_text()


@pytest.mark.parametrize(
    ("judge", "transcript"),
    [
        (health.ext_problem, "dumpe2fs-1.47.0-clean"),
        (health.xfs_problem, "xfs_logprint-6.1.0-clean"),
        (health.btrfs_problem, "btrfs-6.2-clean"),
        (health.f2fs_problem, "dump.f2fs-1.15.0-clean"),
    ],
)
def test_clean_filesystems_are_fit_and_silence_is_not(judge: Judge, transcript: str) -> None:
    assert judge(said(transcript)) is None
    assert judge("") is not None


@pytest.mark.parametrize(
    ("judge", "transcript", "reason"),
    [
        (health.ext_problem, "dumpe2fs-1.47.0-needs_recovery", "journal"),
        (health.ext_problem, "dumpe2fs-1.47.0-errors", "not clean with errors"),
        (health.xfs_problem, "xfs_logprint-6.1.0-dirty", "log"),
        (health.btrfs_problem, "btrfs-6.2-log", "log"),
        (health.btrfs_problem, "btrfs-6.2-two_devices", "several devices"),
        (health.f2fs_problem, "dump.f2fs-1.15.0-not_unmounted", "not unmounted"),
    ],
)
def test_unfit_filesystems(judge: Judge, transcript: str, reason: str) -> None:
    assert reason in str(judge(said(transcript)))


def test_hfsplus() -> None:
    """Headers as mkfs.hfsplus (with a journal too) and a Linux that has it mounted leave them."""
    assert health.hfsplus_problem(b"H+\0\4\x80\0\1\0") is None
    assert health.hfsplus_problem(b"HX\0\5\x80\0\x21\0") is None
    assert "not unmounted" in str(health.hfsplus_problem(b"H+\0\4\x80\0\x08\0"))
    assert "not unmounted" in str(health.hfsplus_problem(b"H+\0\4\x80\0\x09\0"))
    assert "inside an HFS" in str(health.hfsplus_problem(b"BD\0\0\0\0\1\0"))
    assert health.hfsplus_problem(b"") is not None


def test_ntfs() -> None:
    clean, dirty = said("ntfsinfo-2022.10.3-clean"), said("ntfsinfo-2022.10.3-dirty")
    assert health.ntfs_problem(0, clean) is None
    assert "marked dirty" in str(health.ntfs_problem(0, dirty))
    assert "Fast Startup" in str(health.ntfs_problem(14, clean))
    assert "journal" in str(health.ntfs_problem(15, clean))
    assert "damaged" in str(health.ntfs_problem(13, clean))
    assert "ntfsinfo" in str(health.ntfs_problem(0, ""))
