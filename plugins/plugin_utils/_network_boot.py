# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. One machine's way from an entry to its check-in: what pxe_reboot does. Nothing of Ansible."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from ..module_utils._errors import GoldenError, NetbootUnreachable, PowerError, PowerIgnored, PowerUnsupported
from ..module_utils._netboot.entry import new_id
from ..module_utils._netboot.traces import BOOT_LOADER, DHCP, ENTRY, KERNEL, NOTHING, STAGES
from ..module_utils._units import show_duration

_LONGEST_LOOK = 30  # seconds of one netboot_wait
_PAUSE = 5  # seconds until a server that is away is asked again
_SAYS: t.Final = {
    DHCP: "it asks for an address",
    BOOT_LOADER: "it has fetched a boot loader",
    ENTRY: "it has read its boot file",
    KERNEL: "it fetches the boot environment",
}


class Server(t.Protocol):
    """The imaging server. Raises GoldenError where a module there fails, NetbootUnreachable where nobody answers."""

    def make_entry(self, entry_id: str, lifetime: int) -> dict[str, t.Any]: ...

    def wait(self, entry_id: str, timeout: int, beyond: str | None) -> dict[str, t.Any]: ...

    def remove_entry(self, entry_id: str) -> bool: ...


class Hand(t.Protocol):
    """What switches the machine. Raises PowerError."""

    def boot_from(self, target: str) -> None: ...

    def start(self, force: bool) -> str: ...


@dataclass(frozen=True)
class Boot:
    """How it went. Times are seconds.

    :ivar waited: what netboot_wait returned at last.
    """

    waited: dict[str, t.Any]
    forced: bool
    seconds: float


class NetworkBoot:
    """Brings one machine into its boot environment, or says why that did not work."""

    def __init__(self, server: Server, hand: Hand, say: t.Callable[[str], None], timeout: int) -> None:
        """:param timeout: seconds until the check-in; in half of it, the machine is switched off and on once."""
        self._server = server
        self._hand = hand
        self._say = say
        self._timeout = timeout
        self._stage = NOTHING

    def go(self) -> Boot:
        """:raises GoldenError: the machine has not checked in. Its entry is gone."""
        began = time.monotonic()
        end = began + self._timeout
        entry_id = self._make_entry()
        try:
            forced = self._start(force=False)
            waited = self._wait(entry_id, began + self._timeout / 2, end)
            if not waited["checkin"]:
                self._say(f"no check-in for {show_duration(int(time.monotonic() - began))}; switching it off and on")
                forced = self._start_by_force() or forced
                waited = self._wait(entry_id, end, end)
            if not waited["checkin"]:
                waited = self._server.wait(entry_id, 0, None)  # which says why
        except BaseException:
            self._take_back(entry_id)
            raise
        self._say(f"checked in from {waited['checkin']['address']}")
        return Boot(waited, forced, time.monotonic() - began)

    def _make_entry(self) -> str:
        entry_id = new_id()
        try:
            self._server.make_entry(entry_id, self._timeout + _LONGEST_LOOK)
        except BaseException:
            self._remove(entry_id)  # it may have been made, and only the answer got lost
            raise
        return entry_id

    def _start(self, force: bool) -> bool:
        """:return: whether it took force, perhaps because its operating system does not end when it is asked to."""
        try:
            self._hand.boot_from("network")
        except PowerUnsupported as error:
            self._say(f"the network must come first in its boot order: {error.message}")
        try:
            self._say(self._hand.start(force))
        except PowerIgnored as error:
            if force:
                raise
            self._say(error.message)
            return self._start_by_force()
        except PowerUnsupported as error:  # some controllers can only take the power away
            if force:
                raise
            self._say(error.message)
            return self._start(force=True)
        return force

    def _start_by_force(self) -> bool:
        """A second start, which may fail: the first one may still be under way."""
        try:
            return self._start(force=True)
        except PowerError as error:
            self._say(f"that did not work, so waiting goes on: {error.message}")
            return False

    def _wait(self, entry_id: str, deadline: float, end: float) -> dict[str, t.Any]:
        """Until the check-in or the deadline; every new stage is told.

        :param end: until when to ask a server that does not answer: the machine may come all the same.
        """
        lost = False
        while True:
            left = max(0, int(deadline - time.monotonic()))
            try:
                waited = self._server.wait(entry_id, min(left, _LONGEST_LOOK), self._stage)
            except NetbootUnreachable as error:
                if time.monotonic() >= end:
                    raise
                if not lost:
                    self._say(f"the imaging server does not answer, asking again: {error.message}")
                lost = True
                time.sleep(_PAUSE)
                continue
            lost = False
            stage = waited["stage"]
            if stage != self._stage and stage in _SAYS and STAGES.index(stage) > STAGES.index(self._stage):
                self._say(_SAYS[stage])
                self._stage = stage
            if waited["checkin"] or time.monotonic() >= deadline:
                return waited

    def _take_back(self, entry_id: str) -> None:
        """The machine's next boot is from its disk again, whenever that will be.

        Where another run has made an entry meanwhile, the machine is that one's: this one was left behind by a
        controller that was killed.
        """
        if not self._remove(entry_id):
            return
        try:
            self._hand.boot_from("disk")
        except PowerUnsupported:
            pass
        except GoldenError as error:
            self._say(f"the boot device could not be taken back: {error.message}")

    def _remove(self, entry_id: str) -> bool:
        """:return: whether it was there, as far as that can be told."""
        try:
            return self._server.remove_entry(entry_id)
        except GoldenError as error:
            self._say(f"the entry could not be removed: {error.message}")
            return True
