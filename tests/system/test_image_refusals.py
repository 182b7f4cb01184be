# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a capture or an apply refuses: the wrong disk, the wrong image, a store in trouble. Nothing is lost by it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.facts import read_disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.model import Disk
from ansible_collections.golden.fleet.plugins.module_utils._disk.select import parse_hint, select
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    DiskChanged,
    DiskError,
    DiskInUse,
    DiskNotEmpty,
    DiskTooSmall,
    FilesystemUnfit,
    ImageBusy,
    ImageDamaged,
    ImageExists,
    ImageNotFound,
    NoDiskMatches,
    SectorSizeDiffers,
    SeveralDisksMatch,
    StoreBroken,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    UsageError,
)
from ansible_collections.golden.fleet.plugins.module_utils._image.apply import ApplyRequest, apply
from ansible_collections.golden.fleet.plugins.module_utils._image.library import Library
from ansible_collections.golden.fleet.plugins.module_utils._image.names import parse_ref
from ansible_collections.golden.fleet.plugins.module_utils._image.tag import TagRequest, tag
from ansible_collections.golden.fleet.plugins.module_utils._progress import Silent
from ansible_collections.golden.fleet.plugins.module_utils._store._retry import Patience
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.https import HttpsStore
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.disks import (
    MIB,
    Piece,
    call,
    looped,
    make_filesystem,
    make_gpt,
    mounted,
    sparse,
)
from ansible_collections.golden.fleet.tests.support.engine import (
    NOISE_AT,
    Place,
    Watcher,
    apply_disk,
    capture_disk,
    noise,
    noise_disk,
    overwrite,
    same_noise,
    signatures,
    table_of,
    verify_store,
)
from ansible_collections.golden.fleet.tests.support.filesystem import mounted_ext4, read_only
from ansible_collections.golden.fleet.tests.support.nginx import Nginx
from ansible_collections.golden.fleet.tests.support.relay import Relay
from ansible_collections.golden.fleet.tests.support.victim import Executioner

_NOISE = 3  # MiB

pytestmark = pytest.mark.usefixtures("small_packs", "quick_takeover")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return noise_disk(tmp_path / "source.img", _NOISE)


@pytest.fixture
def image(directory: Store, source: Path) -> Store:
    """A store with the image lab:1."""
    capture_disk(directory, source, "lab:1")
    return directory


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return sparse(tmp_path / "target.img", (_NOISE + 2) * MIB)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def _untouched(path: Path) -> t.Iterator[None]:
    before, written = _digest(path), path.stat().st_mtime_ns
    yield
    assert (_digest(path), path.stat().st_mtime_ns) == (before, written)


# The disk


def _made(path: str, size: int, **facts: t.Any) -> Disk:
    return Disk(path=path, size=size, **facts)


def test_no_disk_and_several_disks() -> None:
    disks = [_made("/dev/sda", 500 << 30, serial="A"), _made("/dev/sdb", 500 << 30, serial="B")]
    disks.append(_made("/dev/sdc", 32 << 30, serial="C", removable=True, transport="usb"))
    with pytest.raises(SeveralDisksMatch, match="/dev/sda.*\n.*/dev/sdb"):
        select(parse_hint("auto"), disks)
    with pytest.raises(NoDiskMatches, match="serial D"):
        select(parse_hint({"serial": "D"}), disks)
    with pytest.raises(NoDiskMatches, match="removable or on USB"):
        select(parse_hint({"max_size": "64GiB"}), disks)
    assert select(parse_hint({"serial": "C"}), disks).path == "/dev/sdc"


@pytest.mark.parametrize("verb", [apply_disk, capture_disk])
def test_a_disk_that_is_mounted(image: Store, tmp_path: Path, verb: t.Callable[..., t.Any]) -> None:
    path = make_filesystem(tmp_path / "disk.img", "ext4", 24 * MIB)
    ref = "lab:1" if verb is apply_disk else "lab:2"
    with looped(path) as node, mounted(node, "-o", "ro"):
        with pytest.raises(DiskInUse, match=f"{node}.*is mounted on"):
            verb(image, node, ref)
        with pytest.raises(DiskInUse, match=f"{node} is attached to it"):
            verb(image, path, ref)
    assert Library(image).versions("lab") == ["1"]


