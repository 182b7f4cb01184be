# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links between the documents lead somewhere: files that exist, headings that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_TREE = Path(__file__).parents[3]
_DOCUMENTS = sorted([_TREE / "README.md", *_TREE.glob("docs/*.md"), *_TREE.glob("roles/*/README.md")])
_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _links(document: Path) -> list[str]:
    found = _LINK.findall(_CODE.sub("code", document.read_text("utf-8")))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def _anchors(document: Path) -> set[str]:
    """As GitHub makes them of headings: no punctuation, hyphens for blanks."""
    text = re.sub(r"^ *```.*?^ *```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: str(path.relative_to(_TREE)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in _links(document):
        path, _hash, anchor = link.partition("#")
        target = document.parent / path if path else document
        assert target.exists(), f"{link}: there is no such file"
        assert not anchor or anchor in _anchors(target), f"{link}: there is no such heading"


def test_there_are_links() -> None:
    assert len(_links(_TREE / "README.md")) > 5


def test_an_anchor_is_made_as_on_github(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# What's *new*, and `old`?\n\n```sh\n# no heading\n```\n## Host keys\n")
    assert _anchors(document) == {"whats-new-and-old", "host-keys"}
