# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores whose content was made to harm: nothing of it reaches a disk, and no lie costs much memory."""

from __future__ import annotations

import json
import shutil
import struct
import tracemalloc
import typing as t
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    GoldenError,
    ImageDamaged,
    ImageNotFound,
    ImageUnsupported,
    StoreBroken,
)
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import Locations
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import decode as decode_locations
from ansible_collections.golden.fleet.plugins.module_utils._image.locations import encode as encode_locations
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.disks import MIB, sparse
from ansible_collections.golden.fleet.tests.support.engine import (
    NOISE_AT,
    Place,
    apply_disk,
    capture_disk,
    noise,
    noise_disk,
    overwrite,
    piece,
    signatures,
    table_of,
    verify_store,
)
from blake3 import blake3

_NOISE = 3  # MiB
_INDEX_HEAD = struct.Struct("<8sQQQQ")
_PLACES_HEAD = struct.Struct("<8sQQ")

Document = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


class Forger:
    """Changes the image lab:1 of a store, and makes the digests fit again, as somebody with bad intentions would."""

    def __init__(self, place: Place) -> None:
        self.folder = place.folder / "images/lab/versions/1"
        self.packs = place.folder / "packs"

    def manifest(self, change: t.Callable[[Document], t.Any]) -> None:
        path = self.folder / "manifest.json"
        document = json.loads(path.read_text())
        change(document)
        document.pop("digest")
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
        path.write_text(json.dumps({**document, "digest": blake3(canonical.encode()).hexdigest()}))

    def index(self, raw: bytes) -> None:
        self.index_object(zstandard.ZstdCompressor().compress(raw))

    def index_object(self, data: bytes) -> None:
        reference = {"digest": blake3(data).hexdigest(), "size": len(data)}
        self.part("index").write_bytes(data)
        for part in ("index", "locations"):
            self.part(part).rename(self.folder / f"{reference['digest']}.{part}")
        self.manifest(lambda document: document["chunks"].update(index=reference))

    def part(self, part: str) -> Path:
        return next(self.folder.glob(f"*.{part}"))

    def raw(self, part: str) -> bytes:
        return zstandard.ZstdDecompressor().decompress(self.part(part).read_bytes())

    def locations(self, raw: bytes) -> None:
        self.part("locations").write_bytes(zstandard.ZstdCompressor().compress(raw))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a disk, its image in a store, and another disk that holds something."""
    folder = tmp_path_factory.mktemp("honest")
    with open_store(StoreLocation(str(folder / "store"))) as store:
        capture_disk(store, noise_disk(folder / "source.img", _NOISE), "lab:1")
    noise_disk(folder / "target.img", _NOISE + 2, seed=9)
    return folder


@pytest.fixture
def forger(honest: Path, directory_place: Place) -> Forger:
    shutil.copytree(honest / "store", directory_place.folder)
    return Forger(directory_place)


@pytest.fixture
def target(honest: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(honest / "target.img", tmp_path))


@contextmanager
def _untouched(target: Path) -> t.Iterator[None]:
    before, written = target.read_bytes(), target.stat().st_mtime_ns
    yield
    assert target.stat().st_mtime_ns == written
    assert target.read_bytes() == before


def _partition(**changes: t.Any) -> t.Callable[[Document], None]:
    return lambda document: document["table"]["partitions"][0].update(changes)


def _second_partition(document: Document) -> None:
    first = document["table"]["partitions"][0]
    other = {**first, "number": 2, "start": first["start"] + 512, "size": 512}
    document["table"]["partitions"].append({**other, "uuid": first["uuid"][:-4] + "ABCD"})


MANIFESTS: dict[str, t.Callable[[Document], t.Any]] = {
    "a partition beyond the disk": _partition(size=1 << 50),
    "a partition over the table": _partition(start=512, size=512),
    "a partition of half a sector": _partition(size=1000),
    "overlapping partitions": _second_partition,
    "a partition that injects a line into sfdisk's script": _partition(type="L\nstart=0"),
    "a name that ends a quoted string and a line": _partition(name='x", attrs="y\n'),
    "negative offsets": _partition(start=-512),
    "a fraction as a size": _partition(size=1.5),
    "no room for its own table": lambda doc: doc["disk"].update(needed_size=MIB),
    "another sector size in the table": lambda doc: doc["table"].update(sector_size=4096),
    "a disk of no known sectors": lambda doc: doc["disk"].update(sector_size=520),
    "a disk beyond all disks": lambda doc: doc["disk"].update(size=1 << 80),
    "huge chunks": lambda doc: doc["chunks"].update(size=1 << 30),
    "chunks of a strange size": lambda doc: doc["chunks"].update(size=100_000),
    "a huge number of chunks": lambda doc: doc["chunks"].update(count=1 << 40),
    "another number of chunks": lambda doc: doc["chunks"].update(count=1),
    "an index digest that leads elsewhere": lambda doc: doc["chunks"]["index"].update(digest="../../store.json"),
    "a path as its name": lambda doc: doc.update(name="../../etc"),
    "another image's name": lambda doc: doc.update(name="office"),
    "no list of volumes": lambda doc: doc.update(volumes={"0": None}),
    "thousands of partitions": lambda doc: doc["table"].update(partitions=doc["table"]["partitions"] * 2000),
    "escape codes for the terminal": lambda doc: doc["notes"].append("\x1b[2J"),
    "another kind": lambda doc: doc.update(kind="file"),
}


@pytest.mark.parametrize("lie", MANIFESTS)
def test_a_manifest_that_lies_is_refused(directory: Store, forger: Forger, target: Path, lie: str) -> None:
    forger.manifest(MANIFESTS[lie])
    with _untouched(target), pytest.raises(ImageDamaged, match="lab:1"):
        apply_disk(directory, target, "lab:1", erase=True)
    assert not verify_store(directory)["ok"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 100,
        "[" * 100_000,
        '{"source":' * 100_000,
        '{"format": "golden.fleet image"}',
        "[]",
        '"golden.fleet image"',
        '{"format": "golden.fleet image", "format_version": 1, "format_version": 1}',
        '{"format": "golden.fleet image", "format_version": 1.0}',
        '{"format": "golden.fleet image", "format_version": NaN}',
        '{"format": "golden.fleet image", "format_version": true}',
        '{"format": "golden.fleet image", "format_version": ' + "9" * 5000 + "}",
        " " * (17 << 20),
    ],
    ids=lambda text: f"{len(text)} characters: {text[:60]}",
)
def test_what_is_no_manifest(directory: Store, forger: Forger, target: Path, text: str) -> None:
    (forger.folder / "manifest.json").write_text(text)
    with _untouched(target), pytest.raises(ImageDamaged, match="lab:1"):
        apply_disk(directory, target, "lab:1", erase=True)


def test_a_key_that_appears_twice(directory: Store, forger: Forger, target: Path) -> None:
    path = forger.folder / "manifest.json"
    path.write_text(path.read_text().replace('"kind": "disk"', '"kind": "disk", "kind": "disk"'))
    with _untouched(target), pytest.raises(ImageDamaged, match="twice"):
        apply_disk(directory, target, "lab:1", erase=True)


def test_a_digest_that_does_not_fit(directory: Store, forger: Forger, target: Path) -> None:
    path = forger.folder / "manifest.json"
    path.write_text(path.read_text().replace('"kept"', '"lost"').replace("everything", "something"))
    with _untouched(target), pytest.raises(ImageDamaged, match="digest does not fit"):
        apply_disk(directory, target, "lab:1", erase=True)


def test_another_manifest_than_the_one_pinned(directory: Store, forger: Forger, target: Path) -> None:
    digest = Library(directory).manifest("lab", "1").digest
    forger.manifest(lambda document: document["notes"].append("changed"))
    with _untouched(target), pytest.raises(ImageDamaged, match=digest):
        apply_disk(directory, target, f"lab:1@{digest}", erase=True)


def test_a_newer_format(directory: Store, forger: Forger, target: Path) -> None:
    forger.manifest(lambda document: document.update(format_version=2))
    with _untouched(target), pytest.raises(ImageUnsupported, match="Update the collection"):
        apply_disk(directory, target, "lab:1", erase=True)


def test_a_newer_store(directory: Store, forger: Forger, target: Path) -> None:
    (forger.packs.parent / "store.json").write_text('{"format": "golden.fleet store", "format_version": 2}')
    with _untouched(target), pytest.raises(ImageUnsupported, match="another version of golden.fleet"):
        apply_disk(directory, target, "lab:1", erase=True)
    with pytest.raises(ImageUnsupported):
        capture_disk(directory, target, "lab:2")


def _index(forger: Forger, used: list[tuple[int, int]], blank: list[tuple[int, int]], chunks: int) -> bytes:
    """An index of these (gap, length) pairs."""
    magic, size, *_counts = _INDEX_HEAD.unpack_from(forger.raw("index"))
    pairs = b"".join(struct.pack("<QQ", *pair) for pair in (*used, *blank))
    return _INDEX_HEAD.pack(magic, size, len(used), len(blank), chunks) + pairs + bytes(32 * chunks)


INDEXES: dict[str, t.Callable[[Forger], bytes]] = {
    "a range beyond the disk": lambda forger: _index(forger, [(1 << 40, 512)], [], 1),
    "a range that wraps around": lambda forger: _index(forger, [((1 << 64) - 512, 1024)], [], 1),
    "ranges beyond the disk that wrap around": lambda forger: _index(forger, [(0, 1 << 63), (1 << 63, MIB)], [], 1),
    "an empty range": lambda forger: _index(forger, [(0, 0)], [], 0),
    "ranges that touch": lambda forger: _index(forger, [(0, 512), (0, 512)], [], 1),
    "used and blank ranges that overlap": lambda forger: _index(forger, [(0, MIB)], [(512, 512)], 1),
    "fewer chunks than the ranges have": lambda forger: _index(forger, [(0, 3 * MIB)], [], 2),
    "more chunks than the ranges have": lambda forger: _index(forger, [(0, MIB)], [], 5),
    "a count of ranges that is not there": lambda _forger: _INDEX_HEAD.pack(b"GFINDEX\x01", MIB, 1 << 60, 0, 0),
    "counts that cancel each other": lambda _forger: _INDEX_HEAD.pack(b"GFINDEX\x01", MIB, 1 << 63, 1 << 63, 0),
    "a count of chunks that is not there": lambda _forger: _INDEX_HEAD.pack(b"GFINDEX\x01", MIB, 0, 0, 1 << 58),
    "something behind its end": lambda forger: forger.raw("index") + b"\0",
    "another magic": lambda forger: b"X" + forger.raw("index")[1:],
    "nothing": lambda _forger: b"",
}


@pytest.mark.parametrize("lie", INDEXES)
def test_an_index_that_lies_is_refused(directory: Store, forger: Forger, target: Path, lie: str) -> None:
    forger.index(INDEXES[lie](forger))
    with _untouched(target), pytest.raises(ImageDamaged, match="lab:1"):
        apply_disk(directory, target, "lab:1", erase=True)
    assert not verify_store(directory)["ok"]


def _bomb(size: int) -> bytes:
    """A few kilobytes that inflate to so many bytes."""
    return zstandard.ZstdCompressor().compress(bytes(size))


def _lying_bomb(says: int, size: int) -> bytes:
    """A frame whose header says less than what comes out of it."""
    frame = bytearray(_bomb(size))
    assert frame[4] & 0xC0 == 0x80  # four bytes of content size
    at = 5 + (0 if frame[4] & 0x20 else 1)
    assert struct.unpack_from("<I", frame, at)[0] == size
    struct.pack_into("<I", frame, at, says)
    return bytes(frame)


def _endless() -> bytes:
    """A frame that does not say how long its content is."""
    return zstandard.ZstdCompressor(write_content_size=False).compress(bytes(300 << 20))


_FRAMES = {
    "too long": lambda: _bomb(300 << 20),
    "longer than it says": lambda: _lying_bomb(4096, 100 << 20),
    "of unknown length": _endless,
    "with another frame behind": lambda: _bomb(MIB) + _bomb(200 << 20),
}


@contextmanager
def _little_memory() -> t.Iterator[None]:
    """What is inflated here would have 100 MiB and more."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 50 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", _FRAMES)