def test_a_disk_that_another_program_has(image: Store, target: Path) -> None:
    with looped(target) as node:
        fd = os.open(node, os.O_RDONLY | os.O_EXCL)
        try:
            with pytest.raises(DiskInUse, match=node):
                apply_disk(image, node, "lab:1")
        finally:
            os.close(fd)
        assert apply_disk(image, node, "lab:1")["changed"]


@pytest.mark.parametrize("check", [False, True])
def test_a_disk_that_is_read_only(image: Store, target: Path, check: bool) -> None:
    with looped(target, "--read-only") as node, pytest.raises(DiskError, match="is read-only"):
        apply_disk(image, node, "lab:1", check=check)


def test_a_disk_that_is_too_small(image: Store, tmp_path: Path) -> None:
    needed = Library(image).manifest("lab", "1").needed_size
    target = sparse(tmp_path / "small.img", needed - 512)
    with _untouched(target), pytest.raises(DiskTooSmall, match="512 bytes too small. Nothing was written") as caught:
        apply_disk(image, target, "lab:1", erase=True)
    assert caught.value.facts["needed"] == needed
    os.truncate(target, needed)
    apply_disk(image, target, "lab:1", erase=True)


def test_other_sectors(image: Store, target: Path) -> None:
    with _untouched(target), pytest.raises(SectorSizeDiffers, match="sectors of 512 bytes.*has 4096"):
        apply_disk(image, target, "lab:1", sector_size=4096)
    with looped(target, "--sector-size", "4096") as node, pytest.raises(SectorSizeDiffers, match=node):
        apply_disk(image, node, "lab:1")


def test_a_disk_that_became_another_one_after_it_was_chosen(image: Store, tmp_path: Path, target: Path) -> None:
    with looped(target) as node:
        chosen = read_disk(node)
        call("losetup", "--detach", node)
        other = noise_disk(tmp_path / "other.img", _NOISE, seed=5)
        call("losetup", node, other)
        with _untouched(other), pytest.raises(DiskChanged, match="is not the one that was chosen"):
            apply(image, ApplyRequest(chosen, parse_ref("lab:1"), erase=True), Silent())


@pytest.mark.parametrize("phase", ["sampling", "comparing the disk with the image"])
def test_a_disk_that_becomes_another_one_while_it_is_compared(
    image: Store, source: Path, target: Path, tmp_path: Path, phase: str
) -> None:
    target.write_bytes(source.read_bytes())
    overwrite(target, NOISE_AT + MIB, noise(MIB, 6))
    other = noise_disk(tmp_path / "other.img", _NOISE, seed=5)
    before = _digest(target), _digest(other)

    def at_phase(name: str) -> None:
        if name == phase:
            target.rename(tmp_path / "moved.img")
            other.rename(target)

    with pytest.raises(DiskChanged, match="another disk answers there"):
        apply_disk(image, target, "lab:1", Watcher(at_phase), erase=True)
    assert (_digest(tmp_path / "moved.img"), _digest(target)) == before


def test_a_reference_disk_that_becomes_another_one(image: Store, source: Path, tmp_path: Path) -> None:
    other = noise_disk(tmp_path / "other.img", _NOISE, seed=5)

    def at_phase(name: str) -> None:
        if name == "publishing":
            other.rename(source)

    with pytest.raises(DiskChanged):
        capture_disk(image, source, "lab:2", Watcher(at_phase))
    assert Library(image).versions("lab") == ["1"]


def test_a_disk_that_is_gone(image: Store, target: Path) -> None:
    disk = read_disk(str(target))
    target.unlink()
    with pytest.raises(DiskChanged, match="is gone"):
        apply(image, ApplyRequest(disk, parse_ref("lab:1"), erase=True), Silent())
    with pytest.raises(DiskError, match="There is no disk"):
        read_disk(str(target))


