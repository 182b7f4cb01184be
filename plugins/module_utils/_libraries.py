# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Python libraries that a plain Python does not have, imported with an error that helps."""

from __future__ import annotations

import importlib
import sys
import types

from ._errors import LibraryMissing

_DEBIAN = {
    "netaddr": "python3-netaddr",
    "requests": "python3-requests",
    "sushy": "python3-sushy",
    "tzlocal": "python3-tzlocal",
    "winrm": "python3-winrm",
    "zstandard": "python3-zstandard",
}
# What only controllers need, by the name it is installed under.
_ON_CONTROLLERS = {"sushy": "sushy", "winrm": "pywinrm"}


def need(name: str) -> types.ModuleType:
    """Import a library.

    :raises LibraryMissing: it is not installed for the interpreter that runs the module.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = f" (Debian package {_DEBIAN[name]})" if name in _DEBIAN else ""
        raise LibraryMissing(
            f"The Python library {_ON_CONTROLLERS.get(name, name)}{package} is missing for {sys.executable}. "
            f"{_advice(name)}",
            library=name,
            python=sys.executable,
        ) from error


def _advice(name: str) -> str:
    if name in _ON_CONTROLLERS:
        return f"Install it on the controller: {sys.executable} -m pip install {_ON_CONTROLLERS[name]}"
    return (
        "Run the role golden.fleet.tools on this machine and set ansible_python_interpreter to the Python it makes, "
        "/opt/golden.fleet/bin/python; or install the library for this one."
    )
