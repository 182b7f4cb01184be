# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.hostname import apply, full_names, named_hosts
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, Tree
from hypothesis import given
from hypothesis import strategies as st

DEBIAN = """\
127.0.0.1\tlocalhost
127.0.1.1\treference.old.example\treference printer # ours
# 127.0.1.1 reference
::1     localhost ip6-localhost ip6-loopback
192.168.1.5 reference reference.lab
"""
FEDORA = """\
127.0.0.1   localhost localhost.localdomain reference
::1         localhost localhost.localdomain"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("# named by hand\nreference\n")
    (tmp_path / "etc/hosts").write_text(DEBIAN)
    (tmp_path / "etc/debian_version").write_text("12.9\n")
    return Tree(Root(str(tmp_path)), LINUX, {})


def test_full_names() -> None:
    assert full_names("pc-1", None) == ["pc-1"]
    assert full_names("pc-1", "lab.example") == ["pc-1.lab.example", "pc-1"]
    assert full_names("pc-1.lab.example", None) == ["pc-1.lab.example", "pc-1"]


def test_hosts_of_a_debian() -> None:
    after = named_hosts(DEBIAN, "reference", ["pc-1.lab.example", "pc-1"], own_line=True)
    assert after == DEBIAN.replace(
        "127.0.1.1\treference.old.example\treference printer", "127.0.1.1\tpc-1.lab.example pc-1 printer"
    )
    assert named_hosts(after, "pc-1", ["pc-1.lab.example", "pc-1"], own_line=True) == after
    bare = "127.0.0.1 localhost"
    assert named_hosts(bare, "reference", ["pc-1"], own_line=True) == "127.0.0.1 localhost\n127.0.1.1\tpc-1\n"
    assert named_hosts("", None, ["pc-1"], own_line=True) == "127.0.1.1\tpc-1\n"


def test_hosts_of_others() -> None:
    after = named_hosts(FEDORA, "reference", ["pc-1"], own_line=False)
    assert after == FEDORA.replace("localdomain reference", "localdomain pc-1")
    for nameless in ("localhost", "localhost.localdomain", None):
        assert named_hosts(FEDORA, nameless, ["pc-1"], own_line=False) == FEDORA


@given(st.text(alphabet=st.sampled_from("127.0:# \tlocahstpn-\r\n\x0b"), max_size=200), st.booleans())
def test_it_is_done_once_and_leaves_the_rest(text: str, own_line: bool) -> None:
    names = ["pc-1.lab.example", "pc-1"]
    after = named_hosts(text, "host", names, own_line)
    assert named_hosts(after, "pc-1", names, own_line) == after
    others = [line for line in text.splitlines() if not line.split("#")[0].split()[:1] or "127" not in line]
    assert [line for line in after.splitlines() if line in others] == others


def test_a_tree(tree: Tree, tmp_path: Path) -> None:
    would = apply(tree, "pc-1", None, check=True)
    assert would["changed"]
    assert (tmp_path / "etc/hosts").read_text() == DEBIAN
    assert apply(tree, "pc-1", None, check=False) == would
    assert (tmp_path / "etc/hostname").read_text() == "pc-1\n"
    assert "127.0.1.1\tpc-1 printer # ours\n" in (tmp_path / "etc/hosts").read_text()
    again = apply(tree, "pc-1", None, check=False)
    assert (again["changed"], again["diff"]) == (False, [])
    assert not (tmp_path / ".autorelabel").exists()


def test_a_tree_with_nothing(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "etc/hosts").unlink()
    (tmp_path / "etc/hostname").unlink()
    (tmp_path / "etc/selinux").mkdir()
    (tmp_path / "etc/selinux/config").write_text("# SELINUX= can be\nSELINUX=enforcing\nSELINUXTYPE=targeted\n")
    assert apply(tree, "pc-1", None, check=False)["changed"]
    assert "127.0.0.1\tlocalhost\n127.0.1.1\tpc-1\n" in (tmp_path / "etc/hosts").read_text()
    assert (tmp_path / ".autorelabel").exists(), "new files have no label"


def test_a_trap(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "etc/hosts").unlink()
    os.mkfifo(tmp_path / "etc/hosts")
    with pytest.raises(OsError, match=r"/etc/hosts of the deployed system is no plain file"):
        apply(tree, "pc-1", None, check=False)
    assert "reference" in (tmp_path / "etc/hostname").read_text()


def test_cloud_init_leaves_the_name_alone(tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "etc/cloud").mkdir()
    (tmp_path / "etc/cloud/cloud.cfg").write_text("preserve_hostname: false\n")
    assert apply(tree, "pc-1", None, check=False)["changed"]
    order = tmp_path / "etc/cloud/cloud.cfg.d/zz-golden-hostname.cfg"
    assert order.read_text().splitlines()[-1] == "preserve_hostname: true"
    assert not apply(tree, "pc-1", None, check=False)["changed"]