def test_a_disk_that_holds_something(image: Store, tmp_path: Path) -> None:
    pieces = [Piece("ext4", MIB, 24 * MIB), Piece("swap", 25 * MIB, 8 * MIB)]
    target = make_gpt(tmp_path / "full.img", 40 * MIB, pieces)
    with _untouched(target), pytest.raises(DiskNotEmpty, match="erase: true") as caught:
        apply_disk(image, target, "lab:1")
    for word in ("a partition table (gpt)", "partition 1: ext4 'data'", "partition 2: swap 'data'"):
        assert word in caught.value.message
        assert word in caught.value.facts["contents"][["gpt" in word, "ext4" in word, "swap" in word].index(True)]
    with _untouched(target), pytest.raises(DiskNotEmpty):
        apply_disk(image, target, "lab:1", check=True)


@pytest.mark.parametrize("at", [0, 3 * MIB - 100, 5 * MIB - 512], ids=["start", "middle", "end"])
def test_a_disk_with_data_that_nobody_knows(image: Store, target: Path, at: int) -> None:
    overwrite(target, at, b"precious")
    with _untouched(target), pytest.raises(DiskNotEmpty, match="data without a known signature"):
        apply_disk(image, target, "lab:1")


def test_an_apply_that_was_interrupted_is_mentioned(image: Store, source: Path, tmp_path: Path) -> None:
    """It leaves no table, only data: nobody can tell that from somebody's data, so it takes erase to go on."""
    target = tmp_path / "half.img"
    target.write_bytes(source.read_bytes())
    overwrite(target, 0, bytes(MIB))
    overwrite(target, target.stat().st_size - MIB, bytes(MIB))
    with _untouched(target), pytest.raises(DiskNotEmpty, match="interrupted: erase: true goes on with it"):
        apply_disk(image, target, "lab:1")
    assert apply_disk(image, target, "lab:1", erase=True)["bytes"]["fetched"] == 0
    other = noise_disk(tmp_path / "other.img", _NOISE, seed=5)
    with pytest.raises(DiskNotEmpty) as error:
        apply_disk(image, other, "lab:1")
    assert "interrupted" not in error.value.message


@pytest.mark.parametrize("check", [False, True])
def test_an_sfdisk_that_cannot_write_is_found_before_anything_is_lost(
    image: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    target = noise_disk(tmp_path / "other.img", _NOISE, seed=5)
    real = shutil.which("sfdisk")
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "sfdisk"
    reading = f'case "$*" in *--json*) exec {real} "$@" ;; esac'
    old.write_text(f"#!/bin/sh\n{reading}\necho 'unrecognized option' >&2\nexit 1\n")
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)
    old.chmod(0o755)
    with _untouched(target), pytest.raises(DiskError, match="unrecognized option"):
        apply_disk(image, target, "lab:1", erase=True, check=check)


def test_a_table_that_nobody_could_write_again(directory: Store, tmp_path: Path) -> None:
    """Logical partitions in a chain that runs backwards, with a single sector between them."""
    disk = sparse(tmp_path / "disk.img", 12 * MIB)
    call("sfdisk", "--quiet", disk, stdin="label: dos\nstart=6144, size=8192, type=f\n")
    chain = [(6144, 10000, 1024, 8193), (8193, 8194, 1024, 6145), (6145, 6146, 2047, None)]
    for at, start, size, following in chain:
        link = struct.pack("<4xB3xII", 5, following - 6144, 2048) if following else bytes(16)
        entry = struct.pack("<4xB3xII", 0x83, start - at, size)
        overwrite(disk, at * 512 + 446, entry + link + bytes(32) + b"\x55\xaa")
    assert len(table_of(disk)) == 9
    for check in (True, False):
        with pytest.raises(DiskError, match="cannot be written by sfdisk of this machine"):
            capture_disk(directory, disk, "lab:1", check=check)


def test_a_whole_disk_filesystem_is_not_overwritten_by_another(directory: Store, tmp_path: Path) -> None:
    """Neither has a partition table, so that the tables are the same."""
    capture_disk(directory, make_filesystem(tmp_path / "one.img", "swap", 8 * MIB), "lab:1")
    target = make_filesystem(tmp_path / "other.img", "ext4", 24 * MIB)
    with _untouched(target), pytest.raises(DiskNotEmpty, match="ext4 'data' on the whole disk"):
        apply_disk(directory, target, "lab:1")


def _hibernate(ntfs: Path, folder: Path) -> None:
    """What Windows leaves behind when it hibernates, or shuts down with Fast Startup."""
    content = folder / "hiberfil.sys"
    content.write_bytes(b"hibr" + bytes(4092))
    call("ntfscp", "-q", ntfs, content, "hiberfil.sys")


