# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import identify


@pytest.mark.parametrize(
    ("files", "family"),
    [
        (("usr/lib/os-release", "etc/fstab"), "linux"),
        # It finds its partitions by their types, as systemd does.
        (("etc/os-release", "etc/passwd"), "linux"),
        # The partition of something that starts others.
        (("etc/os-release",), None),
        (("windows/system32/CONFIG/system",), "windows"),
        ((), None),
    ],
)
def test_what_is_a_system(tmp_path: Path, files: tuple[str, ...], family: str | None) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("ID=some\n")
    found = identify(Root(str(tmp_path)))
    assert (found.family if found else None) == family
