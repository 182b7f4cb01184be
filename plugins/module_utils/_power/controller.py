# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What machines with a management controller have in common: nobody is believed.

What was asked for is read back until it is so: some controllers report old values for a while, and some complain about
what they do all the same.
"""

from __future__ import annotations

import abc
import typing as t
from functools import partial

from .._errors import PowerError, PowerIgnored, PowerRefused, PowerUnsupported
from .._units import show_duration
from .base import OFF, ON, UNKNOWN, Power, complaint_about
from .waiting import Overdue

SHUTDOWN = "shutdown"


class Controller(Power):
    """A provider fills in what follows here."""

    @abc.abstractmethod
    def _press(self, button: str) -> None:
        """Ask for power (ON), for no power (OFF), or for the operating system to end (SHUTDOWN)."""

    @abc.abstractmethod
    def _choose(self, target: str) -> None:
        """Ask for a boot device."""

    def _chosen(self) -> str:
        """The boot device that was asked for, even where the controller denies that it counts."""
        return self.next_boot()

    def on(self) -> None:
        if self.state() != ON:
            self._ask(partial(self._press, ON), self.state, ON, "switch on", "Look at its console.")

    def off(self, force: bool = False) -> None:
        if self.state() == OFF:
            return
        if force:
            self._ask(partial(self._press, OFF), self.state, OFF, "switch off", "Look at its console.")
        else:
            advice = "Its operating system does not react to the power button, or takes longer: use force, or wait."
            self._ask(partial(self._press, SHUTDOWN), self.state, OFF, "shut down", advice)

    def goes_off(self) -> bool:
        try:
            self._deadline().until(_Patient(self.state), {OFF})
        except Overdue:
            return False
        return True

    def reset(self, force: bool = False) -> None:
        """Off and on: both can be seen, which a restart cannot."""
        self.off(force)
        self.on()

    def set_next_boot(self, target: str) -> None:
        advice = f"Does its firmware allow another boot device? If not, put the {target} first in its boot order."
        self._ask(partial(self._choose, target), self._chosen, target, f"boot from the {target}", advice)

    def _ask(
        self, ask: t.Callable[[], None], look: t.Callable[[], str], wanted: str, request: str, advice: str
    ) -> None:
        complaint = complaint_about(ask)
        patient = _Patient(look)
        try:
            self._deadline().until(patient, {wanted})
        except Overdue as overdue:
            reason = complaint or (patient.trouble if overdue.seen == UNKNOWN else None)
            waited = show_duration(self.options.timeout)
            raise self.failure(
                f"{self.options.address} was told to {request}, but after {waited} reads {overdue.seen!r}. "
                f"{f'It said: {reason.message} ' if reason else ''}{advice}",
                PowerIgnored,
                seen=overdue.seen,
            ) from reason


class _Patient:
    """Looks, and takes an error for a controller that is busy with what it was asked for.

    :ivar trouble: the last error.
    """

    def __init__(self, look: t.Callable[[], str]) -> None:
        self.trouble: PowerError | None = None
        self._look = look

    def __call__(self) -> str:
        try:
            return self._look()
        except (PowerRefused, PowerUnsupported):
            raise
        except PowerError as error:
            self.trouble = error
            return UNKNOWN