def _mark_dirty(ntfs: Path, _folder: Path) -> None:
    call("ntfsfix", ntfs)  # it marks the volume, so that Windows checks it


def _damage_superblock(ext4: Path, _folder: Path) -> None:
    call("debugfs", "-w", "-R", "ssv state 2", ext4)  # errors were found


def _damage_groups(ext4: Path, _folder: Path) -> None:
    overwrite(ext4, 2048, noise(2048, 8))


def _encrypt(volume: Path, _folder: Path) -> None:
    overwrite(volume, 0, b"\xeb\x58\x90-FVE-FS-" + bytes(500))
    overwrite(volume, 160, bytes.fromhex("3bd66749292ed84a8399f6a339e3d001"))
    overwrite(volume, 176, (MIB).to_bytes(8, "little"))
    overwrite(volume, MIB, b"-FVE-FS-" + b"\x00\x01\x02\x00" + bytes(500))


@pytest.mark.parametrize(
    ("kind", "harm", "reason"),
    [
        pytest.param("ntfs", _hibernate, "hibernated", id="hibernated NTFS"),
        pytest.param("ntfs", _mark_dirty, "marked dirty", id="dirty NTFS"),
        pytest.param("ext4", _damage_superblock, "e2fsck", id="ext4 with errors"),
        pytest.param("ext4", _damage_groups, "", id="ext4 that partclone refuses"),
        pytest.param("ntfs", _encrypt, "BitLocker", id="BitLocker"),
    ],
)
def test_a_filesystem_that_is_not_fit(
    directory: Store, tmp_path: Path, kind: str, harm: t.Callable[[Path, Path], None], reason: str
) -> None:
    part = make_filesystem(tmp_path / "part.img", kind, 24 * MIB)
    harm(part, tmp_path)
    disk = make_gpt(tmp_path / "disk.img", 26 * MIB, [Piece("", MIB, 24 * MIB)])
    overwrite(disk, MIB, part.read_bytes())
    with _untouched(disk), pytest.raises(FilesystemUnfit, match=rf"(?s)Partition 1 of {disk}.*{reason}.*raw"):
        capture_disk(directory, disk, "lab:1")
    assert Library(directory).names() == []
    captured = capture_disk(directory, disk, "lab:1", unreadable="raw")
    assert captured["bytes"]["used"] >= 24 * MIB
    assert any("all of it is kept" in note for note in captured["notes"])
    target = sparse(tmp_path / "target.img", 26 * MIB)
    apply_disk(directory, target, "lab:1")
    assert target.read_bytes()[MIB : 25 * MIB] == disk.read_bytes()[MIB : 25 * MIB]


# The image


def test_a_version_that_exists(store: Store, source: Path) -> None:
    first = capture_disk(store, source, "lab:1", tags=("stable",))
    for check in (False, True):
        with pytest.raises(ImageExists, match="choose another version"):
            capture_disk(store, source, "lab:1", check=check)
    assert Library(store).manifest("lab", "1").digest == first["digest"]
    assert verify_store(store)["ok"]


def test_a_version_that_exists_without_all_of_its_tags(store: Store, source: Path) -> None:
    """As a capture leaves it that was killed between publishing and its tags."""
    capture_disk(store, source, "lab:1", tags=("stable",))
    capture_disk(store, source, "lab:2", tags=("newest",))
    wanted = ("stable", "newest", "exam")
    for check in (False, True):
        with pytest.raises(ImageExists, match=r"tags .*: newest, exam\..*golden\.fleet\.image_tag") as caught:
            capture_disk(store, source, "lab:1", tags=wanted, check=check)
        assert caught.value.facts["missing_tags"] == ["newest", "exam"]
    assert tag(store, TagRequest(parse_ref("lab:1"), wanted))["changed"]
    with pytest.raises(ImageExists) as caught:
        capture_disk(store, source, "lab:1", tags=wanted)
    assert "missing_tags" not in caught.value.facts
    assert "image_tag" not in caught.value.message


