# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What switches a machine on and off, and chooses what it boots next: one interface for all kinds."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import PowerError, PowerUnsupported
from .waiting import Waiting

ON, OFF, UNKNOWN = "on", "off", "unknown"
NETWORK, DISK, NONE = "network", "disk", "none"
TARGETS = (NETWORK, DISK)


@dataclass(frozen=True)
class PowerOptions:
    """How a machine is reached that switches another, or itself.

    :ivar address: of its management controller, or for ssh and winrm its own.
    :ivar mac: of the card it boots from: whom Wake-on-LAN wakes, and which boot entry ssh chooses.
    :ivar system: id of the system behind a Redfish service that has several.
    :ivar timeout: seconds until what was ordered must be seen.
    """

    provider: str
    address: str | None = None
    port: int | None = None
    username: str | None = None
    password: str | None = None
    mac: str | None = None
    broadcast: str | None = None
    verify_tls: bool = True
    ca_file: str | None = None
    system: str | None = None
    uefi: bool = False
    cipher_suite: int = 17
    private_key_file: str | None = None
    timeout: int = 60


class Complaint(PowerError):
    """An order was refused, by something that may have obeyed all the same."""


class Power:
    """One machine. What a kind cannot do raises PowerUnsupported; every failure is a PowerError.

    Nobody is believed: what was ordered is looked for until a deadline, because management controllers report old
    values for a while, and some refuse what they have done.
    """

    name: t.ClassVar[str]

    def __init__(self, options: PowerOptions) -> None:
        self.options = options
        self.waiting = Waiting(options.timeout)

    def state(self) -> str:
        """ON, OFF or UNKNOWN."""
        return UNKNOWN

    def next_boot(self) -> str:
        """NETWORK, DISK, NONE where it is what the firmware's boot order says, or UNKNOWN."""
        return UNKNOWN

    def set_next_boot(self, target: str) -> None:
        """Choose what is booted next, once where that is possible."""
        complaint: Complaint | None = None
        try:
            self._choose(target)
        except Complaint as error:
            complaint = error
        if not self.waiting.until(lambda: self._is_chosen(target)):
            said = f" It said: {complaint.message}" if complaint else ""
            raise PowerError(
                f"{self.where} was told to boot from the {target} next, but after {self.options.timeout} s it says "
                f"{self.next_boot()}.{said}",
                **self.facts,
            ) from complaint

    def on(self) -> None:
        self._order(self._switch_on, ON)

    def off(self, force: bool = False) -> None:
        """:param force: at once, without asking the operating system."""
        self._order(lambda: self._switch_off(force), OFF)

    def reset(self, force: bool = False) -> None:  # noqa: ARG002  # the interface
        """Restart what runs."""
        raise self._cannot("restart a machine")

    def start(self, force: bool = False) -> str:
        """Let it boot, whether it runs or not.

        :return: what was done, for people.
        """
        if self.state() == OFF:
            self.on()
            return "switched on"
        self.reset(force)
        return "restarted by force" if force else "restarted"

    def close(self) -> None:
        """Give back what this holds."""

    @property
    def where(self) -> str:
        return f"{self.name} at {self.options.address}"

    @property
    def facts(self) -> dict[str, t.Any]:
        return {"provider": self.name, "address": self.options.address}

    def _choose(self, target: str) -> None:  # noqa: ARG002  # the interface
        raise self._cannot("choose what a machine boots next")

    def _is_chosen(self, target: str) -> bool:
        return self.next_boot() == target

    def _switch_on(self) -> None:
        raise self._cannot("switch a machine on")

    def _switch_off(self, force: bool) -> None:  # noqa: ARG002  # the interface
        raise self._cannot("switch a machine off")

    def _order(self, order: t.Callable[[], None], state: str) -> None:
        complaint: Complaint | None = None
        try:
            order()
        except Complaint as error:
            complaint = error
        if not self.waiting.until(lambda: self.state() == state):
            said = f" It said: {complaint.message}" if complaint else ""
            raise PowerError(
                f"The machine of {self.where} is not {state} after {self.options.timeout} s.{said}", **self.facts
            ) from complaint

    def _cannot(self, what: str) -> PowerUnsupported:
        return PowerUnsupported(f"{self.name} cannot {what}.", unsupported=True, **self.facts)

    def _need(self, *names: str) -> None:
        missing = [name for name in names if not getattr(self.options, name)]
        if missing:
            raise PowerError(f"{self.name} needs {' and '.join(missing)}.", **self.facts)
