# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The name of a Windows that is not set up anew when it starts."""

from __future__ import annotations

import typing as t

from ..._errors import OsError
from ..hostnames import check_computer_name
from ..tree import Tree
from .facts import is_generalized
from .hive import Edit, change
from .values import string

_NAME = r"CurrentControlSet\Control\ComputerName\ComputerName"
_NETWORK = r"CurrentControlSet\Services\Tcpip\Parameters"


def apply(tree: Tree, name: str, check: bool) -> dict[str, t.Any]:
    """Give it a name.

    :returns: changed, diff, hostname.
    :raises OsError: it is generalized, so that Windows would take another name.
    """
    check_computer_name(name)
    if is_generalized(tree.root):
        raise OsError(
            f"The Windows at {tree.root.path} is generalized: it takes its name from the answer file when it starts. "
            "Use golden.fleet.os_unattend."
        )
    edits = [
        Edit(_NAME, "ComputerName", string(name.upper())),
        Edit(_NETWORK, "Hostname", string(name)),
        Edit(_NETWORK, "NV Hostname", string(name)),
    ]
    return {**change(tree.root, "SYSTEM", edits, check), "hostname": name}
