# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Names that a computer can have."""

from __future__ import annotations

import re

from .._errors import UsageError

_LONGEST_NETBIOS = 15
_LONGEST = 64  # HOST_NAME_MAX of Linux
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def check_hostname(name: str) -> None:
    """:raises UsageError: it is none by RFC 1123, or longer than a Linux takes."""
    labels = name.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise UsageError(
            f"{name!r} cannot be the name of a computer: letters, digits and hyphens, no hyphen at the beginning or "
            "the end, at most 63 characters between two dots."
        )
    if labels[0].lower() == "localhost":
        raise UsageError(f"{name!r} cannot be the name of a computer: it is every computer's own.")
    if labels[-1].isdigit():
        raise UsageError(f"{name!r} cannot be the name of a computer: programs would take it for an address.")
    if len(name) > _LONGEST:
        raise UsageError(f"{name!r} cannot be the name of a computer: it is longer than {_LONGEST} characters.")


def check_linux_name(name: str, domain: str | None, allow_long: bool) -> None:
    """:param domain: what its full name ends in.
    :param allow_long: it will be no member of a domain.
    :raises UsageError: it makes no sense.
    """
    check_hostname(name)
    if domain is not None:
        check_hostname(f"{name.partition('.')[0]}.{domain}")
    try:
        check_computer_name(name)
    except UsageError as error:
        if not allow_long:
            raise UsageError(f"{error.message} If it never joins a domain: allow_long=true.") from error


def check_computer_name(name: str) -> None:
    """For a Windows, and for every member of a domain: of longer names, a domain sees the beginning only.

    :raises UsageError: it is no single label of at most 15 characters.
    """
    check_hostname(name)
    if "." in name:
        raise UsageError(f"{name!r} has a dot. Give the name of the computer alone; a domain is told by itself.")
    if len(name) > _LONGEST_NETBIOS:
        raise UsageError(
            f"{name!r} has {len(name)} characters. A Windows, and a domain, know computers by at most "
            f"{_LONGEST_NETBIOS}; two longer names could be the same one to them."
        )
