# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. LDIF (RFC 2849): what the programs of OpenLDAP print and read. Pure."""

from __future__ import annotations

import base64
import typing as t

Entry = t.Dict[str, t.List[str]]  # noqa: UP006  # evaluated at run time


def parse(text: str) -> list[Entry]:
    """Entries, with the names of their attributes in lower case; dn is one of them.

    Lines must not be wrapped.
    """
    found = (_entry(block.splitlines()) for block in text.split("\n\n"))
    return [entry for entry in found if "dn" in entry]


def record(dn: str, *lines: tuple[str, str | bytes]) -> str:
    """A record that ldapmodify reads. Each value is encoded, so that none can be taken for something else."""
    return "".join(f"{line}\n" for line in (_line("dn", dn), *(_line(*line) for line in lines)))


def _entry(lines: list[str]) -> Entry:
    found: Entry = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            found.setdefault(name.lower(), []).append(_value(value))
    return found


def _value(text: str) -> str:
    if text.startswith(":"):
        return base64.b64decode(text[1:].strip()).decode("utf-8", "replace")
    return text.strip()


def _line(name: str, value: str | bytes) -> str:
    # What steers ldapmodify is no value of an attribute, and may not be encoded.
    if name in {"changetype", "replace", "-"}:
        return f"{name}: {value!s}" if value else name
    data = value if isinstance(value, bytes) else value.encode()
    return f"{name}:: {base64.b64encode(data).decode('ascii')}"
