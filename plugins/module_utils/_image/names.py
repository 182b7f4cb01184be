# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Names of images, and the keys under which a store keeps them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._errors import UsageError
from .._fields import DIGEST

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?")

STORE_KEY = "store.json"
IMAGES_KEY = "images"
PACKS_KEY = "packs"
DAMAGED_KEY = "damaged"
PRUNE_LEASE_KEY = "leases/prune.json"


@dataclass(frozen=True)
class ImageRef:
    """What a user calls an image: ``lab-a:2026.11``, ``lab-a:stable``, optionally pinned by ``@digest``."""

    name: str
    version: str  # or a tag
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


def parse_ref(text: str) -> ImageRef:
    """Read ``name:version``, ``name:tag`` or either with ``@digest``.

    :raises UsageError: it is not written like that.
    """
    body, _at, digest = text.partition("@")
    name, colon, version = body.partition(":")
    if not colon:
        raise UsageError(f"{text!r} does not say which version. Write name:version or name:tag, such as lab-a:stable.")
    if _at and not DIGEST.fullmatch(digest):
        raise UsageError(f"The digest in {text!r} is not 64 hexadecimal digits.")
    return ImageRef(check_name(name), check_version(version), digest or None)


def check_name(name: str) -> str:
    """The name of an image, if it is one.

    :raises UsageError: it is not: names become paths, so the rules are strict.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise UsageError(
            f"{name!r} is no image name. Use 1 to 64 of a-z 0-9 . _ - and begin and end with a letter or digit."
        )
    return name


def check_version(version: str) -> str:
    """The name of a version or tag, if it is one.

    :raises UsageError: it is not.
    """
    if not is_version(version):
        raise UsageError(
            f"{version!r} is no version or tag. Use 1 to 64 of A-Z a-z 0-9 . _ + - "
            "and begin and end with a letter or digit."
        )
    return version


def is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None and ".." not in text


def versions_key(name: str) -> str:
    return f"{IMAGES_KEY}/{name}/versions"


def tags_key(name: str) -> str:
    return f"{IMAGES_KEY}/{name}/tags"


def version_key(name: str, version: str, part: str) -> str:
    """The key of one of a version's objects: manifest.json, capture.json, <digest>.index, <digest>.locations."""
    return f"{versions_key(name)}/{version}/{part}"


def tag_key(name: str, tag: str) -> str:
    return f"{tags_key(name)}/{tag}.json"


def pack_key(digest: str) -> str:
    return f"{PACKS_KEY}/{digest[:2]}/{digest}.pack"


def damaged_key(pack: str) -> str:
    """The key under which the damaged chunks of a pack are written down."""
    return f"{DAMAGED_KEY}/{pack}.json"