def test_an_index_that_inflates_without_end(directory: Store, forger: Forger, target: Path, kind: str) -> None:
    forger.index_object(_FRAMES[kind]())
    with _untouched(target), _little_memory(), pytest.raises(ImageDamaged, match="lab:1"):
        apply_disk(directory, target, "lab:1", erase=True)


@pytest.mark.parametrize("kind", sorted(set(_FRAMES) - {"too long"}))
def test_locations_that_inflate_without_end(directory: Store, forger: Forger, target: Path, kind: str) -> None:
    forger.part("locations").write_bytes(_FRAMES[kind]())
    with _untouched(target), _little_memory(), pytest.raises(ImageDamaged, match="lab:1"):
        apply_disk(directory, target, "lab:1", erase=True)


class _Rows:
    """Locations as lists, to be changed and written again."""

    def __init__(self, forger: Forger) -> None:
        raw = forger.raw("locations")
        _magic, self.packs, self.chunks = _PLACES_HEAD.unpack_from(raw)
        at = _PLACES_HEAD.size
        self.head = raw[: at + 32 * (self.packs + self.chunks)]
        at = len(self.head)
        self.pack = list(struct.unpack_from(f"<{self.chunks}I", raw, at))
        self.offset = list(struct.unpack_from(f"<{self.chunks}Q", raw, at + 4 * self.chunks))
        self.length = list(struct.unpack_from(f"<{self.chunks}I", raw, at + 12 * self.chunks))

    def encoded(self) -> bytes:
        count = self.chunks
        return self.head + struct.pack(f"<{count}I{count}Q{count}I", *self.pack, *self.offset, *self.length)


