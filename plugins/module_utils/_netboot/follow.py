# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Shows what becomes of entries, and waits for a check-in."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._errors import NetbootError
from .._units import show_duration
from .config import NetbootConfig
from .entry import WAITING, Entry
from .folder import NetbootFolder
from .traces import CHECKED_IN, STAGES
from .watch import MEANING, seen

_PAUSE = 1.0  # seconds between looks


@dataclass(frozen=True)
class WaitRequest:
    """A check-in to wait for.

    :ivar entry_id: of the boot that is meant; by default, of whatever entry this MAC address has.
    :ivar timeout: seconds.
    :ivar beyond: return as soon as the machine has come beyond this stage, or the time is over, too.
    """

    mac: str
    entry_id: str | None
    timeout: int
    beyond: str | None


def look(config: NetbootConfig, mac: str | None) -> dict[str, t.Any]:
    """What an imaging server is about to do, and what has become of it."""
    warnings: list[str] = []
    folder = NetbootFolder(config.state, warnings.append)
    entries = [each for each in folder.entries() if mac in {None, each.mac}]
    return {
        **({"warnings": warnings} if warnings else {}),
        "changed": False,
        "boot_env": config.boot_env(),
        "http_url": config.http_url,
        "checkin_url": config.checkin_url,
        "records": str(config.records),
        "entries": [{**each.shown(), **_progress(config, each)} for each in entries],
        "refusals": [each for each in folder.refusals() if mac in {None, each["mac"]}],
    }


def wait(config: NetbootConfig, request: WaitRequest) -> dict[str, t.Any]:
    """Return when the machine has checked in.

    :returns: entry, stage, meaning, checkin (null before it), refusals.
    :raises NetbootError: it has not checked in in time; the message says how far it came. Or the entry is gone.
    """
    deadline = time.monotonic() + request.timeout
    while True:
        entry = _entry(config, request)
        progress = _progress(config, entry)
        over, found = time.monotonic() >= deadline, {"changed": False, "entry": entry.shown(), **progress}
        if progress["checkin"] or (request.beyond and _is_beyond(progress["stage"], request.beyond)):
            return found
        if entry.state != WAITING or (over and not request.beyond):
            raise _overdue(entry, progress)
        if over:
            return found
        time.sleep(_PAUSE)


def _entry(config: NetbootConfig, request: WaitRequest) -> Entry:
    entry = NetbootFolder(config.state).entry(request.mac)
    if entry is None or (request.entry_id and entry.id != request.entry_id):
        raise NetbootError(
            f"There is no {'such ' if request.entry_id else ''}entry for {request.mac} on the imaging server"
            f"{': it was removed, or another run has replaced it' if request.entry_id else ''}.",
            mac=request.mac,
        )
    return entry


def _overdue(entry: Entry, progress: dict[str, t.Any]) -> NetbootError:
    """Why a machine does not check in, as far as it can be told."""
    since = show_duration(max(int(time.time()) - entry.created, 0))
    refused = (f" A check-in from {each['address']} was refused: {each['reason']}." for each in progress["refusals"])
    return NetbootError(
        f"{entry.host} ({entry.mac}) has not checked in for {since}. {progress['meaning']}{''.join(refused)}",
        mac=entry.mac,
        entry=entry.shown(),
        **progress,
    )


def _progress(config: NetbootConfig, entry: Entry) -> dict[str, t.Any]:
    folder = NetbootFolder(config.state)
    checkin = folder.checkin(entry.id)
    stage = CHECKED_IN if checkin else seen(config, entry)
    return {
        "stage": stage,
        "meaning": MEANING[stage],
        "checkin": checkin.as_dict() if checkin else None,
        "refusals": [each for each in folder.refusals() if each["mac"] == entry.mac and each["at"] >= entry.created],
    }


def _is_beyond(stage: str, other: str) -> bool:
    return STAGES.index(stage) > STAGES.index(other)
