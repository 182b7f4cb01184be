# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What the modules power and next_boot do, whatever kind of power it is."""

from __future__ import annotations

import typing as t

from .base import Power


def switch(power: Power, wanted: str, force: bool, check: bool) -> dict[str, t.Any]:
    """Bring a machine into a state, or restart it.

    :param wanted: on, off or reset.
    :returns: changed, state (before), msg, diff.
    """
    before = power.state()
    changed = before != wanted
    said = f"it is {before}"
    if changed and not check:
        said = _obey(power, wanted, force)
    after = "on" if wanted == "reset" else wanted
    return {"changed": changed, "state": before, "msg": said, "diff": _diff("power", before, after)}


def choose_next_boot(power: Power, target: str, check: bool) -> dict[str, t.Any]:
    """Choose what a machine boots next.

    :returns: changed, target, diff.
    """
    before = power.next_boot()
    changed = before != target
    if changed and not check:
        power.set_next_boot(target)
    return {"changed": changed, "target": target, "diff": _diff("next boot", before, target)}


def _obey(power: Power, wanted: str, force: bool) -> str:
    if wanted == "reset":
        return power.start(force)
    if wanted == "off":
        power.off(force)
    else:
        power.on()
    return f"switched {wanted}"


def _diff(what: str, before: str, after: str) -> dict[str, str]:
    return {"before": f"{what}: {before}\n", "after": f"{what}: {after}\n"}
