# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks DHCP servers as the network boot clients of firmware and iPXE do, with plain sockets.

From a shell, as root, in the network namespace of a machine:

    python3 pxe_client.py INTERFACE MAC KIND     # prints an Answer as JSON; KIND is one of KINDS

The machine then has the address that it was given. Only the standard library is needed.
"""

from __future__ import annotations

import json
import secrets
import socket
import struct
import subprocess
import sys
import time
import typing as t
from dataclasses import asdict, dataclass, field

PATIENCE = 8.0  # seconds: a DHCP server may first look for three whether an address is in use
_QUIET = 0.7  # seconds after which nobody else answers

_COOKIE = b"\x63\x82\x53\x63"
_HEADER = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_DISCOVER, _OFFER, _REQUEST, _ACK = 1, 2, 3, 5
_PXE_PORT = 4011
_MENU, _BOOT_ITEM = 9, 71  # within option 43


class Kind(t.NamedTuple):
    """What a client says of itself: its architecture, the name of its class, and whether it is iPXE."""

    architecture: int
    vendor: str = "PXEClient"
    ipxe: bool = False


KINDS = {
    "bios": Kind(0),
    "uefi": Kind(7),
    "uefi-9": Kind(9),
    "uefi-http": Kind(16, vendor="HTTPClient"),
    "ipxe-bios": Kind(0, ipxe=True),
    "ipxe-uefi": Kind(7, ipxe=True),
}


@dataclass(frozen=True)
class Answer:
    """What a client has got. All empty if nobody gave it an address.

    :ivar server: where its boot file is.
    :ivar file: its boot file: a name for TFTP, or a URL.
    :ivar vendor: the class that the answer with the boot file is for.
    :ivar offers: who offered an address (True), or only boot files (False).
    """

    address: str = ""
    netmask: str = ""
    router: str = ""
    server: str = ""
    file: str = ""
    vendor: str = ""
    offers: dict[str, bool] = field(default_factory=dict)


class Packet(t.NamedTuple):
    """An answer of a server."""

    kind: int
    xid: int
    address: str
    next_server: str
    name: str
    options: dict[int, bytes]

    @property
    def server(self) -> str:
        return socket.inet_ntoa(self.options[54])

    @property
    def vendor(self) -> str:
        return self.options.get(60, b"").decode("ascii", "replace")

    @property
    def file(self) -> str:
        return self.options.get(67, b"").rstrip(b"\0").decode("ascii", "replace") or self.name

    def option_address(self, code: int) -> str:
        return socket.inet_ntoa(self.options[code][:4]) if code in self.options else ""


class Client:
    """One boot of a machine."""

    def __init__(self, interface: str, mac: str, kind: Kind) -> None:
        self._interface = interface
        self._mac = bytes.fromhex(mac.replace(":", ""))
        self._kind = kind
        self._xid = secrets.randbits(32)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self._socket.bind(("", 68))

    def boot(self) -> Answer:
        # As a machine that is switched on, it has no address: servers look whether somebody uses the one they offer.
        subprocess.run(["ip", "-4", "address", "flush", "dev", self._interface], check=True)
        with self._socket:
            self._send(_DISCOVER)
            offers = self._receive(_OFFER)
            full = next((each for each in offers if each.address != "0.0.0.0"), None)
            proxy = next((each for each in offers if each.address == "0.0.0.0"), None)
            who = {each.server: each.address != "0.0.0.0" for each in offers}
            if full is None:
                return Answer(offers=who)
            self._send(_REQUEST, {50: socket.inet_aton(full.address), 54: full.options[54]})
            granted = self._receive(_ACK, until_first=True)[0]
            self._use(granted)
            boot = (self._ask_proxy(proxy, granted.address) if proxy else None) or granted
            return Answer(
                address=granted.address,
                netmask=granted.option_address(1),
                router=granted.option_address(3),
                server=boot.next_server if boot.next_server != "0.0.0.0" else boot.options.get(66, b"").decode("ascii"),
                file=boot.file,
                vendor=boot.vendor,
                offers=who,
            )

    def _ask_proxy(self, proxy: Packet, address: str) -> Packet | None:
        """The second step of proxy DHCP, on a port of its own: firmware takes no boot file before."""
        if not proxy.vendor.startswith("PXEClient"):
            return None
        if self._kind.ipxe and proxy.file:
            return proxy
        more = {}
        menu = _sub_options(proxy.options.get(43, b"")).get(_MENU)
        if menu:
            more[43] = bytes([_BOOT_ITEM, 4]) + menu[:2] + b"\0\0\xff"
        self._send(_REQUEST, more, address=address, to=(proxy.server, _PXE_PORT))
        return self._receive(_ACK, until_first=True)[0]

    def _use(self, granted: Packet) -> None:
        prefix = bin(int.from_bytes(granted.options[1], "big")).count("1")
        ip = ["ip", "address", "replace", f"{granted.address}/{prefix}", "dev", self._interface]
        subprocess.run(ip, check=True)

    def _send(
        self,
        message: int,
        more: t.Mapping[int, bytes] | None = None,
        *,
        address: str = "0.0.0.0",
        to: tuple[str, int] = ("255.255.255.255", 67),
    ) -> None:
        kind = self._kind
        options = {
            53: bytes([message]),
            55: bytes([1, 3, 6, 12, 15, 43, 54, 60, 66, 67]),
            57: struct.pack("!H", 1472),
            60: f"{kind.vendor}:Arch:{kind.architecture:05d}:UNDI:003016".encode(),
            93: struct.pack("!H", kind.architecture),
            94: bytes([1, 3, 16]),
            97: b"\0" + self._mac.rjust(16, b"\x11"),
            **({77: b"iPXE", 175: bytes([19, 1, 1])} if kind.ipxe else {}),
            **(more or {}),
        }
        nobody = bytes(4)
        # With the flag that asks for broadcasts, as it has no address yet.
        flags = 0 if address != "0.0.0.0" else 0x8000
        header = _HEADER.pack(
            1, 1, 6, 0, self._xid, 0, flags, socket.inet_aton(address), nobody, nobody, nobody, self._mac, b"", b""
        )
        body = b"".join(bytes([code, len(value)]) + value for code, value in options.items())
        self._socket.sendto((header + _COOKIE + body + b"\xff").ljust(300, b"\0"), to)

    def _receive(self, message: int, *, until_first: bool = False) -> list[Packet]:
        """The answers of all who answer."""
        found: list[Packet] = []
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                packet = parse(self._socket.recv(4096))
            except TimeoutError:
                break
            if packet and (packet.xid, packet.kind) == (self._xid, message):
                found.append(packet)
                if until_first:
                    break
                # One who gives no address may be waited for by the one who does.
                if packet.address != "0.0.0.0":
                    deadline = min(deadline, time.monotonic() + _QUIET)
        if until_first and not found:
            raise TimeoutError(f"no answer of type {message} within {PATIENCE:.0f} s")
        return found


def parse(data: bytes) -> Packet | None:
    """None: it is no answer."""
    if len(data) < _HEADER.size + 4 or data[0] != 2:
        return None
    _op, _htype, _hlen, _hops, xid, _secs, _flags, _ciaddr, yours, following, *_rest, name = _HEADER.unpack_from(data)
    options = _options(data[_HEADER.size + 4 :])
    return Packet(
        kind=options.get(53, b"\0")[0],
        xid=xid,
        address=socket.inet_ntoa(yours),
        next_server=socket.inet_ntoa(following),
        name=name.partition(b"\0")[0].decode("ascii", "replace"),
        options=options,
    )


def _options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        size = data[at + 1]
        found[data[at]] = found.get(data[at], b"") + data[at + 2 : at + 2 + size]
        at += 2 + size
    return found


_sub_options = _options


def main() -> None:
    interface, mac, kind = sys.argv[1:]
    print(json.dumps(asdict(Client(interface, mac, KINDS[kind]).boot())))


if __name__ == "__main__":
    main()
