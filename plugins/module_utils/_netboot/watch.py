# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. How far a machine has come since its entry was made, by the logs, and what that means."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .config import NetbootConfig
from .entry import Entry
from .traces import BOOT_LOADER, CHECKED_IN, DHCP, ENTRY, KERNEL, NOTHING, furthest

_MOST = 64 << 20  # bytes of a log that are looked through

MEANING: t.Final = {
    NOTHING: "No request for an address came from it. Is it switched on, is this its MAC address, is network boot "
    "(PXE) enabled in its firmware and before the disk, and does its cable lead to the deployment network? If it shows "
    "its operating system now, it has ignored the boot order and started from its disk.",
    DHCP: "It asked for an address, but fetched no boot loader. If it shows its operating system now, it has ignored "
    "the boot order and started from its disk. Otherwise: does another DHCP server answer on this network with boot "
    "settings of its own, or does a firewall keep TFTP (UDP port 69) away from the imaging server?",
    BOOT_LOADER: "It fetched a boot loader, but not its own boot file. Can it reach the imaging server over HTTP (port "
    "80)? With Secure Boot on, it needs the loader shim instead of iPXE: imaging_server_uefi_loader.",
    ENTRY: "It read its boot file, but fetched no kernel. Look at its screen for what the boot loader says.",
    KERNEL: "It fetched the boot environment, which has not checked in. Look at its screen. Does the boot environment "
    "have a driver for its network card (boot_env_firmware_packages), at least 2 GB of memory, and can it reach the "
    "imaging server over HTTPS (port 443)?",
    CHECKED_IN: "It has checked in.",
}


def marks(config: NetbootConfig) -> dict[str, int]:
    """Lengths of the logs now: what comes after them is news."""
    return {name: _size(path) for name, path in _logs(config).items()}


def seen(config: NetbootConfig, entry: Entry) -> str:
    """The stage that the machine of this entry has reached, short of its check-in."""
    since = dict(entry.marks)
    dhcp, http = (_news(path, since.get(name, 0)) for name, path in _logs(config).items())
    return furthest(entry.mac, dhcp, http)


def _logs(config: NetbootConfig) -> dict[str, Path]:
    return {"dhcp": config.dhcp_log, "http": config.http_log}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _news(path: Path, start: int) -> t.Iterator[str]:
    """Lines after this position; all lines of a log that has been rotated since."""
    try:
        with path.open("rb") as file:
            size = _size(path)
            file.seek(max(start if start <= size else 0, size - _MOST))
            for line in file:
                yield line.decode("utf-8", "replace")
    except FileNotFoundError:
        return
