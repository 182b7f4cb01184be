# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this machine is, from sysfs and lsblk; for the check-in and the console."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

_DMI = {"vendor": "sys_vendor", "model": "product_name", "serial": "product_serial", "uuid": "product_uuid"}
_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_NO_DISKS = re.compile(r"/dev/(z?ram|fd|sr|nbd|loop)\d+|/dev/mmcblk\d+(boot\d+|rpmb|gp\d+)")
_ETHERNET = "1"
_MOST = 64  # of anything in a report
_LONGEST = 200  # characters


class Machine:
    """:param root: where /sys and /proc are."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def dmi(self) -> dict[str, str]:
        """Empty where the maker wrote nothing."""
        return {name: self._line(f"sys/class/dmi/id/{file}") for name, file in _DMI.items()}

    def firmware(self) -> str:
        return "uefi" if (self._root / "sys/firmware/efi").is_dir() else "bios"

    def secure_boot(self) -> bool | None:
        """None where the firmware does not say."""
        try:
            return (self._root / _SECURE_BOOT).read_bytes()[4:5] == b"\1"  # four bytes of attributes come first
        except OSError:
            return None

    def memory(self) -> int:
        """Bytes, without what firmware and kernel keep for themselves."""
        found = re.search(r"^MemTotal:\s+(\d+) kB", (self._root / "proc/meminfo").read_text("ascii"), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0

    def cards(self) -> dict[str, str]:
        """Names and MAC addresses of the network cards."""
        found = {}
        for folder in sorted((self._root / "sys/class/net").glob("*")):
            name = f"sys/class/net/{folder.name}"
            mac = self._line(f"{name}/address")
            if (folder / "device").exists() and self._line(f"{name}/type") == _ETHERNET and mac.strip("0:"):
                found[folder.name] = mac
        return found

    def has_link(self, card: str) -> bool:
        return self._line(f"sys/class/net/{card}/carrier") == "1"

    def describe(self) -> str:
        """For people."""
        dmi = self.dmi()
        name = f"{dmi['vendor']} {dmi['model']}".strip() or "unknown model"
        firmware = self.firmware().upper() + (" with Secure Boot" if self.secure_boot() else "")
        return f"{name}, serial {dmi['serial'] or 'unknown'}, {self.memory() / 2**30:.1f} GiB of memory, {firmware}"

    def _line(self, file: str) -> str:
        try:
            return as_line((self._root / file).read_text("utf-8", "replace"))
        except OSError:
            return ""


def report(machine: Machine, addresses: list[str], disks: list[dict[str, t.Any]], key: str, boot_env: str) -> bytes:
    """The body of a check-in."""
    found = {
        "version": 1,
        "macs": list(machine.cards().values())[:_MOST],
        "addresses": addresses[:_MOST],
        "ssh_host_key": key,
        "dmi": machine.dmi(),
        "firmware": machine.firmware(),
        "secure_boot": machine.secure_boot(),
        "memory": machine.memory(),
        "disks": disks[:_MOST],
        "boot_env": boot_env,
    }
    return json.dumps(found).encode()


def addresses() -> list[str]:
    """Where this machine can be reached."""
    return addresses_of(_output("ip", "-json", "address"))


def addresses_of(said: str) -> list[str]:
    """From the JSON of ``ip address``."""
    found = (each for card in json.loads(said or "[]") for each in card.get("addr_info", ()))
    return [each["local"] for each in found if each.get("scope") == "global"]


def disks() -> list[dict[str, t.Any]]:
    """Whole disks, once the kernel has found them."""
    subprocess.run(["udevadm", "settle", "--timeout=15"], check=False)
    return disks_of(_output("lsblk", "--json", "--bytes", "--nodeps", "--output=PATH,TYPE,SIZE,SERIAL,MODEL,WWN"))


def disks_of(said: str) -> list[dict[str, t.Any]]:
    """From the JSON of lsblk."""
    found = json.loads(said or "{}").get("blockdevices", ())
    return [
        {
            "path": each["path"],
            "size": int(each["size"]),
            **{name: as_line(each[name]) or None for name in ("serial", "model", "wwn")},
        }
        for each in found
        if each["type"] == "disk" and int(each["size"] or 0) and not _NO_DISKS.fullmatch(each["path"])
    ]


def as_line(text: str | None) -> str:
    """What a maker wrote, as a line of text: some write blanks, or bytes that are none."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())[:_LONGEST]


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False).stdout
