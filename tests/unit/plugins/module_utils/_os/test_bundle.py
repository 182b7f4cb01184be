# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.bundle import pack, unpack


def test_a_folder_there_and_back(tmp_path: Path) -> None:
    folder, other = tmp_path / "drivers", tmp_path / "other"
    (folder / "net/deep").mkdir(parents=True)
    (folder / "net/deep/e1d.inf").write_bytes(b"[Version]" * 300_000)
    (folder / "empty").touch()
    (tmp_path / "shared").write_text("shared by many")
    (folder / "link").symlink_to("../shared")
    with (tmp_path / "bundle").open("wb") as file:
        pack(str(folder), file)
    other.mkdir()
    unpack(str(tmp_path / "bundle"), str(other))
    assert (other / "net/deep/e1d.inf").read_bytes() == b"[Version]" * 300_000
    assert (other / "link").read_text() == "shared by many"
    assert not (other / "link").is_symlink()
    assert sorted(path.name for path in other.rglob("*")) == ["deep", "e1d.inf", "empty", "link", "net"]


@pytest.mark.parametrize(("name", "kind"), [("../x", tarfile.REGTYPE), ("/x", tarfile.REGTYPE), ("x", tarfile.SYMTYPE)])
def test_what_nobody_has_packed(tmp_path: Path, name: str, kind: bytes) -> None:
    with tarfile.open(tmp_path / "bundle", "w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member, io.BytesIO())
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        unpack(str(tmp_path / "bundle"), str(tmp_path / "folder"))
    assert not list((tmp_path / "folder").iterdir())
