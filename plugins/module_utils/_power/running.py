# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What machines have in common that only their own running operating system can restart."""

from __future__ import annotations

import abc
from functools import partial

from .._errors import PowerError, PowerIgnored, PowerRefused
from .._netboot.mac import normal_mac
from .._units import show_duration
from .base import ON, UNKNOWN, Power, complaint_about
from .boot_menu import BootMenu
from .waiting import Overdue


class RunningSystem(Power):
    """A provider fills in what follows here."""

    @abc.abstractmethod
    def _boot_id(self) -> str:
        """What is another one after every start.

        :raises PowerError: the operating system does not answer.
        """

    @abc.abstractmethod
    def _restart(self, force: bool) -> None:
        """Tell the operating system to restart."""

    @abc.abstractmethod
    def _menu(self) -> BootMenu:
        """What its firmware can boot.

        :raises PowerUnsupported: no_menu().
        """

    @abc.abstractmethod
    def _boot_once(self, entry: str) -> None:
        """Tell the firmware to boot this entry next, and only then."""

    def state(self) -> str:
        return ON if self._seen() else UNKNOWN

    def on(self) -> None:
        if self.state() != ON:
            raise self.unsupported(
                f"{self.options.address} does not answer, and {self.name} cannot switch a machine on. Press its power "
                "button, or use wol, redfish or ipmi."
            )

    def off(self, force: bool = False) -> None:  # noqa: ARG002  # the interface
        raise self.unsupported(f"{self.name} does not switch machines off: it could not switch them on again.")

    def reset(self, force: bool = False) -> None:
        """Restart it, and see it gone, or back as another one."""
        before = self._boot_id()
        complaint = complaint_about(partial(self._restart, force))
        try:
            self._deadline().until(lambda: self._seen() == before, {False})
        except Overdue as overdue:
            raise self.failure(
                f"{self.options.address} was told to restart, but its operating system still runs after "
                f"{show_duration(self.options.timeout)}. {f'It said: {complaint.message}' if complaint else ''}",
                PowerIgnored,
                seen=ON,
            ) from (complaint or overdue)

    def start(self, force: bool = False) -> str:
        self.reset(force)
        return "restarted by its operating system"

    def next_boot(self) -> str:
        return self._menu().next_boot()

    def set_next_boot(self, target: str) -> None:
        menu = self._menu()
        mac = normal_mac(self.options.mac) if self.options.mac else ""
        entry = menu.pick(target, mac, self.options.network_entry)
        if entry is None:
            raise self.unsupported(
                f"The firmware of {self.options.address} offers nothing to boot from the {target}. It offers "
                f"{menu.show()}. Is network boot switched on in its setup, and do mac and network_entry fit?"
            )
        self._boot_once(entry.number)
        now = self._menu()
        if now.next != entry.number:
            raise self.failure(
                f"{self.options.address} was told to boot {entry.description!r} next, and does not mean to."
                " Is this user allowed to?",
                PowerIgnored,
                seen=now.next_boot(),
            )

    def no_menu(self) -> PowerError:
        """For a machine that was started by a BIOS."""
        return self.unsupported(
            f"{self.options.address} was started by a BIOS, whose boot order no operating system can set. Put the "
            "network first in it: without a netboot entry the machine goes on to its disk."
        )

    def _seen(self) -> str | None:
        try:
            return self._boot_id()
        except PowerRefused:
            raise
        except PowerError:
            return None
