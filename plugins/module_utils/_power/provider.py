# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Opens what switches a machine."""

from __future__ import annotations

import typing as t

from .._errors import UsageError
from .base import Power
from .ipmi import Ipmi
from .manual import Manual
from .options import PowerOptions
from .redfish import Redfish
from .ssh import Ssh
from .winrm import WinRm
from .wol import WakeOnLan

PROVIDERS: t.Final[dict[str, type[Power]]] = {
    each.name: each for each in (Ipmi, Manual, Redfish, Ssh, WakeOnLan, WinRm)
}


def open_power(options: PowerOptions) -> Power:
    """What switches this machine. Nothing is sent yet. Close it.

    :raises UsageError: there is no such provider, or it lacks something.
    """
    if options.provider not in PROVIDERS:
        raise UsageError(f"There is no provider {options.provider!r}. There are {', '.join(PROVIDERS)}.")
    kind = PROVIDERS[options.provider]
    missing = [name for name in kind.needs if not getattr(options, name)]
    if missing:
        raise UsageError(f"The power provider {options.provider} needs {' and '.join(missing)}.")
    return kind(options)
