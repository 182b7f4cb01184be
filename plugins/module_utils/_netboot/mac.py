# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. MAC addresses in one form, whatever form somebody wrote them in."""

from __future__ import annotations

import re

from .._errors import UsageError
from .._libraries import need

# Of the forms that netaddr reads, those that people write; it makes an address of 12:34:56, too.
_FORM = re.compile(
    r"[0-9a-f]{12}|[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\1[0-9a-f]{1,2}){4}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}", re.IGNORECASE
)


def normal_mac(text: str) -> str:
    """``52:54:00:aa:bb:cc``, from any of the usual forms.

    :raises UsageError: it is none, or no single computer can have it.
    """
    netaddr = need("netaddr")
    try:
        if not isinstance(text, str) or not _FORM.fullmatch(text.strip()):
            raise ValueError("another form")
        found = netaddr.EUI(text.strip(), version=48)
    except (netaddr.AddrFormatError, ValueError, TypeError) as error:
        raise UsageError(
            f"{text!r} is no MAC address. Write six pairs of hexadecimal digits, such as 52:54:00:12:34:56; "
            "in YAML between quotes, or it may be read as a number."
        ) from error
    if not int(found) or found.words[0] & 1:
        raise UsageError(f"{text!r} is the address of no single network card: it is zero, or a group address.")
    found.dialect = netaddr.mac_unix_expanded
    return str(found)


def with_hyphens(mac: str) -> str:
    """As iPXE and file names have it."""
    return mac.replace(":", "-")
