# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A machine that only a person can switch."""

from __future__ import annotations

from .base import UNKNOWN, Power

_BUTTON = "Nothing but a person can switch this machine (provider manual)"


class Manual(Power):
    """Says what to press."""

    name = "manual"

    def state(self) -> str:
        return UNKNOWN

    def on(self) -> None:
        raise self.unsupported(f"{_BUTTON}: press its power button.")

    def off(self, force: bool = False) -> None:  # noqa: ARG002  # the interface
        raise self.unsupported(f"{_BUTTON}: shut it down, or hold its power button for five seconds.")

    def reset(self, force: bool = False) -> None:  # noqa: ARG002  # the interface
        raise self.unsupported(f"{_BUTTON}: restart it, or press its reset button.")

    def start(self, force: bool = False) -> str:
        if force:
            raise self.unsupported(f"{_BUTTON}: switch it off and on.")
        return (
            "now switch it on, or restart it; in its boot menu (often F12, F11, F9 or Esc while it starts) choose the "
            "network, unless that comes first anyway"
        )

    def next_boot(self) -> str:
        return UNKNOWN

    def set_next_boot(self, target: str) -> None:
        raise self.unsupported(
            f"{_BUTTON}: choose the {target} in its boot menu, or put the network first in its boot order; without a "
            "netboot entry it goes on to its disk."
        )