def _set_all(column: str, value: int) -> t.Callable[[_Rows], None]:
    return lambda rows: setattr(rows, column, [value] * rows.chunks)


def _swap(rows: _Rows) -> None:
    """Each chunk where another one is, in perfect order."""
    rows.offset.reverse()
    rows.length.reverse()


@pytest.mark.parametrize(
    ("change", "before_any_write"),
    [
        pytest.param(_set_all("pack", 99), True, id="a pack that is not there"),
        pytest.param(_set_all("offset", 0), True, id="in the pack's head"),
        pytest.param(_set_all("offset", 1 << 62), True, id="far beyond everything"),
        pytest.param(_set_all("length", (1 << 32) - 1), True, id="without end"),
        pytest.param(_set_all("offset", 1 << 40), False, id="beyond the pack"),
        pytest.param(_set_all("length", 0), False, id="empty"),
        pytest.param(_set_all("length", 17), False, id="cut off"),
        pytest.param(_set_all("offset", 8), False, id="all at one place"),
        pytest.param(_swap, False, id="each at another's place"),
    ],
)
def test_locations_that_lie(
    directory: Store, forger: Forger, target: Path, change: t.Callable[[_Rows], None], before_any_write: bool
) -> None:
    rows = _Rows(forger)
    assert rows.chunks >= _NOISE
    change(rows)
    forger.locations(rows.encoded())
    if before_any_write:
        with _untouched(target), pytest.raises(ImageDamaged, match="repair: true"):
            apply_disk(directory, target, "lab:1", erase=True)
    else:
        with pytest.raises((ImageDamaged, StoreBroken)):
            apply_disk(directory, target, "lab:1", erase=True)
        _check_not_bootable(target)


