# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where packages come from: mirrors that were given, or those that this host itself uses."""

from __future__ import annotations

import re
import typing as t

from .settings import Settings
from .tools import BuildFailed, call

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FORMAT = "$(ORIGIN)|$(CODENAME)|$(REPO_URI)"
_CODENAME = re.compile(r"[a-z]+(|-updates|-security)")


def sources(settings: Settings) -> list[str]:
    """Lines as sources.list has them.

    :raises BuildFailed: no mirror is known.
    """
    if settings.mirrors:
        return settings.mirrors
    listing = call("apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages")
    found = sources_of(listing, settings.suite, settings.components)
    if not found:
        raise BuildFailed(
            "No Debian mirror is among the apt sources of this build host, or its package lists were never fetched. "
            'Run "apt-get update" on it, or give mirrors in the variable boot_env_mirrors.'
        )
    return found


def sources_of(listing: str, suite: str, components: t.Sequence[str]) -> list[str]:
    """The suite from the mirrors of Debian that apt knows, also if the host itself runs another release."""
    found: list[str] = []
    for line in listing.splitlines():
        origin, codename, address = line.split("|", 2)
        part = _CODENAME.fullmatch(codename)
        if origin == "Debian" and part and not address.startswith("cdrom:"):
            found.append(f"deb [signed-by={_KEYRING}] {address} {suite}{part[1]} {' '.join(components)}")
    return list(dict.fromkeys(found))
