# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of a Windows that does not run, on a real NTFS: as much of one as anything of ours looks at."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._os import acl
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import WINDOWS, Tree
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.hive import PLACES
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.values import Value, string, value_of

from .disks import MIB, looped, make_filesystem, mounted
from .hives import Keys, make_hive

CONTROL = r"ControlSet002\Control"
_CURRENT = r"Microsoft\Windows\CurrentVersion"
_SIZE = 48 * MIB
# As Windows protects its hives: longer than what Python can read of an NTFS by itself.
HIVE_ACL = acl._descriptor(*(acl._allow((5, (80, number)), 0x001F01FF) for number in range(1, 9)))


def keys(generalized: bool = True) -> dict[str, Keys]:
    """The hives of a Windows, each with its keys and their values."""
    state = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE" if generalized else "IMAGE_STATE_COMPLETE"
    return {
        "SYSTEM": {
            "Select": {"Current": value_of("dword", 2)},
            "Setup": {"SetupType": value_of("dword", 0)},
            r"ControlSet001\Control": {"old": string("one")},
            rf"{CONTROL}\ComputerName\ComputerName": {"": string("mnmsrvc"), "ComputerName": string("REFERENCE")},
            rf"{CONTROL}\Session Manager\Environment": {"PROCESSOR_ARCHITECTURE": string("AMD64")},
            rf"{CONTROL}\Session Manager\Power": {"HiberbootEnabled": value_of("dword", 1)},
            r"ControlSet002\Services\Tcpip\Parameters": {
                "DataBasePath": value_of("expandstring", r"%SystemRoot%\System32\drivers\etc"),
                "Hostname": string("reference"),
                "NV Hostname": string("reference"),
                # What lies behind its text is not for us to take away.
                "Domain": Value(1, "lab.example\0and more".encode("utf-16-le")),
            },
            "MountedDevices": {r"\DosDevices\C:": value_of("binary", "d3c2b1a000001000"), "#{1}": value_of("none", "")},
        },
        "SOFTWARE": {
            r"Microsoft\Windows NT\CurrentVersion": {
                "ProductName": string("Windows 10 Pro"),
                "EditionID": string("Professional"),
                "DisplayVersion": string("23H2"),
                "CurrentBuildNumber": string("22631"),
                "UBR": value_of("dword", 3007),
            },
            rf"{_CURRENT}\Setup\State": {"ImageState": string(state)},
            rf"{_CURRENT}\WindowsUpdate": {"SusClientId": string("5f0c9d6f"), "other": string("stays")},
        },
        "SECURITY": {r"Policy\Secrets\$MACHINE.ACC\CurrVal": {"": value_of("binary", "00ff")}},
    }


@contextlib.contextmanager
def deployed_windows(folder: Path, generalized: bool = True, options: str = "norecover") -> t.Iterator[Tree]:
    """A Windows on an NTFS, mounted as ours are."""
    volume = make_filesystem(folder / "windows.img", "ntfs", _SIZE)
    with opened(volume, options) as tree:
        fill(Path(tree.root.path), generalized)
        yield tree


@contextlib.contextmanager
def opened(volume: Path, options: str = "norecover") -> t.Iterator[Tree]:
    with looped(volume) as node, mounted(node, "-t", "ntfs-3g", "-o", options) as mount:
        yield Tree(Root(str(mount), windows=True), WINDOWS, {})


def fill(mount: Path, generalized: bool = True) -> None:
    for hive, content in keys(generalized).items():
        write_hive(mount, hive, make_hive(content))
    (mount / "Windows/Panther").mkdir()


def write_hive(mount: Path, hive: str, content: bytes) -> None:
    """As Windows has it: protected, and not by our descriptor."""
    place = mount / PLACES[hive].lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    os.setxattr(place, acl.ATTRIBUTE, HIVE_ACL)
