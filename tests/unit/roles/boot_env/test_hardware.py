# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the client says of a machine; from recorded output and trees like those of /sys and /proc."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._netboot.report import decode
from ansible_collections.golden.fleet.roles.boot_env.files.client.hardware import (
    Machine,
    addresses_of,
    as_line,
    disks_of,
    report,
)

TRANSCRIPTS = Path(__file__).with_name("transcripts")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOi1G//kYiqzd8/l3lsNjvLBnu2jnMobh2uXgnMQmJJr"
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(
        tmp_path,
        {
            "proc/meminfo": "MemTotal:        2014104 kB\nMemFree:         1582028 kB\n",
            "sys/class/dmi/id/sys_vendor": "Example Inc.  \n",
            "sys/class/dmi/id/product_name": "Desktop\x007\n",
            "sys/class/dmi/id/product_serial": b"S-\xff1\n",
            "sys/class/net/enp0s2/address": "52:54:00:12:34:56\n",
            "sys/class/net/enp0s2/type": "1\n",
            "sys/class/net/enp0s2/carrier": "1\n",
            "sys/class/net/enp0s2/device/vendor": "0x1af4\n",
            "sys/class/net/eno1/address": "52:54:00:12:34:55\n",
            "sys/class/net/eno1/type": "1\n",
            "sys/class/net/eno1/device/vendor": "0x8086\n",
            "sys/class/net/lo/address": "00:00:00:00:00:00\n",
            "sys/class/net/lo/type": "772\n",
            "sys/class/net/docker0/address": "02:42:00:00:00:01\n",
            "sys/class/net/docker0/type": "1\n",
            "sys/class/net/ib0/address": "80:00:00:48:fe:80:00:00:00:00:00:00:f4:52:14:03:00:7b:cb:a1\n",
            "sys/class/net/ib0/type": "32\n",
            "sys/class/net/ib0/device/vendor": "0x15b3\n",
        },
    )
    return tmp_path


def test_cards_are_those_that_one_can_boot_from(root: Path) -> None:
    machine = Machine(root)
    assert machine.cards() == {"eno1": "52:54:00:12:34:55", "enp0s2": "52:54:00:12:34:56"}
    assert machine.has_link("enp0s2")
    assert not machine.has_link("eno1")


def test_dmi_is_text_whatever_the_maker_wrote(root: Path) -> None:
    assert Machine(root).dmi() == {"vendor": "Example Inc.", "model": "Desktop 7", "serial": "S-\ufffd1", "uuid": ""}


@pytest.mark.parametrize(
    ("files", "firmware", "secure"),
    [
        ({}, "bios", None),
        ({"sys/firmware/efi/fw_platform_size": b"64"}, "uefi", None),
        ({SECURE_BOOT: b"\x06\0\0\0\x01"}, "uefi", True),
        ({SECURE_BOOT: b"\x06\0\0\0\x00"}, "uefi", False),
    ],
)
def test_firmware(root: Path, files: dict[str, str | bytes], firmware: str, secure: bool | None) -> None:
    write(root, files)
    assert (Machine(root).firmware(), Machine(root).secure_boot()) == (firmware, secure)


def test_disks_are_whole_and_fixed() -> None:
    found = disks_of((TRANSCRIPTS / "lsblk-2.38.1-boot_env.json").read_text())
    assert [(each["path"], each["size"] >> 30, each["serial"], each["model"]) for each in found] == [
        ("/dev/sda", 4, "QM00042", "QEMU HARDDISK"),
        ("/dev/vda", 3, "VIRT-7", None),
        ("/dev/nvme0n1", 5, "NV 1", "QEMU NVMe Ctrl"),
    ]


def test_addresses_are_those_that_others_can_reach() -> None:
    assert addresses_of((TRANSCRIPTS / "ip-6.1.0-boot_env.json").read_text()) == ["10.77.0.58"]


def test_tools_that_say_nothing() -> None:
    assert disks_of("") == []
    assert addresses_of("") == []


def test_server_understands_the_report(root: Path) -> None:
    disks = disks_of((TRANSCRIPTS / "lsblk-2.38.1-boot_env.json").read_text())
    body = report(Machine(root), ["10.77.0.58"], disks, KEY, "d" * 32)
    found = decode(body)
    assert found.macs == ("52:54:00:12:34:55", "52:54:00:12:34:56")
    assert (found.memory, found.firmware, found.ssh_host_key) == (2014104 * 1024, "bios", KEY)
    assert [disk["wwn"] for disk in found.disks][:2] == ["0x5000c500a1b2c3d4", None]


def test_report_of_a_machine_with_too_much_of_everything(root: Path) -> None:
    for number in range(100):
        write(root, {f"sys/class/net/e{number:03}/address": f"52:54:00:00:00:{number:02x}"})
        write(root, {f"sys/class/net/e{number:03}/type": "1", f"sys/class/net/e{number:03}/device/vendor": ""})
    long = {"path": "/dev/sda", "type": "disk", "size": 1, "serial": "s" * 9000, "model": "\x07m\n", "wwn": None}
    body = report(Machine(root), [], disks_of(json.dumps({"blockdevices": [long] * 100})), KEY, "d")
    found = decode(body)
    assert (len(found.macs), len(found.disks), found.disks[0]["model"]) == (64, 64, "m")


def test_a_line_is_a_line() -> None:
    assert as_line(None) == ""
    assert as_line(" To be\tfilled\n by O.E.M.\u2028 ") == "To be filled by O.E.M."


def test_people_see_what_machine_it_is(root: Path) -> None:
    assert Machine(root).describe() == "Example Inc. Desktop 7, serial S-\ufffd1, 1.9 GiB of memory, BIOS"
