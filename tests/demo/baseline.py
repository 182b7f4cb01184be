# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network boot is measured by: the same kernel and initramfs, started by QEMU itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..lab.inventory import SERVER
from ..lab.lab import Lab
from ..support.qemu import NetworkMachine

_MAC = "52:54:00:77:00:fe"  # of no machine in the lab
_ENTRY = Path("var/lib/golden.fleet/netboot/ipxe", f"{_MAC.replace(':', '-')}.ipxe")
_BOOT_ENVS = Path("srv/golden/http/boot-env")
_KERNEL = re.compile(r"^kernel \S+/boot-env/(\w+)/vmlinuz initrd=initrd.img (.+) \|\| goto failed$", re.MULTILINE)
_PATIENCE = 300.0


def seconds_to_check_in(lab: Lab) -> float:
    """How long from power-on to the check-in, with neither firmware nor boot loader nor a network to fetch from.

    :raises BootFailed: it does not check in.
    """
    entry = json.dumps({"mac": _MAC, "host": "measured"})
    lab.run("ansible", SERVER, "-m", "golden.fleet.netboot_entry", "-a", entry, log=lab.folder / "baseline.log")
    found = _KERNEL.search((lab.server_files / _ENTRY).read_text("utf-8"))
    assert found
    folder = lab.server_files / _BOOT_ENVS / found[1]
    machine = NetworkMachine(
        "measured", lab.folder, lab.network, _MAC, folder / "vmlinuz", folder / "initrd.img", processors=2
    )
    machine.cmdline = found[2]
    with machine:
        return machine.wait_for("accepted this machine", _PATIENCE)
