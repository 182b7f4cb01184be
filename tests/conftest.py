# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes ``ansible_collections.golden.fleet`` importable from this tree, whatever the tree is called."""

from __future__ import annotations

import os
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent


def link_tree(tree: Path) -> Path:
    """Link the tree to where a collection must lie, and return the folder to import it from.

    A link that is already right is left alone: several test runs share it.
    """
    root = tree / ".cache"
    link = root / "ansible_collections" / "golden" / "fleet"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not (link.exists() and link.samefile(tree)):
        link.unlink(missing_ok=True)
        link.symlink_to(tree)
    return root


def _importable() -> None:
    if TREE.parent.name == "golden" and TREE.parent.parent.name == "ansible_collections":
        root = TREE.parent.parent.parent
    else:
        root = link_tree(TREE)
    sys.path.insert(0, str(root))


_importable()
# Keeps the examples that failed out of the tree that is built.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(TREE / ".cache" / "hypothesis"))
