# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The host name of a deployed Linux: /etc/hostname, and what /etc/hosts says of it."""

from __future__ import annotations

import re
import typing as t

from ..tree import Tree
from . import cloud_init
from .kind import is_debian
from .selinux import order_relabel

_NAME, _HOSTS = "/etc/hostname", "/etc/hosts"
_LOOPBACK = re.compile(r"127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1")
_OWN = "127.0.1.1"  # of Debian and its descendants: the host name, apart from localhost
_LINE = re.compile(r"(?P<before>[ \t]*)(?P<words>[^#\r\n]*?)(?P<after>[ \t]*(?:#[^\r\n]*)?\r?\n?)")


def apply(tree: Tree, name: str, domain: str | None, check: bool) -> dict[str, t.Any]:
    """Give it this name.

    :param domain: what the full name ends in; None if nobody needs one.
    :returns: changed, diff, hostname.
    """
    orders = cloud_init.order(tree.root, cloud_init.KEEP_NAME)
    before = {path: _text(tree, path) for path in (_NAME, _HOSTS, *orders)}
    old = hostname_in(before[_NAME] or "")
    own_line = is_debian(tree.root) or domain is not None
    hosts = before[_HOSTS]
    if hosts is None and own_line:
        hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    after = {
        **orders,
        _NAME: before[_NAME] if old == name else f"{name}\n",
        _HOSTS: None if hosts is None else named_hosts(hosts, old, full_names(name, domain), own_line),
    }
    changed = [path for path in after if after[path] != before[path]]
    if changed and not check:
        for path in changed:
            tree.root.write(path, (after[path] or "").encode("utf-8", "surrogateescape"))
        order_relabel(tree.root)
    diff = [
        {"before_header": path, "after_header": path, "before": before[path] or "", "after": after[path] or ""}
        for path in changed
    ]
    return {"changed": bool(changed), "diff": diff, "hostname": name}


def hostname_in(text: str) -> str | None:
    """What a /etc/hostname says: its first line that is no comment."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return line.strip()
    return None


def full_names(name: str, domain: str | None) -> list[str]:
    """As /etc/hosts has them: the full name, if there is one, and the short one."""
    if domain and "." not in name:
        return [f"{name}.{domain}", name]
    return [name, name.partition(".")[0]] if "." in name else [name]


def named_hosts(text: str, old: str | None, names: list[str], own_line: bool) -> str:
    """The text of /etc/hosts with these names, in the order given, for this computer.

    Lines of other addresses than those of this computer stay as they are, and so do aliases that are no old name.

    :param old: the host name before.
    :param own_line: the names have a line of their own; it is added where there is none.
    """
    if old and old.partition(".")[0].lower() == "localhost":
        old = None
    lines = [_renamed(line, old, names) for line in text.splitlines(keepends=True)]
    if own_line and not any(_words(line)[:1] == [_OWN] and names[0] in _words(line)[1:] for line in lines):
        at = next((number for number, line in enumerate(lines, 1) if _words(line)[:1] == ["127.0.0.1"]), 0)
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += "\n"
        lines.insert(at, f"{_OWN}\t{' '.join(names)}\n")
    return "".join(lines)


def _renamed(line: str, old: str | None, names: list[str]) -> str:
    """A line of this computer; a name stays where it was: some distributions have it beside localhost."""
    words = _words(line)
    if not words or not _LOOPBACK.fullmatch(words[0]):
        return line
    mine = [word for word in words[1:] if word in names or (old and _is_of(word, old))]
    others = [word for word in words[1:] if word not in mine]
    if not mine:
        return line
    return _with_names(line, [*names, *others] if words[0] == _OWN else [*others, *names])


def _is_of(word: str, old: str) -> bool:
    short = old.partition(".")[0].lower()
    return word.lower() == short or word.lower().startswith(f"{short}.")


def _with_names(line: str, names: list[str]) -> str:
    found = _LINE.fullmatch(line)
    if not found or _words(line)[1:] == names:
        return line
    address, gap = re.match(r"(\S+)(\s*)", found["words"]).groups()  # type: ignore[union-attr]
    return f"{found['before']}{address}{gap or ' '}{' '.join(names)}{found['after']}"


def _words(line: str) -> list[str]:
    return line.partition("#")[0].split()


def _text(tree: Tree, path: str) -> str | None:
    data = tree.root.read(path)
    return None if data is None else data.decode("utf-8", "surrogateescape")
