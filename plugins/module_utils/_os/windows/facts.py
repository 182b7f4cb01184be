# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a Windows that does not run says of itself."""

from __future__ import annotations

import typing as t

from ..._errors import LibraryMissing, OsError
from ..beneath import Root
from .hive import read_keys
from .libhivex import Values
from .values import number_in, text_in

_VERSION = r"Microsoft\Windows NT\CurrentVersion"
_STATE = r"Microsoft\Windows\CurrentVersion\Setup\State"
_CONTROL = r"CurrentControlSet\Control"
_GENERALIZED = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
_ARCHITECTURES = {"AMD64": "amd64", "ARM64": "arm64", "x86": "x86"}
_FIRST_BUILD_OF_11 = 22000


def facts(root: Root) -> dict[str, t.Any]:
    """name, edition, version, build, architecture, hostname, generalized, fast_startup; all null but ``registry`` where
    its registry cannot be read: that says why.
    """
    try:
        return {**_software(root), **_system(root), "registry": None}
    except (LibraryMissing, OsError) as error:
        nothing = dict.fromkeys(("name", "edition", "version", "build", "generalized"))
        return {**nothing, **dict.fromkeys(("architecture", "hostname", "fast_startup")), "registry": error.message}


def is_generalized(root: Root) -> bool:
    """Whether it will be set up anew when it starts, so that Windows asks for an answer file.

    :raises OsError: its registry cannot be read.
    """
    return bool(_software(root)["generalized"])


def architecture(root: Root) -> str:
    """As an answer file has it.

    :raises OsError: its registry cannot be read, or does not say.
    """
    found = _system(root)["architecture"]
    if found is None:
        raise OsError("The registry of the deployed system does not say for which processors it is.")
    return str(found)


def _software(root: Root) -> dict[str, t.Any]:
    version, state = read_keys(root, "SOFTWARE", _VERSION, _STATE)
    build, update = _text(version, "CurrentBuildNumber"), number_in((version or {}).get("UBR"))
    return {
        "name": _name(_text(version, "ProductName"), build),
        "edition": _text(version, "EditionID"),
        "version": _text(version, "DisplayVersion") or _text(version, "ReleaseId"),
        "build": build if build is None or update is None else f"{build}.{update}",
        "generalized": _text(state, "ImageState") == _GENERALIZED,
    }


def _name(product: str | None, build: str | None) -> str | None:
    """Windows 11 calls itself Windows 10 there."""
    if product and build and build.isdecimal() and int(build) >= _FIRST_BUILD_OF_11:
        return product.replace("Windows 10 ", "Windows 11 ")
    return product


def _system(root: Root) -> dict[str, t.Any]:
    environment, power, name = read_keys(
        root,
        "SYSTEM",
        rf"{_CONTROL}\Session Manager\Environment",
        rf"{_CONTROL}\Session Manager\Power",
        rf"{_CONTROL}\ComputerName\ComputerName",
    )
    return {
        "architecture": _ARCHITECTURES.get(_text(environment, "PROCESSOR_ARCHITECTURE") or ""),
        "hostname": _text(name, "ComputerName"),
        "fast_startup": number_in((power or {}).get("HiberbootEnabled")) == 1,
    }


def _text(values: Values | None, name: str) -> str | None:
    """Of an untrusted system: for people, so one line of what can be printed."""
    found = "".join(char for char in text_in((values or {}).get(name)) if char.isprintable())
    return found[:200] or None
