# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A running Windows, told over WinRM what to boot next, and to restart."""

from __future__ import annotations

import re
import typing as t

from .._errors import PowerError, PowerRefused
from .._libraries import need
from .base import DISK, NETWORK, NONE, ON, UNKNOWN, Power, PowerOptions

_GUID = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}", re.IGNORECASE)
_MANAGER = "{fwbootmgr}"
_WINDOWS = "{bootmgr}"
# The words of bcdedit are translated, its identifiers and the firmware's own descriptions are not.
_FROM_NETWORK = re.compile(r"\b(pxe|ipv4|ipv6|network|lan)\b", re.IGNORECASE)


class WinRm(Power):
    """The machine itself, as long as its system runs. What it boots next is the firmware's boot sequence."""

    name = "winrm"

    def __init__(self, options: PowerOptions) -> None:
        super().__init__(options)
        self._need("address", "username", "password")
        self._winrm = need("winrm")

    def state(self) -> str:
        try:
            self._run("ver")
        except PowerError:
            return UNKNOWN
        return ON

    def next_boot(self) -> str:
        return FirmwareMenu(self._run("bcdedit", "/enum", "firmware")).chosen()

    def reset(self, force: bool = False) -> None:
        self._run("shutdown", "/r", "/t", "0", *(["/f"] if force else []))

    def _choose(self, target: str) -> None:
        entry = FirmwareMenu(self._run("bcdedit", "/enum", "firmware")).entry(target)
        if entry is None:
            raise PowerError(f"{self.where} has no firmware boot entry for the {target}.", **self.facts)
        self._run("bcdedit", "/set", _MANAGER, "bootsequence", entry)

    def _run(self, *words: str) -> str:
        exceptions = self._winrm.exceptions
        try:
            answer = self._session().run_cmd(words[0], list(words[1:]))
        except exceptions.InvalidCredentialsError as error:
            raise PowerRefused(f"{self.where} does not accept user and password.", **self.facts) from error
        except (exceptions.WinRMError, OSError) as error:
            raise PowerError(f"{self.where} does not answer: {error}", **self.facts) from error
        if answer.status_code != 0:
            said = (answer.std_err or answer.std_out).decode("utf-8", "replace").strip()
            raise PowerError(f"{self.where} did not do '{' '.join(words)}': {said}", **self.facts)
        return str(answer.std_out.decode("utf-8", "replace"))

    def _session(self) -> t.Any:
        options = self.options
        verify = "validate" if options.verify_tls else "ignore"
        more = {"ca_trust_path": options.ca_file} if options.ca_file else {}
        return self._winrm.Session(
            f"https://{options.address}:{options.port or 5986}/wsman",
            auth=(options.username, options.password),
            transport="ntlm",
            server_cert_validation=verify,
            **more,
        )


class FirmwareMenu:
    """The firmware's boot entries, as ``bcdedit /enum firmware`` shows them in any language. Pure."""

    def __init__(self, text: str) -> None:
        blocks = re.split(r"\r?\n\s*\r?\n", text.strip())
        self._blocks = {found: block for block in blocks if (found := _identifier(block))}

    def chosen(self) -> str:
        """What is booted next."""
        sequence = re.search(r"^bootsequence\s+(\S+)", self._blocks.get(_MANAGER, ""), re.MULTILINE)
        return NONE if sequence is None else self._kind(sequence[1])

    def entry(self, target: str) -> str | None:
        """The identifier of an entry, in the firmware's own order."""
        if target == DISK:
            return _WINDOWS if _WINDOWS in self._blocks else None
        order = _GUID.findall(self._blocks.get(_MANAGER, ""))
        fitting = [each for each in order if self._kind(each) == NETWORK]
        return min(fitting, key=lambda each: "ipv4" not in self._blocks[each].lower(), default=None)

    def _kind(self, identifier: str) -> str:
        if identifier == _WINDOWS:
            return DISK
        return NETWORK if _FROM_NETWORK.search(self._blocks.get(identifier, "")) else UNKNOWN


def _identifier(block: str) -> str | None:
    """The first identifier in a block is its own."""
    found = re.search(r"\{\S+\}", block)
    return found[0] if found else None
