# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Who may become root on a deployed Linux: by a group that its sudo trusts, or a rule of our own."""

from __future__ import annotations

import re
import stat
import typing as t

from ..beneath import Root
from .records import find

_FILES = ("/etc/sudoers", "/usr/etc/sudoers")
_FOLDERS = ("/etc/sudoers.d", "/usr/etc/sudoers.d")
ADMIN_GROUPS = ("sudo", "wheel")
# To do everything: (ALL) NOPASSWD: ALL.
_TRUSTED = re.compile(
    r"^[ \t]*%(sudo|wheel)[ \t]+ALL[ \t]*=[ \t]*(?:\([^)\n]*\)[ \t]*)?(?:[A-Z_]+:[ \t]*)*ALL\b", re.MULTILINE
)


class Way(t.NamedTuple):
    """How somebody becomes an administrator.

    :ivar group: to be in; None if there is none.
    :ivar rule: a rule of one's own is needed, too.
    :ivar installed: there is a sudo.
    """

    group: str | None
    rule: bool
    installed: bool


def way(root: Root, group_text: str) -> Way:
    """As this system has it."""
    texts = [root.read(path) for path in _FILES]
    installed = any(text is not None for text in texts)
    paths = [f"{folder}/{name}" for folder in _FOLDERS for name in root.names(folder) if _counts(name)]
    texts += [root.read(path) for path in paths if (info := root.info(path)) and stat.S_ISREG(info.st_mode)]
    return way_in(b"\n".join(filter(None, texts)).decode("utf-8", "replace"), group_text, installed)


def way_in(rules: str, group_text: str, installed: bool) -> Way:
    """:param rules: what sudo is told.
    :param group_text: of /etc/group.
    """
    groups = [name for name in ADMIN_GROUPS if find(group_text, name)]
    trusted = [name for name in groups if name in _TRUSTED.findall(rules)]
    group = next(iter([*trusted, *groups]), None)
    return Way(group, rule=group is None or (installed and not trusted), installed=installed)


def rule_path(user: str) -> str:
    """Of the rule for one user; sudo takes no file with a dot in its name."""
    return f"/etc/sudoers.d/golden-{user.replace('.', '%2e')}"


def rule_for(user: str) -> bytes:
    """With the own password, also where sudo asks for that of root."""
    name = user if user.islower() else f'"{user}"'  # TEACHERS could be an alias
    return f"Defaults:{name} !targetpw\n{name} ALL=(ALL:ALL) ALL\n".encode()


def _counts(name: str) -> bool:
    return "." not in name and not name.endswith("~")
