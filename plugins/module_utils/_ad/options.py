# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a user says about a domain, and who asks it."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .._errors import UsageError
from .names import check_domain
from .session import Login


def login_of(params: t.Mapping[str, t.Any]) -> Login:
    """From the options of DOMAIN_SPEC.

    :raises UsageError: they make no sense, or a file of theirs cannot be read.
    """
    return Login(
        domain=check_domain(params["domain"]),
        server=params["domain_server"] or "",
        username=params["domain_username"] or "",
        password=_password(params),
        keytab=params["domain_keytab"] or "",
        ticket_cache=params["domain_ticket_cache"] or "",
    )


def _password(params: t.Mapping[str, t.Any]) -> str:
    path = params["domain_password_file"]
    if not path:
        return params["domain_password"] or ""
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"domain_password_file {path} cannot be read: {error}.") from error
