# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Volume groups of LVM on some devices and on nothing else, activated for a while."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from .._run import run

MEMBER = "LVM2_member"  # as blkid names what belongs to a volume group
_BLOCK = Path("/sys/block")


class Group(t.NamedTuple):
    """A volume group."""

    name: str
    uuid: str


class LogicalVolume(t.NamedTuple):
    """A logical volume that is active."""

    name: str  # with its group: vg/root
    device: str


def groups_on(devices: t.Sequence[str]) -> list[Group]:
    """:raises ToolMissing, ToolFailed: they cannot be read."""
    found = _report("vgs", "vg", ["--options", "vg_name,vg_uuid", *_only(devices)])
    return [Group(each["vg_name"], each["vg_uuid"]) for each in found]


def activate(group: Group, devices: t.Sequence[str]) -> tuple[list[LogicalVolume], str]:
    """Make its volumes devices.

    :returns: those that are, and what LVM says if that is not all; a disk of the group may be missing.
    :raises ToolFailed: it cannot be looked at.
    """
    only = _only(devices)
    said = run(["vgchange", "--activate", "y", *only, group.name], ok=range(256))
    found = _report("lvs", "lv", ["--options", "lv_name,lv_dm_path,lv_active", *only, group.name])
    active = [
        LogicalVolume(f"{group.name}/{each['lv_name']}", each["lv_dm_path"]) for each in found if each["lv_active"]
    ]
    return active, said.stderr.strip() if said.rc else ""


def deactivate(group: Group) -> None:
    """Nothing is done where it is not active.

    :raises ToolFailed: something of it is in use.
    """
    devices = [f"/dev/{name}" for name in sorted(_beneath(group))]
    if devices:
        run(["vgchange", "--activate", "n", *_only(devices), group.name])


def _only(devices: t.Sequence[str]) -> list[str]:
    """Options that hide all other devices: a group of the running system may have the same name."""
    accept = ", ".join(json.dumps(f"a|^{device}$|") for device in devices)
    config = f'devices {{ filter = [ {accept}, "r|.*|" ] use_devicesfile = 0 }} backup {{ backup = 0 archive = 0 }}'
    return ["--config", config]


def _report(tool: str, kind: str, options: list[str]) -> list[dict[str, str]]:
    said = run([tool, "--reportformat", "json", *options]).stdout
    return [row for report in json.loads(said)["report"] for row in report[kind]]


def _beneath(group: Group) -> set[str]:
    """The devices, of no device mapper, that active volumes of a group are on."""
    mine = f"LVM-{group.uuid.replace('-', '')}"
    mapped = [folder for folder in _BLOCK.glob("dm-*") if (folder / "dm/uuid").read_text("ascii").startswith(mine)]
    return {name for folder in mapped for name in os.listdir(folder / "slaves") if not name.startswith("dm-")}