def test_images_that_are_not_there(store: Store, source: Path, target: Path) -> None:
    with pytest.raises(ImageNotFound, match="not a golden.fleet store"):
        apply_disk(store, target, "lab:1")
    capture_disk(store, source, "lab:1", tags=("stable",))
    with _untouched(target):
        with pytest.raises(ImageNotFound, match=r"There are: 1, stable\."):
            apply_disk(store, target, "lab:2")
        with pytest.raises(ImageNotFound, match=r"Images here: lab\."):
            apply_disk(store, target, "office:1")
    with pytest.raises(ImageNotFound, match="dedupe_from names office"):
        capture_disk(store, source, "lab:2", dedupe_from=("office",))
    again = capture_disk(store, source, "lab:2")
    assert again["chunks"]["new"] == 0


@pytest.mark.parametrize(
    "options",
    [{"level": 0}, {"level": 20}, {"chunk_size": 100_000}, {"tags": ("../x",)}, {"dedupe_from": ("../x",)}],
    ids=str,
)
def test_requests_that_make_no_sense(directory: Store, source: Path, options: dict[str, t.Any]) -> None:
    with pytest.raises(UsageError):
        capture_disk(directory, source, "lab:1", **options)
    assert not os.path.exists(directory.url)


_SLOW = """
import sys, time
from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store
from ansible_collections.golden.fleet.tests.support.engine import Watcher, capture_disk

def at_phase(name):
    if name == "publishing":
        print("ready", flush=True)
        sys.stdin.readline()

capture_disk(open_store(StoreLocation(*sys.argv[1:5])), sys.argv[5], sys.argv[6], Watcher(at_phase))
print("done", flush=True)
"""


@contextlib.contextmanager
def _another_process_captures(place: Place, disk: Path, ref: str) -> t.Iterator[subprocess.Popen[str]]:
    """A real second process in the middle of a capture; a line to it lets it go on."""
    where = place.location
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW, where.store, where.username or "", where.password or "", where.ca or "",
         str(disk), ref],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_version_that_somebody_else_captures_right_now(place: Place, store: Store, source: Path) -> None:
    with _another_process_captures(place, source, "lab:1") as process:
        with pytest.raises(ImageBusy, match=rf"being worked on by .* right now \(process {process.pid}, "):
            capture_disk(store, source, "lab:1")
        assert Library(store).names() == []
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout
        assert process.stdout.readline() == "done\n"
    with pytest.raises(ImageExists):
        capture_disk(store, source, "lab:1")
    assert verify_store(store)["ok"]


def test_a_version_whose_capture_died(place: Place, store: Store, source: Path) -> None:
    with _another_process_captures(place, source, "lab:1"):
        pass  # killed
    again = capture_disk(store, source, "lab:1")
    assert again["chunks"]["new"] == 0
    assert verify_store(store)["ok"]


# The store


def test_a_store_that_gets_full(tmp_path: Path, source: Path) -> None:
    with mounted_ext4(tmp_path / "small", 24 * MIB) as folder:
        big = noise_disk(tmp_path / "big.img", 30)
        with open_store(StoreLocation(str(folder / "store"))) as store:
            capture_disk(store, source, "lab:1")
            with pytest.raises(StoreFull, match="image_prune"):
                capture_disk(store, big, "lab:2")
            assert Library(store).versions("lab") == ["1"]
            assert verify_store(store)["ok"]


def test_a_server_that_gets_full(tmp_path: Path, source: Path) -> None:
    with mounted_ext4(tmp_path / "small", 24 * MIB) as folder, Nginx(tmp_path / "nginx", data=folder) as server:
        big = noise_disk(tmp_path / "big.img", 30)
        with _impatient(server, f"{server.url}/store") as store:
            capture_disk(store, source, "lab:1")
            with pytest.raises(StoreFull, match="image_prune"):
                capture_disk(store, big, "lab:2")
            assert Library(store).versions("lab") == ["1"]
            assert verify_store(store)["ok"]


def test_a_store_that_is_read_only(tmp_path: Path, source: Path, target: Path) -> None:
    with mounted_ext4(tmp_path / "small", 24 * MIB) as folder, open_store(StoreLocation(str(folder))) as store:
        capture_disk(store, source, "lab:1")
        with read_only(folder):
            with pytest.raises(StoreRefused, match="Mount it writable"):
                capture_disk(store, source, "lab:2")
            assert verify_store(store)["ok"]
            assert apply_disk(store, target, "lab:1")["changed"]
    assert same_noise(target, source, _NOISE)


