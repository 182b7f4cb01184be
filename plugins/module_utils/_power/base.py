# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What can be done to a machine's power, whatever carries it out."""

from __future__ import annotations

import abc
import typing as t
from functools import partial

from .._errors import PowerError, PowerRefused, PowerUnsupported
from .options import PowerOptions
from .waiting import Deadline

ON, OFF, UNKNOWN = "on", "off", "unknown"
# NONE: as the firmware is set up. UNKNOWN: something else, or nobody can tell.
NETWORK, DISK, NONE = "network", "disk", "none"
TARGETS = (NETWORK, DISK)


class Power(abc.ABC):
    """One machine. What returns has happened, as far as this provider can see.

    Every method raises PowerError where it did not happen, PowerRefused where the credentials are wrong, and
    PowerUnsupported where this provider cannot do that at all.

    :cvar name: of the provider.
    :cvar needs: options that it cannot do without.
    """

    name: t.ClassVar[str]
    needs: t.ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: PowerOptions, deadline: t.Callable[[float], Deadline] = Deadline) -> None:
        self.options = options
        self._deadline = partial(deadline, options.timeout)

    @abc.abstractmethod
    def state(self) -> str:
        """ON, OFF or UNKNOWN."""

    @abc.abstractmethod
    def on(self) -> None:
        """Switch it on. One that is on stays as it is."""

    @abc.abstractmethod
    def off(self, force: bool = False) -> None:
        """Let its operating system shut down; by force, take its power away. One that is off stays as it is."""

    @abc.abstractmethod
    def reset(self, force: bool = False) -> None:
        """Let its operating system end, and start it again; by force, without asking. Afterwards it is on."""

    @abc.abstractmethod
    def next_boot(self) -> str:
        """NETWORK, DISK, NONE or UNKNOWN."""

    @abc.abstractmethod
    def set_next_boot(self, target: str) -> None:
        """Tell it to boot from the NETWORK or the DISK next; once, where it can be told so. Nothing is restarted."""

    def start(self, force: bool = False) -> str:
        """Make it boot: switch it on where it is off, restart it where it is on.

        :returns: what was done, for a person.
        """
        if self.state() == OFF:
            self.on()
            return "switched on"
        self.reset(force)
        return "switched off and on by force" if force else "restarted"

    def goes_off(self) -> bool:
        """Whether it switches itself off in time, as a system does that has been told to end in another way."""
        return False

    def close(self) -> None:  # noqa: B027  # most have nothing to close
        """End connections, if there are any."""

    def failure(self, message: str, kind: type[PowerError] = PowerError, **facts: t.Any) -> PowerError:
        """An error that says whom it is about."""
        return kind(message, provider=self.name, address=self.options.address or None, **facts)

    def unsupported(self, message: str) -> PowerError:
        """Something that this provider cannot do, and what to do instead."""
        return self.failure(message, PowerUnsupported, unsupported=True)


def complaint_about(ask: t.Callable[[], None]) -> PowerError | None:
    """Ask for something. An error is returned: whether it counts shows when it is looked at what became of it.

    :raises PowerRefused: it was not even heard.
    :raises PowerUnsupported: likewise.
    """
    try:
        ask()
    except (PowerRefused, PowerUnsupported):
        raise
    except PowerError as error:
        return error
    return None


def tls_advice(error: Exception) -> str:
    """What to do about a connection that failed for its certificate; empty if it was something else."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return ""
    return "Its certificate is not trusted: name its CA with ca_file, or do without with verify_tls=false. "
