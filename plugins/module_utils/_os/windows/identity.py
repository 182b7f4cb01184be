# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What tells a deployed Windows apart from its reference computer, as far as that can be done offline."""

from __future__ import annotations

import typing as t

from ..tree import Tree
from .facts import is_generalized
from .hive import Edit, change, read_keys

_DRIVES = "MountedDevices"
_UPDATES = r"Microsoft\Windows\CurrentVersion\WindowsUpdate"
# By these a WSUS server takes all copies for one computer; Windows makes new ones.
_UPDATE_IDS = ("SusClientId", "SusClientIdValidation", "PingID", "AccountDomainSid")
_MACHINE_ACCOUNT = r"Policy\Secrets\$MACHINE.ACC"


def apply(tree: Tree, check: bool) -> dict[str, t.Any]:
    """Take away what belongs to the reference computer alone: drive letters of its disks, its name at WSUS.

    :returns: changed, diff, notes: what stays, because only sysprep takes it away.
    """
    root = tree.root
    (drives,) = read_keys(root, "SYSTEM", _DRIVES)
    system = change(root, "SYSTEM", [Edit(_DRIVES, name, None) for name in drives or ()], check)
    software = change(root, "SOFTWARE", [Edit(_UPDATES, name, None) for name in _UPDATE_IDS], check)
    return {
        "changed": system["changed"] or software["changed"],
        "diff": {side: {**system["diff"][side], **software["diff"][side]} for side in ("before", "after")},
        "notes": [] if is_generalized(root) else list(_notes(tree)),
    }


def _notes(tree: Tree) -> t.Iterator[str]:
    yield "It is not generalized: its security identifier, and those of its users, are the reference computer's."
    (account,) = read_keys(tree.root, "SECURITY", rf"{_MACHINE_ACCOUNT}\CurrVal")
    if account:
        yield (
            "It is a member of a domain by the reference computer's account, whose password is in it. Let it leave the "
            "domain, or generalize it, before it is captured."
        )
