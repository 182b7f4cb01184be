# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. IPMI 2.0, through the program ipmitool."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

from .._errors import PowerRefused, ToolFailed
from .._run import run
from .base import DISK, NETWORK, NONE, OFF, ON, UNKNOWN
from .controller import SHUTDOWN, Controller

_STATE = re.compile(r"^Chassis Power is (on|off)$", re.MULTILINE)
_FLAGS = re.compile(r"^Boot parameter data: ((?:[0-9a-f]{2}){2,})$", re.MULTILINE)
_REFUSED = re.compile(r"RAKP 2 HMAC is invalid|RAKP 2 message indicates an error|[Ii]nsufficient privilege")
_OTHER_SUITE = re.compile(r"Error in open session response message : (invalid|no matching)|build_v2x_msg")
_NOISE = "Loading IANA PEN Registry...\n"
_BUTTONS = {ON: "on", OFF: "off", SHUTDOWN: "soft"}
_NAMES = {NETWORK: "pxe", DISK: "disk"}
_DEVICES = {0: NONE, 1: NETWORK, 2: DISK}
# Boot info parameter 3: do not forget the boot device if the machine is not restarted within a minute, which an
# operating system that shuts down may need.
_KEEP = ("raw", "0x00", "0x08", "0x03", "0x08")
_TIMEOUT = 60.0  # seconds for one command, whose own retries are over long before


@dataclass(frozen=True)
class BootFlags:
    """Parameter 5 of the boot options.

    :ivar valid: they count for the next start. Controllers leave the device in place when it has been used.
    """

    valid: bool
    device: str


def parse_state(text: str) -> str:
    """What ``chassis power status`` says."""
    found = _STATE.search(text)
    return found[1] if found else UNKNOWN


def parse_boot_flags(text: str) -> BootFlags | None:
    """What ``chassis bootparam get 5`` says; None if it does not say it."""
    found = _FLAGS.search(text)
    if not found:
        return None
    data = bytes.fromhex(found[1])
    return BootFlags(bool(data[0] & 0x80), _DEVICES.get(data[1] >> 2 & 0xF, UNKNOWN))


class Ipmi(Controller):
    """A management controller that speaks IPMI over LAN."""

    name = "ipmi"
    needs = ("address", "username", "password")

    def state(self) -> str:
        return parse_state(self._tool("chassis", "power", "status"))

    def next_boot(self) -> str:
        flags = self._flags()
        return NONE if flags and not flags.valid else self._chosen()

    def _chosen(self) -> str:
        """Some never call their flags valid, and obey them."""
        flags = self._flags()
        return flags.device if flags else UNKNOWN

    def _flags(self) -> BootFlags | None:
        return parse_boot_flags(self._tool("chassis", "bootparam", "get", "5"))

    def _press(self, button: str) -> None:
        self._tool("chassis", "power", _BUTTONS[button])

    def _choose(self, target: str) -> None:
        with contextlib.suppress(ToolFailed):
            self._run(*_KEEP)
        firmware = ("options=efiboot",) if self.options.uefi else ()
        self._tool("chassis", "bootdev", _NAMES[target], *firmware)

    def _tool(self, *words: str) -> str:
        where = f"The controller at {self.options.address}"
        try:
            return self._run(*words)
        except ToolFailed as error:
            said = error.facts.get("stderr", error.message)
            if _REFUSED.search(said):
                advice = "Are username and password right, and may this user switch machines?"
                raise self.failure(
                    f"{where} does not accept {self.options.username!r}. {advice}", PowerRefused
                ) from error
            if _OTHER_SUITE.search(said):
                said = f"It does not know cipher suite {self.options.cipher_suite}; old ones need cipher_suite 3."
            raise self.failure(f"{where} did not do '{' '.join(words)}'. {said.replace(_NOISE, '')}") from error

    def _run(self, *words: str) -> str:
        options = self.options
        where = ("-H", options.address, "-p", str(options.port or 623), "-U", options.username, "-E")
        # Only with -v does it say why it gets no session.
        how = ("-v", "-I", "lanplus", "-R", "3", "-C", str(options.cipher_suite))
        return run(
            ("ipmitool", *how, *where, *words), timeout=_TIMEOUT, secrets={"IPMI_PASSWORD": options.password}
        ).stdout
