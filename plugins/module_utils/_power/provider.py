# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The kinds of power, by name."""

from __future__ import annotations

import typing as t
from dataclasses import fields
from pathlib import Path

from .._errors import UsageError
from .._units import parse_duration
from .base import Power, PowerOptions
from .ipmi import Ipmi
from .manual import Manual
from .redfish import Redfish
from .ssh import Ssh
from .winrm import WinRm
from .wol import WakeOnLan

_KINDS: t.Final[tuple[type[Power], ...]] = (Redfish, Ipmi, WakeOnLan, Ssh, WinRm, Manual)
PROVIDERS = tuple(each.name for each in _KINDS)


def open_power(options: PowerOptions) -> Power:
    """What switches this machine.

    :raises UsageError: there is no such kind.
    :raises PowerError: something is not said that this kind needs.
    """
    for kind in _KINDS:
        if kind.name == options.provider:
            return kind(options)
    raise UsageError(f"There is no provider {options.provider!r}. There are {', '.join(PROVIDERS)}.")


def power_options(params: t.Mapping[str, t.Any]) -> PowerOptions:
    """The options of the modules power and next_boot, whatever else is among the parameters.

    :raises UsageError: the password's file cannot be read, or a duration is none.
    """
    names = [each.name for each in fields(PowerOptions)]
    found = {name: params[name] for name in names if params.get(name) is not None}
    if params.get("password_file"):
        found["password"] = _password(params["password_file"])
    if "timeout" in found:
        found["timeout"] = parse_duration(found["timeout"])
    return PowerOptions(**found)


def _password(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"password_file {path} cannot be read: {error.strerror}.") from error
