# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Wake-on-LAN: a packet that some network cards switch their machine on for."""

from __future__ import annotations

import socket

from .._netboot.mac import normal_mac
from .base import UNKNOWN, Power

_PORT = 9  # discard
_TIMES = 3  # nobody confirms a packet


def magic_packet(mac: str) -> bytes:
    """What the card with this MAC address waits for."""
    return b"\xff" * 6 + bytes.fromhex(normal_mac(mac).replace(":", "")) * 16


class WakeOnLan(Power):
    """Can switch on, and see nothing."""

    name = "wol"
    needs = ("mac",)

    def state(self) -> str:
        return UNKNOWN

    def on(self) -> None:
        """Send the packet. Whether the machine hears it cannot be seen from here."""
        packet = magic_packet(self.options.mac)
        where = (self.options.broadcast, self.options.port or _PORT)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                if self.options.interface:
                    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.options.interface.encode())
                for _time in range(_TIMES):
                    sender.sendto(packet, where)
        except OSError as error:
            raise self.failure(
                f"No packet can be sent to {where[0]}, to switch on {self.options.mac}: {error.strerror or error}. Is "
                "this machine on the network of that one? If not, run it elsewhere, or say broadcast."
            ) from error

    def off(self, force: bool = False) -> None:  # noqa: ARG002  # the interface
        raise self.unsupported("Wake-on-LAN cannot switch a machine off. Shut it down in its operating system.")

    def reset(self, force: bool = False) -> None:  # noqa: ARG002  # the interface
        raise self.unsupported("Wake-on-LAN cannot restart a machine. Switch it off; then it can be switched on.")

    def start(self, force: bool = False) -> str:
        if force:
            raise self.unsupported("Wake-on-LAN cannot switch a machine off.")
        self.on()
        return "sent the packet that switches it on; if it is on already, restart it"

    def next_boot(self) -> str:
        return UNKNOWN

    def set_next_boot(self, target: str) -> None:
        raise self.unsupported(
            f"Wake-on-LAN cannot make a machine boot from the {target}. Put the network first in its boot order: "
            "without a netboot entry it goes on to its disk."
        )
