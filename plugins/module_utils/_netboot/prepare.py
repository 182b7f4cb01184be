# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Prepares a machine's next network boot, or takes that back."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass

from .._errors import NetbootDamaged
from .config import NetbootConfig
from .entry import BOOT_ENV, WAITING, BootEnv, Entry, new_entry
from .folder import NetbootFolder
from .watch import marks


@dataclass(frozen=True)
class EntryRequest:
    """An entry that shall be there.

    :ivar lifetime: seconds from now.
    :ivar renew: make a new one, with a new token, even where one like this waits.
    :ivar entry_id: of a new one.
    """

    mac: str
    host: str
    action: str
    lifetime: int
    renew: bool
    check: bool = False
    entry_id: str | None = None


def ensure_entry(config: NetbootConfig, request: EntryRequest) -> dict[str, t.Any]:
    """Make an entry, unless one like it waits.

    :returns: changed, entry, diff.
    """
    folder, now = NetbootFolder(config.state), int(time.time())
    found, _damaged = _found(folder, request.mac)
    if found and not request.renew and _still_good(found, request, now):
        return _result(found, found)
    env = _boot_env(config) if request.action == BOOT_ENV else None
    entry = new_entry(request.mac, request.host, request.action, now, request.lifetime, marks(config), request.entry_id)
    if request.check:
        folder.check(entry)
    else:
        folder.put(entry, env)
    return _result(found, entry)


def remove_entry(config: NetbootConfig, mac: str, entry_id: str | None, check: bool) -> dict[str, t.Any]:
    """Forget a machine's entry, or only the one with this id.

    :returns: changed, entry (the one that is gone, or null), diff.
    """
    folder = NetbootFolder(config.state)
    found, damaged = _found(folder, mac)
    if found and entry_id and found.id != entry_id:
        found = None
    if (found or damaged) and not check:
        folder.remove(mac, found.id if found else None)
    return {**_result(found, None), "changed": damaged or bool(found), "entry": found.shown() if found else None}


def _found(folder: NetbootFolder, mac: str) -> tuple[Entry | None, bool]:
    """The entry of a MAC address, and whether there is one that is damaged."""
    try:
        return folder.entry(mac), False
    except NetbootDamaged:
        return None, True


def _still_good(entry: Entry, request: EntryRequest, now: int) -> bool:
    """Half of its life left is enough: otherwise every run would make a new one."""
    wanted = (request.host, request.action, WAITING)
    return (entry.host, entry.action, entry.state) == wanted and entry.expires - now >= request.lifetime // 2


def _boot_env(config: NetbootConfig) -> BootEnv:
    digest = config.boot_env()
    return BootEnv(digest, config.http_url, config.checkin_url, config.parameters(digest))


def _result(before: Entry | None, after: Entry | None) -> dict[str, t.Any]:
    return {
        "changed": before != after,
        "entry": after.shown() if after else None,
        "diff": {"before": before.shown() if before else {}, "after": after.shown() if after else {}},
    }
