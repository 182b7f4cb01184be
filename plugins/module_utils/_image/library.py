# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A store in the words of the design: images, versions, tags."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .. import _fields
from .._errors import AlreadyInStore, ImageDamaged, ImageExists, ImageNotFound, ImageUnsupported, NotInStore, UsageError
from .._fields import DIGEST
from .._store.base import Store
from . import index, locations, manifest
from ._codec import digest
from .chunks import zero_digest
from .index import Index
from .locations import Locations
from .manifest import Manifest
from .names import (
    IMAGES_KEY,
    PACKS_KEY,
    STORE_KEY,
    ImageRef,
    check_name,
    check_version,
    is_version,
    tag_key,
    tags_key,
    version_key,
    versions_key,
)

_STORE_FORMAT = 1
_STORE_DOCUMENT = {"format": "golden.fleet store", "format_version": _STORE_FORMAT}


@dataclass(frozen=True)
class Tag:
    """A movable name for a version."""

    name: str
    version: str
    digest: str  # of the manifest it was set to


class Library:
    """Reads and publishes images."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def check(self) -> None:
        """Make sure that this is a store, and one we can read.

        :raises ImageNotFound: there is no store here.
        :raises ImageUnsupported: a newer golden.fleet made it.
        """
        try:
            document = self._json(STORE_KEY)
        except NotInStore as error:
            raise ImageNotFound(
                f"{self.store.url} holds no images: it is not a golden.fleet store. "
                "The first capture into it makes it one; check the address if that has happened.",
                store=self.store.url,
            ) from error
        if document.get("format") != _STORE_DOCUMENT["format"] or document.get("format_version") != _STORE_FORMAT:
            raise ImageUnsupported(
                f"{self.store.url} was made by another version of golden.fleet: {document}.", store=self.store.url
            )

    def exists(self) -> bool:
        """Is there a store yet?"""
        return self._has(STORE_KEY)

    def make(self) -> None:
        """Make it a store, if it is not one yet."""
        try:
            self.store.create(STORE_KEY, json.dumps(_STORE_DOCUMENT).encode())
        except AlreadyInStore:
            self.check()

    def names(self) -> list[str]:
        """The images that have a published version."""
        return [name for name in self._folders(IMAGES_KEY, check_name) if self.versions(name)]

    def versions(self, name: str) -> list[str]:
        """The published versions of an image."""
        return [version for version in self.begun(name) if self.is_published(ImageRef(name, version))]

    def begun(self, name: str) -> list[str]:
        """Every version somebody began to capture, published or not."""
        return self._folders(versions_key(name), check_version)

    def begun_everywhere(self) -> list[ImageRef]:
        """The same of every image."""
        return [
            ImageRef(name, version) for name in self._folders(IMAGES_KEY, check_name) for version in self.begun(name)
        ]

    def unpublished(self) -> list[ImageRef]:
        """Versions of which there is something, but no manifest. On a web server, folders outlive their content."""
        return [
            ref
            for ref in self.begun_everywhere()
            if not self.is_published(ref) and self.store.list(f"{versions_key(ref.name)}/{ref.version}")
        ]

    def is_published(self, ref: ImageRef) -> bool:
        return self._has(version_key(ref.name, ref.version, "manifest.json"))

    def tags(self, name: str) -> list[Tag]:
        """The tags of an image.

        :raises ImageDamaged: one of them is.
        """
        return list(filter(None, (self.tag(name, tag) for tag in self._tag_names(name))))

    def readable_tags(self, name: str) -> dict[str, Tag | None]:
        """The same by their names, with None for one that is damaged."""
        found: dict[str, Tag | None] = {}
        for name_of_tag in self._tag_names(name):
            try:
                tag = self.tag(name, name_of_tag)
            except ImageDamaged:
                found[name_of_tag] = None
            else:
                found.update({tag.name: tag} if tag else {})
        return found

    def _tag_names(self, name: str) -> list[str]:
        """What else may lie beside the tags was not made by us."""
        files = (entry.name for entry in self.store.list(tags_key(name)) if not entry.folder)
        names = (file[: -len(".json")] for file in files if file.endswith(".json"))
        return [tag for tag in names if is_version(tag)]

    def tag(self, name: str, tag: str) -> Tag | None:
        """One tag, or None where there is none."""
        try:
            document = self._json(tag_key(name, tag))
            return Tag(tag, check_version(_fields.text(document, "version")), _fields.digest(document, "digest"))
        except NotInStore:
            return None
        except (ValueError, UsageError, ImageDamaged) as error:
            raise ImageDamaged(
                f"Tag {tag} of image {name} in {self.store.url} is damaged: {error}. Set it again.",
                image=f"{name}:{tag}",
            ) from error

    def set_tag(self, image: Manifest, tag: str) -> None:
        """Point a tag at a version; a version of the tag's name would hide it, so callers refuse that."""
        document = {"version": image.version, "digest": image.digest}
        self.store.write(tag_key(image.name, check_version(tag)), json.dumps(document).encode())

    def remove_tag(self, name: str, tag: str) -> None:
        self.store.delete(tag_key(name, tag))

    def find(self, ref: ImageRef) -> Manifest:
        """The image somebody means.

        :raises ImageNotFound: no such version or tag.
        :raises ImageDamaged: its manifest is not what it should be.
        """
        self.check()
        try:
            found = self.manifest(ref.name, ref.version)
        except NotInStore:
            found = self._tagged(ref)
        if ref.digest and found.digest != ref.digest:
            raise ImageDamaged(
                f"{ref} in {self.store.url} has the digest {found.digest}, not {ref.digest}.", image=str(ref)
            )
        return found

    def manifest(self, name: str, version: str) -> Manifest:
        """The manifest of a version.

        :raises NotInStore: not published.
        """
        return manifest.decode(self.store.read(version_key(name, version, "manifest.json")), ImageRef(name, version))

    def index(self, image: Manifest) -> Index:
        """The index that a manifest names."""
        data = self._part(image, "index")
        if len(data) != image.index.size or digest(data).hex() != image.index.digest:
            raise ImageDamaged(
                f"The index of image {image.ref} in {self.store.url} is not the one its manifest names.",
                image=str(image.ref),
            )
        found = index.decode(data, image.disk_size, str(image.ref))
        if (found.chunk_size, len(found.digests) // 32) != (image.chunk_size, image.chunk_count):
            raise ImageDamaged(
                f"Index and manifest of image {image.ref} in {self.store.url} contradict each other.",
                image=str(image.ref),
            )
        return found

    def locations(self, image: Manifest) -> Locations:
        """Where the chunks of an image lie."""
        return locations.decode(self._part(image, "locations"), str(image.ref))

    def digests(self, image: Manifest) -> t.Iterator[bytes]:
        """Of every chunk that must lie in a pack."""
        found = self.index(image)
        zero = zero_digest(found.chunk_size)
        rows = (found.digest(row) for row in range(image.chunk_count))
        return (name for name in rows if name != zero)

    def replace_locations(self, image: Manifest, places: Locations) -> None:
        """Say that the chunks of an image lie elsewhere now."""
        self.store.write(part_key(image, "locations"), locations.encode(places))

    def publish(self, image: Manifest, encoded_index: bytes, places: Locations) -> None:
        """Make an image visible, all at once: its manifest comes last.

        Whoever has published this version in between loses nothing: the other parts have names of their own.

        :raises ImageExists: somebody else has published this version.
        """
        if self.is_published(image.ref):
            raise exists(image.ref, self.store.url)
        self.store.write(part_key(image, "index"), encoded_index)
        self.replace_locations(image, places)
        try:
            self.store.create(version_key(image.name, image.version, "manifest.json"), manifest.encode(image))
        except AlreadyInStore as error:
            raise exists(image.ref, self.store.url) from error

    def packs(self) -> list[str]:
        """The packs in the store, whether an image uses them or not."""
        found = []
        for folder in self.store.list(PACKS_KEY):
            if folder.folder:
                entries = self.store.list(f"{PACKS_KEY}/{folder.name}")
                found += [entry.name[: -len(".pack")] for entry in entries if entry.name.endswith(".pack")]
        return sorted(filter(DIGEST.fullmatch, found))

    def remove(self, ref: ImageRef) -> None:
        """Take a version away: its manifest first, so that it is gone at once, then whatever else lies there."""
        folder = f"{versions_key(ref.name)}/{ref.version}"
        self.store.delete(f"{folder}/manifest.json")
        for entry in self.store.list(folder):
            self.store.delete(f"{folder}/{entry.name}")
        self.store.delete(folder)

    def _tagged(self, ref: ImageRef) -> Manifest:
        tag = self.tag(ref.name, ref.version)
        if tag is None:
            raise self._not_found(ref)
        try:
            found = self.manifest(ref.name, tag.version)
        except NotInStore as error:
            raise ImageNotFound(
                f"Tag {ref} in {self.store.url} points to version {tag.version}, which is gone. Move the tag.",
                image=str(ref),
            ) from error
        if found.digest != tag.digest:
            raise ImageDamaged(
                f"Tag {ref} in {self.store.url} was set to an image with the digest {tag.digest}, but "
                f"{found.ref} has {found.digest}.",
                image=str(ref),
            )
        return found

    def _not_found(self, ref: ImageRef) -> ImageNotFound:
        versions = self.versions(ref.name)
        known = [*versions, *(tag.name for tag in self.tags(ref.name))]
        have = f"There are: {', '.join(known)}." if known else f"Images here: {', '.join(self.names()) or 'none'}."
        return ImageNotFound(f"There is no image {ref} in {self.store.url}. {have}", image=str(ref), known=known)

    def _part(self, image: Manifest, part: str) -> bytes:
        try:
            return self.store.read(part_key(image, part))
        except NotInStore as error:
            raise ImageDamaged(
                f"Image {image.ref} in {self.store.url} has lost its {part}.", image=str(image.ref)
            ) from error

    def _folders(self, key: str, check: t.Callable[[str], str]) -> list[str]:
        """Names of folders; what does not follow our rules was not made by us and is left alone."""
        found = []
        for entry in self.store.list(key):
            try:
                if entry.folder:
                    found.append(check(entry.name))
            except UsageError:
                continue
        return sorted(found)

    def _has(self, key: str) -> bool:
        try:
            self.store.size(key)
        except NotInStore:
            return False
        return True

    def _json(self, key: str) -> dict[str, t.Any]:
        try:
            document = json.loads(self.store.read(key))
        except (ValueError, RecursionError) as error:
            raise ImageDamaged(f"{key} in {self.store.url} is not valid JSON: {error}.") from error
        if not isinstance(document, dict):
            raise ImageDamaged(f"{key} in {self.store.url} is no JSON object.")
        return document


def part_key(image: Manifest, part: str) -> str:
    """The key of an image's index or locations: of two who capture one version, each has its own."""
    return version_key(image.name, image.version, f"{image.index.digest}.{part}")


def exists(ref: ImageRef, store: str, missing_tags: t.Sequence[str] = ()) -> ImageExists:
    """The error for a version that is there already.

    :param missing_tags: those that were asked for and do not point to it.
    """
    said = (
        f"{ref} exists already in {store}. Images never change: choose another version, or remove this one "
        "with golden.fleet.image_prune."
    )
    if not missing_tags:
        return ImageExists(said, image=str(ref))
    said += (
        f" It lacks these tags that were asked for: {', '.join(missing_tags)}. If a capture was interrupted before "
        "it set them, set them with golden.fleet.image_tag."
    )
    return ImageExists(said, image=str(ref), missing_tags=list(missing_tags))
