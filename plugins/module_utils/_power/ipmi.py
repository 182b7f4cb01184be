# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. IPMI 2.0, by ipmitool."""

from __future__ import annotations

import re

from .._errors import PowerError, PowerRefused, ToolFailed
from .._run import run
from .base import DISK, NETWORK, NONE, OFF, ON, UNKNOWN, Power, PowerOptions

_DEVICES = {NETWORK: "pxe", DISK: "disk"}
_CHOSEN = re.compile(r"Boot Device Selector : Force (PXE|Boot from default Hard-Drive)")
_REFUSED = re.compile(r"RAKP 2 (message indicates an error|HMAC is invalid)|unauthorized name|password", re.IGNORECASE)
_LONGEST = 30.0  # seconds of one command


class Ipmi(Power):
    """A management controller that speaks IPMI over LAN. The password is in the environment, not in the arguments."""

    name = "ipmi"

    def __init__(self, options: PowerOptions) -> None:
        super().__init__(options)
        self._need("address", "username", "password")

    def state(self) -> str:
        said = self._say("chassis", "power", "status")
        return ON if said.endswith("is on") else OFF if said.endswith("is off") else UNKNOWN

    def next_boot(self) -> str:
        return parse_next_boot(self._say("chassis", "bootparam", "get", "5"))

    def reset(self, force: bool = False) -> None:  # noqa: ARG002  # always: its soft command only switches off
        self._say("chassis", "power", "reset")

    def _choose(self, target: str) -> None:
        self._say("chassis", "bootdev", _DEVICES[target], *(["options=efiboot"] if self.options.uefi else []))

    def _is_chosen(self, target: str) -> bool:
        """Some controllers, OpenIPMI's simulator too, do as they are told and never set the flag that says so."""
        return chosen_device(self._say("chassis", "bootparam", "get", "5")) == target

    def _switch_on(self) -> None:
        self._say("chassis", "power", "on")

    def _switch_off(self, force: bool) -> None:
        self._say("chassis", "power", "off" if force else "soft")

    def _say(self, *words: str) -> str:
        where = ["-H", str(self.options.address), "-p", str(self.options.port or 623), "-U", str(self.options.username)]
        argv = ["ipmitool", "-I", "lanplus", "-C", str(self.options.cipher_suite), *where, "-E", *words]
        try:
            return run(argv, secrets={"IPMI_PASSWORD": str(self.options.password)}, timeout=_LONGEST).stdout.strip()
        except ToolFailed as error:
            kind = PowerRefused if _REFUSED.search(error.message) else PowerError
            raise kind(
                f"{self.where} did not do '{' '.join(words)}': {error.message}. Are address, port, user, password and "
                "cipher suite right?",
                **self.facts,
            ) from error


def parse_next_boot(text: str) -> str:
    """What ``chassis bootparam get 5`` says."""
    return NONE if "Boot Flag Invalid" in text else chosen_device(text)


def chosen_device(text: str) -> str:
    """The same, whether it is valid or was used up."""
    if "No override" in text:
        return NONE
    found = _CHOSEN.search(text)
    if not found:
        return UNKNOWN
    return NETWORK if found[1] == "PXE" else DISK