def _check_not_bootable(target: Path) -> None:
    assert table_of(target) == []
    assert signatures(target) == set()


def _forge_chunk(forger: Forger, frame: bytes) -> None:
    """Put a frame where the second chunk of a pack was, and tell the locations."""
    rows = _Rows(forger)
    pack = next(forger.packs.rglob("*.pack"))
    overwrite(pack, rows.offset[1], frame)
    rows.length[1] = len(frame)
    forger.locations(rows.encoded())


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(lambda: _bomb(100 << 20), id="bomb"),
        pytest.param(lambda: _lying_bomb(MIB, 100 << 20), id="bomb that lies about its size"),
        pytest.param(lambda: _bomb(MIB + 1), id="a byte too long"),
        pytest.param(lambda: _bomb(MIB - 1), id="a byte too short"),
        pytest.param(lambda: _bomb(MIB), id="other content"),
        pytest.param(lambda: noise(5000, 3), id="no frame"),
        pytest.param(lambda: zstandard.ZstdCompressor(write_content_size=False).compress(bytes(MIB)), id="no size"),
    ],
)
def test_a_chunk_that_is_not_what_it_says(
    directory: Store, forger: Forger, target: Path, frame: t.Callable[[], bytes]
) -> None:
    _forge_chunk(forger, frame())
    with _little_memory(), pytest.raises(ImageDamaged, match="missing or damaged|inflate|zstd frame") as caught:
        apply_disk(directory, target, "lab:1", erase=True)
    assert "lab:1" in caught.value.message
    _check_not_bootable(target)
    found = verify_store(directory)
    assert [image["ok"] for image in found["images"]] == [False]
    assert found["images"][0]["damaged_chunks"] >= 1