@contextlib.contextmanager
def _impatient(server: Nginx, url: str, *, reader: bool = False, password: str | None = None) -> t.Iterator[HttpsStore]:
    """A store that does not wait between its tries."""
    user = server.reader if reader else server.writer
    patience = Patience(tries=3, first=0.01)
    login = (user.name, password or user.password)
    with contextlib.closing(HttpsStore(url, *login, ca=str(server.ca), use_proxies=False, patience=patience)) as store:
        yield store


@pytest.fixture
def server(image_server: Nginx, https_place: Place, source: Path) -> Nginx:
    """A server that holds lab:1."""
    with open_store(https_place.location) as store:
        capture_disk(store, source, "lab:1")
    return image_server


def test_somebody_who_may_not_write(server: Nginx, https_place: Place, source: Path, target: Path) -> None:
    with _impatient(server, https_place.location.store, reader=True) as store:
        with pytest.raises(StoreRefused, match=r"this user may only read.*store_username and store_password"):
            capture_disk(store, source, "lab:2")
        assert apply_disk(store, target, "lab:1")["changed"]
    assert same_noise(target, source, _NOISE)


def test_a_wrong_password(server: Nginx, https_place: Place, source: Path, target: Path) -> None:
    with _impatient(server, https_place.location.store, password="wrong") as store, _untouched(target):
        for verb in (lambda: apply_disk(store, target, "lab:1"), lambda: capture_disk(store, source, "lab:2")):
            with pytest.raises(StoreRefused, match="store_username and store_password") as caught:
                verb()
            assert "wrong" not in caught.value.message.replace("missing or wrong", "")


def test_a_url_that_is_no_store(server: Nginx, https_place: Place, target: Path) -> None:
    url = f"{https_place.location.store}-nowhere"
    with _impatient(server, url) as store, _untouched(target), pytest.raises(ImageNotFound, match="not a golden.fleet"):
        apply_disk(store, target, "lab:1")


def test_a_server_that_is_not_there(server: Nginx, https_place: Place, source: Path, target: Path) -> None:
    url = https_place.location.store.replace(f":{server.port}", ":1")
    with _impatient(server, url) as store, _untouched(target):
        for verb in (lambda: apply_disk(store, target, "lab:1"), lambda: capture_disk(store, source, "lab:2")):
            with pytest.raises(StoreUnreachable, match="cannot be reached"):
                verb()


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_server_that_fails_in_the_middle(tmp_path: Path, source: Path, target: Path, status: int) -> None:
    """From some moment on it has nothing but this answer for packs, which an apply is just reading."""
    flag = tmp_path / "failing"
    extra = f"location ~ ^/golden/.*pack$ {{ root {tmp_path}/nginx/data; if (-f {flag}) {{ return {status}; }} "
    extra += "dav_methods PUT DELETE; create_full_put_path on; }"
    with Nginx(tmp_path / "nginx", extra=extra) as server, _impatient(server, server.url) as store:
        capture_disk(store, source, "lab:1")
        flag.touch()
        with pytest.raises((StoreError, ImageDamaged), match=r"golden") as caught:
            apply_disk(store, target, "lab:1")
        assert server.url in caught.value.message
        assert table_of(target) == []
        assert signatures(target) == set()
        if status != 404:
            with pytest.raises(StoreBroken, match=str(status)):
                capture_disk(store, noise_disk(tmp_path / "other.img", 4, seed=8), "lab:2")
            assert Library(store).versions("lab") == ["1"]
        flag.unlink()
        again = apply_disk(store, target, "lab:1", erase=True)
        assert again["changed"]
    assert same_noise(target, source, _NOISE)


@pytest.mark.parametrize("cuts", [2, 1000], ids=["now and then", "always"])
def test_a_connection_that_is_cut(server: Nginx, https_place: Place, source: Path, target: Path, cuts: int) -> None:
    with Relay(server.port, cut_after=1_500_000, cuts=cuts) as relay:
        url = https_place.location.store.replace(f":{server.port}", f":{relay.port}")
        with _impatient(server, url) as store:
            if cuts == 2:
                apply_disk(store, target, "lab:1")
                assert relay.cuts_left < 2
                assert same_noise(target, source, _NOISE)
                return
            with pytest.raises((StoreBroken, StoreUnreachable), match=str(relay.port)):
                apply_disk(store, target, "lab:1", threads=1)
    assert table_of(target) == []


