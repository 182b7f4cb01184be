# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What this machine is: for manifests and records."""

from __future__ import annotations

import platform
import socket
import typing as t
from dataclasses import asdict
from pathlib import Path

from ._disk.model import Disk
from ._errors import GoldenError
from ._libraries import need
from ._run import run

_DMI = {"vendor": "sys_vendor", "product": "product_name", "serial": "product_serial", "uuid": "product_uuid"}
_FIRMWARE = Path("/sys/class/dmi/id")
_LEAST_DIGITS = 4  # an id of all zeros, or all F, is none
_OF_ALL = {"03000200-0400-0500-0006-000700080009"}  # what makers of boards forget to replace


def source_facts(disk: Disk) -> dict[str, t.Any]:
    """Where an image comes from. Keys: hostname, firmware, dmi, disk."""
    return {
        "hostname": socket.gethostname(),
        "architecture": platform.machine(),
        "firmware": "uefi" if Path("/sys/firmware/efi").is_dir() else "bios",
        "dmi": {name: _dmi(file) for name, file in _DMI.items()},
        "disk": {
            key: value
            for key, value in asdict(disk).items()
            if key in {"path", "size", "sector_size", "physical_sector_size", "serial", "wwn", "model", "transport"}
        },
    }


def machine_uuid() -> str | None:
    """By which its firmware tells this machine from all others; None where it does not."""
    uid = (_dmi(_DMI["uuid"]) or "").lower()
    digits = uid.replace("-", "")
    return None if len(set(digits)) < _LEAST_DIGITS or uid in _OF_ALL else uid


def tool_versions() -> dict[str, str]:
    """Versions of what takes part in a capture."""
    versions = {name: str(need(name).__version__) for name in ("blake3", "zstandard")}
    versions["python"] = platform.python_version()
    for name, argv in (("partclone", ["partclone.dd", "--version"]), ("sfdisk", ["sfdisk", "--version"])):
        versions[name] = _version(argv)
    return versions


def _version(argv: list[str]) -> str:
    try:
        said = run(argv, ok=range(256), timeout=20)
    except GoldenError:
        return "missing"
    words = (said.stdout or said.stderr).split()
    return next((word for word in words if word[:1].isdigit() or word[:2] in {"v0", "v1"}), "unknown")


def _dmi(file: str) -> str | None:
    try:
        return (_FIRMWARE / file).read_text("utf-8", "replace").strip() or None
    except OSError:
        return None
