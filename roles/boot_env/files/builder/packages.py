# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which packages a build consists of."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from .settings import Settings
from .tools import call

# Without it init-system-helpers asks for usrmerge, and that for all of Perl.
_MERGED_USR = "--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr"
_OF_THE_HOOK = {"usr-is-merged"}
# Documentation and translations; and the hook that would make the usual initramfs, while this one is made.
_NOT_UNPACKED = (
    "/usr/share/bash-completion/*",
    "/usr/share/bug/*",
    "/usr/share/doc/*",
    "/usr/share/doc-base/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/share/zsh/*",
    "/etc/kernel/postinst.d/initramfs-tools",
)
_INSTALLS = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", re.MULTILINE)


def resolve(settings: Settings, sources: t.Sequence[str]) -> dict[str, str]:
    """Names and versions of all packages that would be installed now, and of a few that in the end are not needed."""
    options = ("--simulate", "--verbose", settings.suite, "-", "-")
    return installs(call(*_mmdebstrap(settings), *options, stdin=_text(sources), log=True))


def installs(log: str) -> dict[str, str]:
    """From what apt-get says in a simulation."""
    return dict(sorted(_INSTALLS.findall(log)))


def install(settings: Settings, sources: t.Sequence[str], root: Path) -> dict[str, str]:
    """Install them.

    :returns: what is installed.
    """
    # Mounts in a namespace of their own are nobody else's, and go with the process.
    call("unshare", "--mount", *_mmdebstrap(settings), settings.suite, root, "-", stdin=_text(sources))
    listing = call("chroot", root, "dpkg-query", "--show", "--showformat", "${Package} ${Version}\n")
    return dict(sorted((name, version) for name, version in map(str.split, listing.splitlines())))


def agree(resolved: dict[str, str], installed: dict[str, str]) -> bool:
    """Whether what was installed is what was meant to be."""
    return all(resolved.get(name) == version for name, version in installed.items() if name not in _OF_THE_HOOK)


def _mmdebstrap(settings: Settings) -> list[str]:
    excludes = [f"--dpkgopt=path-exclude={path}" for path in _NOT_UNPACKED]
    include = f"--include={','.join(settings.every_package())}"
    return ["mmdebstrap", "--variant=essential", _MERGED_USR, *excludes, include]


def _text(sources: t.Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in sources)
