# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Wake-on-LAN: a packet that wakes a sleeping network card."""

from __future__ import annotations

import socket

from .._errors import PowerError
from .._netboot.mac import normal_mac
from .base import Power, PowerOptions

_PORT = 9  # discard
_TIMES = 3  # nobody answers, so a lost packet would not be noticed


class WakeOnLan(Power):
    """Can switch on what is off, and nobody says whether it did."""

    name = "wol"

    def __init__(self, options: PowerOptions) -> None:
        super().__init__(options)
        self._need("mac")

    @property
    def where(self) -> str:
        return f"{self.name} for {self.options.mac}"

    def on(self) -> None:
        packet = magic_packet(normal_mac(str(self.options.mac)))
        target = (self.options.broadcast or "255.255.255.255", self.options.port or _PORT)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                for _each in range(_TIMES):
                    sender.sendto(packet, target)
        except OSError as error:
            raise PowerError(f"No packet could be sent to {target[0]}: {error.strerror}.", **self.facts) from error

    def start(self, force: bool = False) -> str:
        if force:
            raise self._cannot("switch a machine off")
        self.on()
        return "sent Wake-on-LAN; a machine that runs already has to be restarted by somebody"


def magic_packet(mac: str) -> bytes:
    """Six bytes of ones, then the address sixteen times."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16
