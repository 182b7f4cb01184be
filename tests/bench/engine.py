# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. One process that does what the modules do: opens store and disk and calls the engine.

engine.py capture|apply|apply-unread|plan DISK STORE NAME:VERSION [PROCESSORS]
engine.py extents DISK
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.survey import survey
from ansible_collections.golden.fleet.plugins.module_utils._image.apply import ApplyRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._image.capture import CaptureRequest, capture
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._progress import Silent
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store


def _capture(disk: str, store: str, image: str) -> dict[str, t.Any]:
    with_store = open_store(StoreLocation(store))
    return capture(with_store, CaptureRequest(read_disk(disk), parse_ref(image)), Silent())


def _apply(disk: str, store: str, image: str, verify: str = "written") -> dict[str, t.Any]:
    request = ApplyRequest(read_disk(disk), parse_ref(image), erase=True, verify=verify)
    return apply(open_store(StoreLocation(store)), request, Silent())


def _apply_unread(disk: str, store: str, image: str) -> dict[str, t.Any]:
    return _apply(disk, store, image, verify="none")


def _plan(disk: str, store: str, image: str) -> dict[str, t.Any]:
    request = ApplyRequest(read_disk(disk), parse_ref(image), erase=True, check=True)
    return apply(open_store(StoreLocation(store)), request, Silent())


def _extents(disk: str) -> list[tuple[int, int]]:
    return list(survey(read_disk(disk)).used)


_VERBS: dict[str, t.Callable[..., t.Any]] = {
    "apply": _apply,
    "apply-unread": _apply_unread,
    "capture": _capture,
    "extents": _extents,
    "plan": _plan,
}


def _pretend(processors: str) -> None:
    """Let the engine believe in more processors than there are: it chooses the number of its threads by them."""
    os.sched_getaffinity = lambda _pid: set(range(int(processors)))


if __name__ == "__main__":
    for count in sys.argv[5:]:
        _pretend(count)
    print(json.dumps(_VERBS[sys.argv[1]](*sys.argv[2:5])))