def test_a_bad_chunk_that_the_disk_has_already_does_no_harm(directory: Store, forger: Forger, honest: Path) -> None:
    _forge_chunk(forger, _bomb(MIB))
    assert not apply_disk(directory, honest / "source.img", "lab:1")["changed"]


def _lose(forger: Forger, name: bytes) -> None:
    """Let the locations know nothing of one chunk."""
    kept = Locations()
    for digest, place in decode_locations(forger.part("locations").read_bytes(), "lab:1"):
        if digest != name:
            kept.add(digest, place)
    forger.part("locations").write_bytes(encode_locations(kept))


def test_a_chunk_that_nobody_has_is_found_before_another_one_is_written(
    directory: Store, forger: Forger, honest: Path, tmp_path: Path
) -> None:
    """The disk is compared while it is written: this must not mean that it is half written by then."""
    last = NOISE_AT + (_NOISE - 1) * MIB
    _lose(forger, blake3(piece(honest / "source.img", last, MIB)).digest())
    target = Path(shutil.copy(honest / "source.img", tmp_path))
    overwrite(target, NOISE_AT, noise(MIB, 7))
    assert apply_disk(directory, target, "lab:1", erase=True)["chunks"]["written"]  # the disk has what nobody else has
    overwrite(target, NOISE_AT, noise(MIB, 7))
    overwrite(target, last, noise(MIB, 8))
    with _untouched(target), pytest.raises(ImageDamaged, match="repair: true"):
        apply_disk(directory, target, "lab:1", erase=True)


def test_a_lost_chunk_of_the_disks_front_counts_even_if_the_disk_has_it(
    directory: Store, directory_place: Place, tmp_path: Path
) -> None:
    """The front is taken away first and written again last: what is there now does not help."""
    code = b"boot" * 100
    source = noise_disk(tmp_path / "source.img", _NOISE)
    overwrite(source, 0, code)
    capture_disk(directory, source, "lab:1")
    overwrite(source, NOISE_AT, noise(MIB, 7))
    _lose(Forger(directory_place), blake3(code.ljust(MIB, b"\0")).digest())
    with _untouched(source), pytest.raises(ImageDamaged, match="repair: true"):
        apply_disk(directory, source, "lab:1", erase=True)


@pytest.mark.parametrize("ref", ["lab:../../../etc", "../lab:1", "lab:.", "la b:1", "lab:", ":1", "LAB:1", "lab/x:1"])
def test_names_that_are_paths(directory: Store, forger: Forger, target: Path, ref: str) -> None:
    with _untouched(target), pytest.raises(GoldenError, match="name|version"):
        apply_disk(directory, target, ref, erase=True)
    assert forger.folder.exists()


def test_links_in_a_store_lead_nowhere(directory: Store, forger: Forger, target: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    forger.folder.rename(outside)
    forger.folder.symlink_to(outside)
    with _untouched(target), pytest.raises((ImageNotFound, StoreBroken)):
        apply_disk(directory, target, "lab:1", erase=True)


def test_folders_with_strange_names_are_left_alone(directory: Store, forger: Forger) -> None:
    for name in (".hidden", "~tmp-x", "UPPER", "a..b", "-x"):
        (forger.packs.parent / "images" / name / "versions" / "1").mkdir(parents=True)
        (forger.folder.parent / name).mkdir(exist_ok=True)
    assert Library(directory).names() == ["lab"]
    assert Library(directory).versions("lab") == ["1"]
    assert verify_store(directory)["ok"]


def test_a_smaller_disk_than_the_index_needs(directory: Store, forger: Forger, tmp_path: Path) -> None:
    """The manifest says that a small disk will do, and has no table that would show the lie."""
    forger.manifest(lambda document: (document["disk"].update(needed_size=MIB), document.update(table=None)))
    target = sparse(tmp_path / "small.img", 2 * MIB)
    with _untouched(target), pytest.raises(GoldenError, match="beyond the end"):
        apply_disk(directory, target, "lab:1", erase=True)
    assert not any(piece(target, 0, 2 * MIB))
