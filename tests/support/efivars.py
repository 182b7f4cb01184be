# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder of UEFI variables that the real efibootmgr reads and writes, where its environment names it.

make_variables(folder, [disk_entry("debian"), network_entry("52:54:00:12:34:07")])
subprocess.run(["efibootmgr", "-v"], env={**os.environ, "EFIVARFS_PATH": f"{folder}/"})
"""

from __future__ import annotations

import struct
import typing as t
from pathlib import Path

_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
_ATTRIBUTES = struct.pack("<I", 7)
_ACTIVE = 1


def make_variables(folder: Path, entries: t.Sequence[bytes]) -> None:
    """Boot entries 0001, 0002 and so on, in this order; the system was started by the first."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(1, len(entries) + 1)
    for number, entry in zip(numbers, entries):
        _write(folder, f"Boot{number:04X}", entry)
    _write(folder, "BootOrder", struct.pack(f"<{len(entries)}H", *numbers))
    _write(folder, "BootCurrent", struct.pack("<H", 1))


def next_entry(folder: Path) -> int | None:
    """What the firmware would boot next, out of turn."""
    variable = folder / f"BootNext-{_GLOBAL}"
    return int(struct.unpack("<4xH", variable.read_bytes())[0]) if variable.exists() else None


def disk_entry(description: str) -> bytes:
    """A boot loader in the first partition of a disk."""
    partition = _node(4, 1, struct.pack("<IQQ16sBB", 1, 2048, 1024000, bytes(range(16)), 2, 2))
    loader = _node(4, 4, "\\EFI\\debian\\shimx64.efi\0".encode("utf-16-le"))
    return _entry(description, partition + loader)


def network_entry(mac: str, version: int = 4) -> bytes:
    """PXE over IPv4 or IPv6, as OVMF writes it."""
    digits = mac.replace(":", "")
    card = _node(2, 1, struct.pack("<II", 0x0A0341D0, 0)) + _node(1, 1, bytes([0, 4]))
    card += _node(3, 11, bytes.fromhex(digits).ljust(32, b"\0") + b"\1")
    address = _node(3, 12, bytes(23)) if version == 4 else _node(3, 13, bytes(56))
    return _entry(f"UEFI PXEv{version} (MAC:{digits.upper()})", card + address)


def _entry(description: str, path: bytes) -> bytes:
    path += _node(0x7F, 0xFF)
    return struct.pack("<IH", _ACTIVE, len(path)) + f"{description}\0".encode("utf-16-le") + path


def _node(kind: int, subkind: int, data: bytes = b"") -> bytes:
    return struct.pack("<BBH", kind, subkind, 4 + len(data)) + data


def _write(folder: Path, name: str, data: bytes) -> None:
    (folder / f"{name}-{_GLOBAL}").write_bytes(_ATTRIBUTES + data)
