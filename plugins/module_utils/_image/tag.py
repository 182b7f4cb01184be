# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Tag: movable names for versions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .._errors import UsageError
from .._store.base import Store
from .library import Library, Tag
from .names import ImageRef, check_version


@dataclass(frozen=True)
class TagRequest:
    """Which tags an image gets or loses."""

    ref: ImageRef  # for absent only its name counts, and the version if one is given
    tags: tuple[str, ...]
    present: bool = True
    check: bool = False


def tag(store: Store, request: TagRequest) -> dict[str, t.Any]:
    """Set or remove tags.

    :returns: changed, image, digest (when present), tags (all tags of the image afterwards), diff.
    """
    library = Library(store)
    for name in request.tags:
        check_version(name)
    library.check()
    before = library.readable_tags(request.ref.name)
    return _set(library, request, before) if request.present else _remove(library, request, before)


def _set(library: Library, request: TagRequest, before: dict[str, Tag | None]) -> dict[str, t.Any]:
    image = library.find(request.ref)
    for name in set(request.tags) & set(library.versions(image.name)):
        raise UsageError(f"{image.name}:{name} is a version; a tag needs a name of its own.")
    after = {**before, **{name: Tag(name, image.version, image.digest) for name in request.tags}}
    stale = [name for name in request.tags if before.get(name) != after[name]]
    if stale and not request.check:
        for name in stale:
            library.set_tag(image, name)
        library.find(image.ref)  # a prune may have removed it in between: then say so
    return _result(request, before, after, bool(stale), {"image": str(image.ref), "digest": image.digest})


def _remove(library: Library, request: TagRequest, before: dict[str, Tag | None]) -> dict[str, t.Any]:
    doomed = [name for name in request.tags if name in before]
    after = {name: tag for name, tag in before.items() if name not in doomed}
    if not request.check:
        for name in doomed:
            library.remove_tag(request.ref.name, name)
    return _result(request, before, after, bool(doomed), {"image": request.ref.name})


def _result(
    request: TagRequest,
    before: dict[str, Tag | None],
    after: dict[str, Tag | None],
    changed: bool,
    facts: dict[str, t.Any],
) -> dict[str, t.Any]:
    diff = {"before": _as_text(request, before), "after": _as_text(request, after)}
    tags = {name: tag.version for name, tag in after.items() if tag}
    return {"changed": changed, "tags": tags, "diff": diff, **facts}


def _as_text(request: TagRequest, tags: dict[str, Tag | None]) -> str:
    lines = ((name, tag.version if tag else "(damaged)") for name, tag in sorted(tags.items()))
    return "".join(f"{request.ref.name}:{name} -> {version}\n" for name, version in lines)
