# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What ids a disk had and gets, noted in its filesystems until all is done.

Without it, nobody could tell after an interruption what in an initramfs is an old id of this disk, nor what in its
files is one that it was to get for another seed.
"""

from __future__ import annotations

import json
import typing as t

from ..beneath import Root
from .names import Id, Ids

_FILE = "/.golden-fleet-ids"

Former = t.Dict[str, t.List[str]]  # noqa: UP006  # evaluated at run time


def read(root: Root) -> Former | None:
    """By place, the ids that there were or were to be; None if nothing is noted. A disk may have anything there."""
    data = root.read(_FILE)
    if data is None:
        return None
    try:
        found = json.loads(data)
        return {str(place): [str(each) for each in values] for place, values in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def write(root: Root, former: Former) -> None:
    root.write(_FILE, json.dumps(former).encode(), mode=0o600)


def remove(root: Root) -> None:
    root.remove(_FILE)


def merged(ids: Ids, notes: t.Iterable[Former]) -> Former:
    """What each place has, and what is noted of it."""
    found = {place: [each.value] for place, each in ids.items()}
    for note in notes:
        for place, values in note.items():
            if place in ids:
                sensible = (each for each in values if Id(ids[place].kind, each).sensible())
                found[place] += [each for each in sensible if each not in found[place]]
    return found
