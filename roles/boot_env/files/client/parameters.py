# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the imaging server tells this boot on the kernel's command line. Pure."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

_BOOTIF = re.compile(r"(?:01-)?((?:[0-9a-f]{2}[-:]){5}[0-9a-f]{2})")


class Parameters(t.NamedTuple):
    """
    :ivar checkin: the URL to check in at; empty: nobody wants to know.
    :ivar mac: of the network card that this machine booted from; empty: unknown.
    """

    checkin: str = ""
    token: str = ""
    mac: str = ""

    @property
    def server(self) -> str:
        """Name or address."""
        return urlsplit(self.checkin).hostname or ""

    @property
    def server_has_name(self) -> bool:
        return not re.fullmatch(r"[0-9.]+|.*:.*", self.server)


def parse(cmdline: str) -> Parameters:
    """From /proc/cmdline.

    :raises ValueError: the URL is none that a token may be sent to.
    """
    found = dict(word.partition("=")[::2] for word in cmdline.split())
    checkin = found.get("golden.checkin", "")
    if checkin and not (urlsplit(checkin).scheme == "https" and urlsplit(checkin).hostname):
        raise ValueError(f"golden.checkin={checkin} is no https:// address")
    booted = _BOOTIF.fullmatch(found.get("BOOTIF", "").lower())
    return Parameters(checkin, found.get("golden.token", ""), booted[1].replace("-", ":") if booted else "")
