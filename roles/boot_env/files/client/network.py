# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for the network; systemd-networkd brings up the card that this machine booted from, see boot-card."""

from __future__ import annotations

import subprocess
import time
import typing as t
from pathlib import Path

from .hardware import Machine, addresses

CARD_PATIENCE = 30.0
"""Seconds that the card which the machine booted from may take to appear; after that any card will do."""

_FILE = Path("/run/systemd/network/10-golden.network")
_ANY_CARD = "[Match]\nType=ether\nKind=!*\n"
_STEP = 0.25


def wait_for_address(machine: Machine, mac: str, show: t.Callable[[str], None], deadline: float) -> str | None:
    """Wait until there is an address.

    :param show: is told what is waited for.
    :param deadline: by the monotonic clock.
    :returns: the address, None if there was none in time.
    """
    any_card_from = time.monotonic() + CARD_PATIENCE
    while time.monotonic() < deadline:
        found = addresses()
        if found:
            return found[0]
        cards = machine.cards()
        if mac and mac not in cards.values() and time.monotonic() > any_card_from:
            mac = ""  # so the server will at least tell in its log which machine this is
            _FILE.write_text(_ANY_CARD, "ascii")
            _systemctl("restart", "systemd-networkd.service")
        show(_waits_for(machine, cards, mac))
        time.sleep(_STEP)
    return None


def _waits_for(machine: Machine, cards: dict[str, str], mac: str) -> str:
    meant = {name: card for name, card in cards.items() if not mac or card == mac}
    names = ", ".join(f"{name} ({card})" for name, card in meant.items())
    if not meant:
        return f"the network card {mac} that this machine booted from" if mac else "a network card with a driver"
    if not any(map(machine.has_link, meant)):
        return f"a link on {names}: is the cable plugged in?"
    return f"an address from DHCP on {names}"


def resolve_names() -> None:
    """Start the resolver: not before it is needed, since it keeps a slow processor busy for seconds."""
    _systemctl("start", "systemd-resolved.service")


def _systemctl(*words: str) -> None:
    subprocess.run(["systemctl", *words], check=False)
