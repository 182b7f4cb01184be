# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a user says about how a machine is switched."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .._errors import UsageError
from .._units import parse_duration


@dataclass(frozen=True)
class PowerOptions:
    """Options of the module power. Each provider looks at its own. The repr holds no secret.

    :ivar address: host name or address of the management controller, or of the machine; a URL where that is spoken.
    :ivar timeout: seconds within which what was asked for must have happened.
    """

    provider: str
    address: str = ""
    port: int | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    mac: str = ""
    broadcast: str = "255.255.255.255"
    interface: str = ""
    verify_tls: bool = True
    ca_file: str = ""
    system: str = ""
    cipher_suite: int = 17
    uefi: bool = True
    private_key_file: str = ""
    ssh_args: str = ""
    transport: str = "ntlm"
    network_entry: str = ""
    timeout: float = 120.0

    def url(self, ports: t.Mapping[str, int]) -> str:
        """Scheme, host and port of the address, https unless it says otherwise.

        :param ports: for each scheme, what to use where the user says none.
        :raises UsageError: it makes no sense.
        """
        text = self.address if "://" in self.address else f"https://{self.address}"
        try:
            parts = urlsplit(text)
            port = self.port or parts.port or ports[parts.scheme]
        except (KeyError, ValueError) as error:
            raise UsageError(f"{self.address!r} is no address. Write a host name, or https://host:port.") from error
        if parts.username or not parts.hostname:
            raise UsageError("The address has to hold a host, and no credentials: write username and password instead.")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}:{port}"

    def trust(self) -> bool | str:
        """What requests wants to know about certificates."""
        return (self.ca_file or True) if self.verify_tls else False


def power_options(params: t.Mapping[str, t.Any]) -> PowerOptions:
    """From parameters that were checked against POWER_SPEC.

    :raises UsageError: the file with the password cannot be read, or the timeout is none.
    """
    names = {each.name for each in dataclasses.fields(PowerOptions)}
    given = {name: value for name, value in params.items() if name in names and value is not None}
    if params.get("password_file"):
        given["password"] = _read_password(params["password_file"])
    if "timeout" in given:
        given["timeout"] = float(parse_duration(given["timeout"]))
    return PowerOptions(**given)


def _read_password(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"The password file {path} cannot be read: {reason}.") from error