@pytest.mark.parametrize("harm", ["other bytes", "truncated"])
def test_a_store_that_serves_something_else(place: Place, store: Store, source: Path, target: Path, harm: str) -> None:
    capture_disk(store, source, "lab:1")
    for path in place.folder.rglob("*.pack"):
        if harm == "truncated":
            os.truncate(path, path.stat().st_size - MIB)
        else:
            overwrite(path, path.stat().st_size // 2, b"other bytes")
    with pytest.raises((ImageDamaged, StoreBroken)) as caught:
        apply_disk(store, target, "lab:1")
    assert "image_verify" in caught.value.message
    assert store.url in caught.value.message
    assert table_of(target) == []
    assert signatures(target) == set()


def test_a_server_that_fails_when_only_the_tags_are_missing(tmp_path: Path, source: Path) -> None:
    extra = f"location ~ ^/golden/images/lab/tags/exam {{ root {tmp_path}/nginx/data; if ($request_method = PUT) "
    extra += "{ return 503; } }"
    with Nginx(tmp_path / "nginx", extra=extra) as server, _impatient(server, server.url) as store:
        said = r"503.*lab:1 is published.*: exam, spare\..*golden\.fleet\.image_tag"
        with pytest.raises(StoreBroken, match=said) as caught:
            capture_disk(store, source, "lab:1", tags=("stable", "exam", "spare"))
        assert (caught.value.facts["image"], caught.value.facts["missing_tags"]) == ("lab:1", ["exam", "spare"])
        assert caught.value.facts["store"] == server.url
        assert Library(store).find(parse_ref("lab:stable")).version == "1"
        assert verify_store(store)["ok"]


def test_a_store_that_disappears_at_the_end_of_a_capture(tmp_path: Path, source: Path) -> None:
    """The error is about the store, and the claim is no obstacle later."""
    with Nginx(tmp_path / "nginx") as server, _impatient(server, server.url) as store:

        def at_phase(name: str) -> None:
            if name == "publishing":
                server.stop()

        with pytest.raises(StoreUnreachable, match="cannot be reached"):
            capture_disk(store, source, "lab:1", Watcher(at_phase))
        server.start()
        with Executioner() as others:  # the process that had the claim still lives: this one
            end = others.run("capture", StoreLocation(server.url, *_login(server)), str(source), "lab:2")
            assert not end.error
        assert Library(store).versions("lab") == ["2"]


def _login(server: Nginx) -> tuple[str, str, str]:
    return server.writer.name, server.writer.password, str(server.ca)


# The machine


@pytest.mark.parametrize(
    ("library", "kind"), [("blake3", "directory"), ("zstandard", "directory"), ("requests", "https")]
)
def test_a_library_that_is_missing(
    request: pytest.FixtureRequest, source: Path, target: Path, tmp_path: Path, library: str, kind: str
) -> None:
    where = request.getfixturevalue(f"{kind}_place").location
    with open_store(where) as store:
        capture_disk(store, source, "lab:1")
    login = [where.username, where.password, where.ca] if kind == "https" else []
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / f"{library}.py").write_text("raise ModuleNotFoundError('hidden')\n")
    program = (
        "import sys\n"
        "from ansible_collections.golden.fleet.plugins.module_utils._errors import LibraryMissing\n"
        "from ansible_collections.golden.fleet.plugins.module_utils._store.location import StoreLocation, open_store\n"
        "from ansible_collections.golden.fleet.tests.support.engine import apply_disk\n"
        "try:\n"
        "    apply_disk(open_store(StoreLocation(*sys.argv[2:])), sys.argv[1], 'lab:1')\n"
        "except LibraryMissing as error:\n"
        "    print(error.message, error.facts['library'])\n"
    )
    with _untouched(target):
        done = subprocess.run(
            [sys.executable, "-c", program, str(target), where.store, *login],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(hiding), *filter(None, sys.path)])},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout.strip().endswith(library)
    assert library in done.stdout
    assert "golden.fleet.tools" in done.stdout
