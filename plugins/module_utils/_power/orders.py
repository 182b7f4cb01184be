# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What the modules power and next_boot do, whatever the provider."""

from __future__ import annotations

import typing as t

from .._errors import PowerUnsupported
from .base import OFF, ON, Power

RESET = "reset"
_WOULD = {ON: "would switch it on", OFF: "would switch it off", RESET: "would restart it"}


def switch(power: Power, wanted: str | None, force: bool, check: bool) -> dict[str, t.Any]:
    """Bring a machine into a state, or restart it; or only look.

    :param wanted: ON, OFF, RESET, or None.
    :returns: changed, before, state, msg, diff.
    """
    before = power.state()
    if wanted in {None, before}:
        changed, said, after = False, f"it is {before}", before
    elif check:
        changed, said, after = True, _WOULD[str(wanted)], ON if wanted == RESET else str(wanted)
    else:
        changed, said, after = True, _obey(power, str(wanted), force), power.state()
    return {"changed": changed, "before": before, "state": after, "msg": said, "diff": _diff("power", before, after)}


def choose_next_boot(power: Power, target: str | None, check: bool) -> dict[str, t.Any]:
    """Choose what a machine boots next; or only look.

    :param target: NETWORK, DISK, or None.
    :returns: changed, before, next_boot, diff.
    """
    before = power.next_boot()
    after = target or before
    changed = before != after
    if changed and not check:
        power.set_next_boot(after)
    return {"changed": changed, "before": before, "next_boot": after, "diff": _diff("next boot", before, after)}


def _obey(power: Power, wanted: str, force: bool) -> str:
    if wanted == RESET:
        return power.start(force)
    if wanted == OFF:
        return _switch_off(power, force)
    power.on()
    return "switched on"


def _switch_off(power: Power, force: bool) -> str:
    try:
        power.off(force)
    except PowerUnsupported:
        if force or not power.goes_off():
            raise
        return "it has switched itself off"
    return "switched off"


def _diff(what: str, before: str, after: str) -> dict[str, str]:
    return {"before": f"{what}: {before}\n", "after": f"{what}: {after}\n"}
