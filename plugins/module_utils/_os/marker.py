# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The note beside a deployed operating system that says which image it is from."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass

from .. import _fields
from .._disk.model import Disk
from .beneath import Root
from .find import System, find_system, mounted
from .linux.host_keys import public_keys
from .tree import LINUX, WINDOWS

# On Linux it is a local fact of Ansible, too: ansible_local.golden. Not beneath /var, which may be another filesystem.
PLACES: t.Final = {LINUX: "/etc/ansible/facts.d/golden.fact", WINDOWS: "/ProgramData/golden.fleet/golden.fact"}


@dataclass(frozen=True)
class Marker:
    """What a deploy leaves on the machine.

    :ivar image: name:version.
    :ivar digest: of the image's manifest.
    :ivar deploy: names this one deploy.
    :ivar at: such as 2026-11-01T12:00:00Z.
    """

    image: str
    digest: str
    deploy: str
    at: str


def marker_of(found: dict[str, t.Any]) -> Marker:
    """From its fields.

    :raises ValueError: one is missing or makes no sense.
    """
    return Marker(
        image=_fields.text(found, "image"),
        digest=_fields.digest(found, "digest"),
        deploy=_fields.text(found, "deploy"),
        at=_fields.moment(found, "at"),
    )


def marker_in(text: str | bytes) -> Marker | None:
    """From what a system has in its place. It may have written over it: what makes no sense is no marker."""
    try:
        return marker_of(json.loads(text))
    except (ValueError, AttributeError, RecursionError):
        return None


def deployed_info(disk: Disk) -> dict[str, t.Any]:
    """What a deployed disk holds.

    :returns: family, release, marker (null where there is none that can be read), path, ssh_host_keys.
    """
    system = find_system(disk)
    with mounted(disk, system) as root:
        marker = _read(root, system)
        return {"changed": False, "marker": asdict(marker) if marker else None, **_facts(disk, system, root)}


def mark(disk: Disk, marker: Marker | None, check: bool) -> dict[str, t.Any]:
    """Leave the marker on a deployed disk; or take away the one that is there.

    :returns: as deployed_info(), with diff.
    """
    system = find_system(disk)
    place = PLACES[system.family]
    with mounted(disk, system) as root:
        before = _read(root, system)
        changed = before != marker or (marker is None and root.exists(place))
        facts = _facts(disk, system, root)
    if changed and not check:
        with mounted(disk, system, writable=True) as root:
            if marker is None:
                root.remove(place)
            else:
                root.write(place, (json.dumps(asdict(marker), indent=1) + "\n").encode())
    then = asdict(marker) if marker else None
    diff = {"before": asdict(before) if before else {}, "after": then or {}}
    return {"changed": changed, "marker": then, "diff": diff, **facts}


def _facts(disk: Disk, system: System, root: Root) -> dict[str, t.Any]:
    return {
        "disk": disk.path,
        "family": system.family,
        "release": system.release,
        "path": PLACES[system.family],
        "ssh_host_keys": list(public_keys(root)) if system.family == LINUX else [],
    }


def _read(root: Root, system: System) -> Marker | None:
    return marker_in(root.read(PLACES[system.family]) or b"")
