# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A running Linux, told over SSH what to boot next, and to restart."""

from __future__ import annotations

import re

from .._errors import PowerError, PowerRefused, PowerUnsupported, ToolFailed
from .._netboot.mac import normal_mac
from .._run import run
from .base import DISK, NETWORK, NONE, ON, UNKNOWN, Power, PowerOptions

_ENTRY = re.compile(r"Boot([0-9A-F]{4})\*? (.*)")
_ONE_LINE = re.compile(r"(BootNext|BootOrder|BootCurrent): ([0-9A-F,]+)")
_REFUSED = re.compile(r"Permission denied|Host key verification failed|sudo: ")
_LOST = 255  # the connection, as expected while a machine goes down
_LONGEST = 60.0  # seconds of one command


class Ssh(Power):
    """The machine itself, as long as its system runs. What it boots next is UEFI's BootNext."""

    name = "ssh"

    def __init__(self, options: PowerOptions) -> None:
        super().__init__(options)
        self._need("address")

    def state(self) -> str:
        try:
            self._run("true")
        except PowerError:
            return UNKNOWN
        return ON

    def next_boot(self) -> str:
        return BootMenu(self._run("efibootmgr -v")).chosen()

    def reset(self, force: bool = False) -> None:
        self._run("systemctl reboot --force" if force else "systemctl reboot", ok=(0, _LOST))

    def _choose(self, target: str) -> None:
        try:
            menu = BootMenu(self._run("efibootmgr -v"))
        except PowerRefused:
            raise
        except PowerError as error:
            raise PowerUnsupported(
                f"{self.where} cannot choose what it boots next; it may have a BIOS, or no efibootmgr. "
                f"Put the network first in its boot order. {error.message}",
                unsupported=True,
                **self.facts,
            ) from error
        number = menu.entry(target, normal_mac(self.options.mac) if self.options.mac else None)
        if number is None:
            raise PowerError(f"{self.where} has no boot entry for the {target}.", **self.facts)
        self._run(f"efibootmgr --quiet --bootnext {number}")

    def _run(self, command: str, ok: tuple[int, ...] = (0,)) -> str:
        options = self.options
        argv = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5"]
        argv += ["-p", str(options.port or 22), *(["-i", options.private_key_file] if options.private_key_file else [])]
        user = options.username or "root"
        try:
            said = run(
                [*argv, "-l", user, "--", str(options.address), command if user == "root" else f"sudo -n {command}"],
                ok=ok,
                timeout=_LONGEST,
            )
        except ToolFailed as error:
            kind = PowerRefused if _REFUSED.search(error.message) else PowerError
            raise kind(f"{self.where} did not do '{command}': {error.message}", **self.facts) from error
        return said.stdout


class BootMenu:
    """The boot entries of UEFI firmware, as ``efibootmgr -v`` shows them. Pure."""

    def __init__(self, text: str) -> None:
        self._lines = {found[1]: found[2] for found in map(_ENTRY.fullmatch, text.splitlines()) if found}
        self._single = {found[1]: found[2] for found in map(_ONE_LINE.fullmatch, text.splitlines()) if found}

    def chosen(self) -> str:
        """What is booted next."""
        number = self._single.get("BootNext")
        return NONE if number is None else self._kind(number)

    def entry(self, target: str, mac: str | None) -> str | None:
        """The number of an entry, in the firmware's own order.

        :param mac: of the card to boot from, where there are several.
        """
        order = [number for number in self._single.get("BootOrder", "").split(",") if number in self._lines]
        fitting = [number for number in order if self._kind(number) == target]
        if target == NETWORK and mac:
            fitting = [number for number in fitting if f"mac({mac.replace(':', '')}" in self._lines[number].lower()]
        # IPv4 before IPv6, and both before HTTP boot
        ranked = sorted(fitting, key=lambda number: ("IPv4" not in self._lines[number], "Uri(" in self._lines[number]))
        return next(iter(ranked if target == NETWORK else fitting), None)

    def _kind(self, number: str) -> str:
        line = self._lines.get(number, "")
        if "MAC(" in line:
            return NETWORK
        return DISK if "HD(" in line or "NVMe(" in line or "Sata(" in line else UNKNOWN
