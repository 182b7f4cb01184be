# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the option spec DISK_SPEC means."""

    DOCUMENTATION = r"""
options:
  disk:
    description:
      - Which disk is meant. Exactly one must fit; otherwise the task fails and lists all disks, each with
        the reason why it was not taken.
      - V(auto) is the only disk that is free, writable, and neither removable nor on USB. A disk is not free
        while something of it is mounted, used as swap, or held by LVM, RAID, multipath or encryption.
      - An absolute path is a block device, one of its links in C(/dev/disk), or a plain file that is treated
        as a disk. Names such as C(/dev/sda) may mean another disk after the next boot; prefer facts.
      - A dictionary holds facts about the disk; all of them must be true. M(golden.fleet.disk_info) shows the
        facts of a machine's disks.
      - Text facts are C(serial), C(wwn), C(model) (may have wildcards, upper and lower case are the same),
        C(transport) (such as C(sata), C(nvme), C(sas), C(usb)), C(by_path) (a name in C(/dev/disk/by-path))
        and C(path). Put them in quotes, so that YAML does not take a serial for a number.
      - C(min_size) and C(max_size) are sizes such as C(200GB) or C(120GiB), C(rotational) is a boolean.
      - C(sector_size) may stand beside C(path) when that is a plain file, C(512) unless told.
      - A removable disk or one on USB is taken only if C(serial), C(wwn), C(by_path) or C(path) name it.
    type: raw
    required: true
"""
