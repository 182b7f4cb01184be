# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks that are captured and applied: what comes out is what went in, and nothing of what was there before."""

from __future__ import annotations

import hashlib
import shutil
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._disk.handle import DiskHandle
from ansible_collections.golden.fleet.plugins.module_utils._errors import DiskError, ImageDamaged
from ansible_collections.golden.fleet.plugins.module_utils._image.plan import Comparer
from ansible_collections.golden.fleet.plugins.module_utils._image.writer import ChunkWriter
from ansible_collections.golden.fleet.plugins.module_utils._progress import Silent
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.tests.support.disks import (
    MIB,
    Piece,
    call,
    check_filesystem,
    extract,
    looped,
    make_dos,
    make_filesystem,
    make_gpt,
    read_files,
    sparse,
)
from ansible_collections.golden.fleet.tests.support.engine import (
    NOISE_AT,
    Watcher,
    apply_disk,
    capture_disk,
    noise,
    noise_disk,
    overwrite,
    piece,
    prune_store,
    same_noise,
    signatures,
    table_of,
)

FILES = {"small": b"golden\n", "large": noise(3 * MIB + 123, 7)}


class Counting(Silent):
    """How far each phase came: bytes done, bytes in all."""

    def __init__(self) -> None:
        self.phases: dict[str, tuple[int, int]] = {}
        self._name = ""

    def phase(self, name: str, total: int = 0) -> None:
        self._name = name
        self.phases[name] = (0, total)

    def advance(self, count: int) -> None:
        done, total = self.phases[self._name]
        self.phases[self._name] = (done + count, total)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def linux_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ESP, a root filesystem and swap, as on any computer."""
    pieces = [
        Piece("vfat", MIB, 40 * MIB, FILES),
        Piece("ext4", 41 * MIB, 32 * MIB, FILES),
        Piece("swap", 73 * MIB, 8 * MIB),
    ]
    return make_gpt(tmp_path_factory.mktemp("linux") / "disk.img", 82 * MIB, pieces)


def _check_linux(disk: Path, folder: Path) -> None:
    for kind, start, size in (("vfat", MIB, 40 * MIB), ("ext4", 41 * MIB, 32 * MIB)):
        part = extract(disk, start, size, folder / f"{disk.name}.{kind}")
        check_filesystem(part, kind)
        assert read_files(part, kind, FILES) == FILES
    assert "swap" in signatures(extract(disk, 73 * MIB, 8 * MIB, folder / "swap"))
    assert "No errors detected." in call("sfdisk", "--verify", disk)


def test_a_bigger_disk_gets_the_image_and_its_table_at_its_own_end(
    store: Store, linux_disk: Path, tmp_path: Path
) -> None:
    captured = capture_disk(store, linux_disk, "lab:1", tags=("stable",))
    assert captured["bytes"]["used"] < 20 * MIB
    target = sparse(tmp_path / "bigger.img", 131 * MIB + 4096)
    applied = apply_disk(store, target, "lab:stable")
    assert applied["changed"]
    assert applied["digest"] == captured["digest"]
    _check_linux(target, tmp_path)
    assert table_of(target) == table_of(linux_disk)
    assert piece(target, 131 * MIB + 4096 - 512, 8) == b"EFI PART"
    assert applied["bytes"]["verified"] == applied["bytes"]["written"] > 0

    again = apply_disk(store, target, "lab:1")  # no erase: there is nothing to lose
    assert not again["changed"]
    assert again["bytes"]["fetched"] == again["bytes"]["written"] == 0


def test_a_backup_table_that_is_not_at_the_end_is_put_there(directory: Store, linux_disk: Path, tmp_path: Path) -> None:
    capture_disk(directory, linux_disk, "lab:1")
    target = sparse(tmp_path / "target.img", 90 * MIB)
    apply_disk(directory, target, "lab:1")
    with target.open("r+b") as file:
        file.truncate(100 * MIB)  # as a virtual disk that was made bigger
    grown = apply_disk(directory, target, "lab:1", erase=True)
    assert grown["changed"]
    assert grown["plan"]["table"] == "write"
    assert piece(target, 100 * MIB - 512, 8) == b"EFI PART"
    overwrite(target, 100 * MIB - 512, bytes(512))
    assert apply_disk(directory, target, "lab:1", erase=True)["changed"]
    assert piece(target, 100 * MIB - 512, 8) == b"EFI PART"
    assert not apply_disk(directory, target, "lab:1")["changed"]


def test_a_loop_device_serves_like_a_file(directory: Store, linux_disk: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.img"
    call("cp", "--sparse=always", linux_disk, copy)
    target = sparse(tmp_path / "target.img", 90 * MIB)
    with looped(copy) as source, looped(target) as node:
        capture_disk(directory, source, "lab:1")
        apply_disk(directory, node, "lab:1")
        assert not apply_disk(directory, node, "lab:1")["changed"]
    _check_linux(target, tmp_path)


def test_a_smaller_disk_that_is_big_enough(directory: Store, tmp_path: Path) -> None:
    source = make_gpt(tmp_path / "source.img", 100 * MIB, [Piece("ext4", MIB, 24 * MIB, FILES)])
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 25 * MIB + 33 * 512)
    apply_disk(directory, target, "lab:1")
    assert table_of(target) == table_of(source)
    part = extract(target, MIB, 24 * MIB, tmp_path / "part")
    check_filesystem(part, "ext4")
    assert read_files(part, "ext4", FILES) == FILES
    assert not apply_disk(directory, target, "lab:1")["changed"]


@pytest.mark.parametrize("chunk_size", [64 << 10, MIB, 4 * MIB])
def test_an_older_version_becomes_the_newer_one(store: Store, tmp_path: Path, chunk_size: int) -> None:
    old = noise_disk(tmp_path / "old.img", 16)
    capture_disk(store, old, "lab:1", chunk_size=chunk_size)
    new = tmp_path / "new.img"
    new.write_bytes(old.read_bytes())
    overwrite(new, 9 * MIB, noise(MIB, 2))
    second = capture_disk(store, new, "lab:2", chunk_size=None)  # as the version before
    changed = -(-MIB // chunk_size) * chunk_size
    assert second["chunks"]["new"] * chunk_size <= changed + chunk_size
    assert MIB < second["bytes"]["stored"] < changed + 2 * chunk_size + 100_000

    applied = apply_disk(store, old, "lab:2", erase=True)
    assert same_noise(old, new, 16)
    assert applied["bytes"]["fetched"] < changed + 2 * MIB + chunk_size
    assert applied["bytes"]["skipped"] > 8 * MIB
    assert applied["plan"]["table"] == "keep"


def test_small_chunks_at_the_front_survive_a_delta(directory: Store, tmp_path: Path) -> None:
    """The first MiB is wiped before anything is written, so all of it must be written again."""
    source = make_filesystem(tmp_path / "source.img", "ext4", 24 * MIB, FILES)
    capture_disk(directory, source, "lab:1", chunk_size=64 << 10)
    target = sparse(tmp_path / "target.img", 24 * MIB)
    apply_disk(directory, target, "lab:1")
    used = next(at for at in range(MIB, 24 * MIB, 4096) if any(piece(source, at, 4096)))
    overwrite(target, used, noise(4096, 3))
    applied = apply_disk(directory, target, "lab:1", erase=True)
    assert applied["bytes"]["skipped"] > 0
    check_filesystem(target, "ext4")
    assert read_files(target, "ext4", FILES) == FILES
    assert not apply_disk(directory, target, "lab:1")["changed"]


def test_garbage_in_unused_blocks_is_left_alone(directory: Store, tmp_path: Path) -> None:
    source = make_gpt(tmp_path / "source.img", 34 * MIB, [Piece("ext4", MIB, 32 * MIB, FILES)])
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 34 * MIB)
    apply_disk(directory, target, "lab:1")
    free = next(at for at in range(30 * MIB, 10 * MIB, -MIB) if not any(piece(target, at, MIB)))
    overwrite(target, free, b"garbage")
    again = apply_disk(directory, target, "lab:1")
    assert not again["changed"]
    assert piece(target, free, 7) == b"garbage"


def test_logical_partitions_and_boot_code(store: Store, tmp_path: Path) -> None:
    script = "start=2048, size=65536, type=83, bootable\nstart=67584, size=75776, type=5\n"
    script += "start=69632, size=16384, type=82\nstart=88064, size=49152, type=83\n"
    pieces = [Piece("ext4", 2048 * 512, 65536 * 512, FILES), Piece("swap", 69632 * 512, 16384 * 512)]
    pieces.append(Piece("ext4", 88064 * 512, 49152 * 512, FILES))
    source = make_dos(tmp_path / "source.img", 72 * MIB, script, pieces)
    overwrite(source, 0, noise(440, 5))
    overwrite(source, 512, noise(40_000, 6))  # where GRUB puts its core
    capture_disk(store, source, "lab:1")
    target = sparse(tmp_path / "target.img", 80 * MIB)
    apply_disk(store, target, "lab:1")
    assert table_of(target) == table_of(source)
    assert len([line for line in table_of(target) if "start=" in line]) == 4
    assert piece(target, 0, MIB) == piece(source, 0, MIB)
    for each in (pieces[0], pieces[2]):
        part = extract(target, each.start, each.size, tmp_path / "part")
        check_filesystem(part, "ext4")
        assert read_files(part, "ext4", FILES) == FILES
    assert not apply_disk(store, target, "lab:1")["changed"]


def test_a_filesystem_without_a_partition_table(directory: Store, tmp_path: Path) -> None:
    source = make_filesystem(tmp_path / "source.img", "ext4", 32 * MIB, FILES)
    capture_disk(directory, source, "lab:1")
    target = noise_disk(tmp_path / "target.img", 38)
    applied = apply_disk(directory, target, "lab:1", erase=True)
    assert applied["plan"]["holds"]
    assert signatures(target) == {"ext4"}
    assert read_files(target, "ext4", FILES) == FILES
    assert not apply_disk(directory, target, "lab:1")["changed"]


def _swap(path: Path) -> None:
    call("mkswap", "-q", path)


def _lvm(path: Path) -> None:
    overwrite(path, 512, b"LABELONE" + (1).to_bytes(8, "little") + bytes(8) + b"LVM2 001")


def _raid(path: Path) -> None:
    """Superblocks of Linux software RAID: at the start (1.2), and at the end (0.90)."""
    magic = (0xA92B4EFC).to_bytes(4, "little")
    overwrite(path, 4096, magic + (1).to_bytes(4, "little") + noise(248, 8))
    overwrite(path, path.stat().st_size // 65536 * 65536 - 65536, magic + bytes(4) + (90).to_bytes(4, "little"))


def _zfs(path: Path) -> None:
    size = path.stat().st_size // (256 << 10) * (256 << 10)
    for label in (0, 256 << 10, size - (512 << 10), size - (256 << 10)):
        for number in range(128):
            overwrite(path, label + (128 << 10) + 1024 * number, (0x00BAB10C).to_bytes(8, "little") + noise(56, 9))


def _btrfs(path: Path) -> None:
    call("mkfs.btrfs", "-q", "-f", path)


@pytest.mark.parametrize(
    ("stain", "found"),
    [
        pytest.param(_swap, {"swap"}, id="swap"),
        pytest.param(_lvm, {"LVM2_member"}, id="LVM"),
        pytest.param(_raid, {"linux_raid_member"}, id="RAID"),
        pytest.param(_zfs, {"zfs_member"}, id="ZFS"),
        pytest.param(_btrfs, {"btrfs"}, id="btrfs"),
    ],
)
def test_labels_of_the_past_are_gone(
    directory: Store, tmp_path: Path, stain: t.Callable[[Path], None], found: set[str]
) -> None:
    source = make_gpt(tmp_path / "source.img", 34 * MIB, [Piece("swap", MIB, 8 * MIB), Piece("", 9 * MIB, 8 * MIB)])
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 130 * MIB)
    stain(target)
    for start in (MIB, 9 * MIB):  # and inside what becomes partitions
        part = sparse(tmp_path / "part", 130 * MIB if stain is _btrfs else 8 * MIB)
        stain(part)
        overwrite(target, start, piece(part, 0, 8 * MIB))
    before = signatures(target)
    assert found <= before
    apply_disk(directory, target, "lab:1", erase=True)
    assert signatures(target) == {"gpt", "PMBR"}
    assert signatures(extract(target, MIB, 8 * MIB, tmp_path / "part")) == {"swap"}
    assert signatures(extract(target, 9 * MIB, 8 * MIB, tmp_path / "part")) == set()


def test_sectors_of_4096_bytes(directory: Store, tmp_path: Path) -> None:
    source = make_gpt(tmp_path / "source.img", 42 * MIB, [Piece("ext4", MIB, 40 * MIB, FILES)], sector_size=4096)
    capture_disk(directory, source, "lab:1", sector_size=4096)
    target = sparse(tmp_path / "target.img", 50 * MIB)
    with looped(target, "--sector-size", "4096") as node:
        apply_disk(directory, node, "lab:1")
        assert call("sfdisk", "--dump", node).count("sector-size: 4096") == 1
        assert not apply_disk(directory, node, "lab:1")["changed"]
    assert not apply_disk(directory, target, "lab:1", sector_size=4096)["changed"]
    part = extract(target, MIB, 40 * MIB, tmp_path / "part")
    assert read_files(part, "ext4", FILES) == FILES


@pytest.mark.parametrize("size", [5 * MIB + 512, 5 * MIB + 1, 700_001])
def test_a_size_that_nothing_divides(directory: Store, tmp_path: Path, size: int) -> None:
    source = tmp_path / "source.img"
    source.write_bytes(noise(size, 4))
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", size)
    applied = apply_disk(directory, target, "lab:1", verify="full")
    assert target.read_bytes() == source.read_bytes()
    assert applied["chunks"]["written"] == applied["chunks"]["total"] == -(-size // MIB)
    bigger = sparse(tmp_path / "bigger.img", size + 3 * MIB + 7)
    apply_disk(directory, bigger, "lab:1")
    assert piece(bigger, 0, size) == source.read_bytes()


def test_a_table_on_a_file_that_ends_within_a_sector(directory: Store, tmp_path: Path) -> None:
    source = noise_disk(tmp_path / "source.img", 4)
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 30 * MIB + 777)
    assert apply_disk(directory, target, "lab:1")["changed"]
    assert not apply_disk(directory, target, "lab:1")["changed"]


def test_a_disk_of_nothing_but_a_table(directory: Store, tmp_path: Path) -> None:
    source = make_gpt(tmp_path / "source.img", 20 * MIB, [Piece("", MIB, 10 * MIB)])
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 20 * MIB)
    assert apply_disk(directory, target, "lab:1")["changed"]
    assert table_of(target) == table_of(source)
    assert not apply_disk(directory, target, "lab:1")["changed"]


def test_chunks_of_other_images_are_reused_if_asked_for(store: Store, tmp_path: Path) -> None:
    one, other = noise_disk(tmp_path / "one.img", 8), noise_disk(tmp_path / "other.img", 10)
    capture_disk(store, one, "lab:1", chunk_size=MIB)
    apart = capture_disk(store, other, "office:1", chunk_size=MIB)
    assert apart["bytes"]["stored"] > 10 * MIB
    shared = capture_disk(store, other, "hall:1", chunk_size=MIB, dedupe_from=("lab",))
    assert shared["chunks"]["known"] >= 7
    assert shared["bytes"]["stored"] < 4 * MIB
    target = sparse(tmp_path / "target.img", 12 * MIB)
    apply_disk(store, target, "hall:1")
    assert same_noise(target, other, 10)


@pytest.mark.parametrize("verify", ["full", "written", "none"])
def test_how_much_is_read_back(directory: Store, tmp_path: Path, verify: str) -> None:
    source = noise_disk(tmp_path / "source.img", 6)
    capture_disk(directory, source, "lab:1", chunk_size=MIB)
    target = sparse(tmp_path / "target.img", 8 * MIB)
    target.write_bytes(source.read_bytes())
    overwrite(target, 3 * MIB, noise(MIB, 12))
    count = apply_disk(directory, target, "lab:1", verify=verify, erase=True)["bytes"]
    expected = {"full": 7 * MIB, "written": count["written"], "none": 0}
    assert count["verified"] == expected[verify]
    assert 0 < count["written"] < 4 * MIB
    assert same_noise(target, source, 6)


@pytest.mark.parametrize("offset", [0, 4 * MIB], ids=["first chunk", "a later chunk"])
@pytest.mark.parametrize("verify", ["full", "written"])
def test_a_disk_that_does_not_keep_what_is_written(
    directory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: str, offset: int
) -> None:
    """No disk at hand fails on demand, so this one loses a byte behind the engine's back."""
    source = noise_disk(tmp_path / "source.img", 6)
    overwrite(source, 0, noise(440, 5))
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 8 * MIB)
    write = DiskHandle.write_from

    def lossy(self: DiskHandle, buffer: memoryview, at: int) -> None:
        write(self, buffer, at)
        if at == offset:
            overwrite(target, at + 100, b"?")

    monkeypatch.setattr(DiskHandle, "write_from", lossy)
    with pytest.raises((DiskError, ImageDamaged), match="does not keep what is written"):
        apply_disk(directory, target, "lab:1", verify=verify)
    assert table_of(target) == []


@pytest.mark.parametrize("held", ["nothing", "another system", "an older version"])
def test_check_mode_writes_nothing(directory: Store, tmp_path: Path, held: str) -> None:
    source = noise_disk(tmp_path / "source.img", 6)
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 8 * MIB)
    if held == "another system":
        noise_disk(target, 6, seed=5)
    elif held == "an older version":
        target.write_bytes(source.read_bytes())
        overwrite(target, 5 * MIB, b"old")
    before, changed = _digest(target), target.stat().st_mtime_ns
    plan = apply_disk(directory, target, "lab:1", check=True, erase=True)
    assert (_digest(target), target.stat().st_mtime_ns) == (before, changed)
    assert plan["changed"]
    assert plan["bytes"]["written"] == 0
    assert plan["plan"]["fetch"] > MIB
    assert "lab:1" in plan["diff"]["after"]
    real = apply_disk(directory, target, "lab:1", erase=True)
    assert real["bytes"]["fetched"] <= plan["plan"]["fetch"] + MIB
    assert real["bytes"]["written"] == plan["plan"]["write"]


def test_a_capture_in_check_mode_leaves_no_trace(directory: Store, tmp_path: Path) -> None:
    source = noise_disk(tmp_path / "source.img", 4)
    plan = capture_disk(directory, source, "lab:1", check=True)
    assert plan["changed"]
    assert "gpt" in plan["diff"]["after"]
    assert not (tmp_path / "store").exists()


@pytest.mark.usefixtures("small_packs")
def test_packs_may_be_rewritten_while_an_apply_is_under_way(store: Store, tmp_path: Path) -> None:
    source = noise_disk(tmp_path / "source.img", 6)
    capture_disk(store, source, "lab:1")
    overwrite(source, NOISE_AT + MIB, noise(MIB, 2))
    overwrite(source, NOISE_AT + 4 * MIB, noise(MIB, 3))
    capture_disk(store, source, "lab:2")
    target = sparse(tmp_path / "target.img", 8 * MIB)
    pruned: list[dict[str, t.Any]] = []

    def at_phase(name: str) -> None:
        if name == "writing":  # the plan is made, nothing fetched yet
            pruned.append(prune_store(store, keep_last=1, repack_below=90))

    apply_disk(store, target, "lab:2", Watcher(at_phase))
    assert pruned[0]["removed"] == ["lab:1"]
    assert pruned[0]["packs"]["rewritten"]
    assert pruned[0]["packs"]["removed"]
    assert same_noise(target, source, 6)


def test_writing_begins_while_the_disk_is_still_compared(
    directory: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = noise_disk(tmp_path / "source.img", 40)
    capture_disk(directory, source, "lab:1")
    target = Path(shutil.copy(source, tmp_path / "target.img"))
    overwrite(target, NOISE_AT, noise(4 * MIB, 2))
    order: list[str] = []
    for owner, method in ((ChunkWriter, "_put"), (Comparer, "_compare")):
        _listen(monkeypatch, owner, method, order)
    assert apply_disk(directory, target, "lab:1", erase=True, threads=1)["chunks"]["written"] == 5
    assert order.index("_put") < len(order) - 1 - order[::-1].index("_compare")
    assert same_noise(target, source, 40)


def test_progress_while_comparing_ends_at_its_total(directory: Store, tmp_path: Path) -> None:
    source = noise_disk(tmp_path / "source.img", 40)
    capture_disk(directory, source, "lab:1")
    target = Path(shutil.copy(source, tmp_path / "target.img"))
    overwrite(target, NOISE_AT + 20 * MIB, noise(4 * MIB, 2))
    watcher = Counting()
    apply_disk(directory, target, "lab:1", watcher, erase=True)
    assert "comparing and writing what differs" in watcher.phases
    for name, (done, total) in watcher.phases.items():
        assert 0 <= done <= total or not total, name


def _listen(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, order: list[str]) -> None:
    method = getattr(owner, name)

    def listened(*arguments: t.Any) -> t.Any:
        order.append(name)
        return method(*arguments)

    monkeypatch.setattr(owner, name, listened)


def test_nobody_else_gets_the_disk_meanwhile(directory: Store, tmp_path: Path) -> None:
    source = noise_disk(tmp_path / "source.img", 4)
    capture_disk(directory, source, "lab:1")
    target = sparse(tmp_path / "target.img", 6 * MIB)
    refused: list[DiskError] = []

    def intrude() -> None:
        with pytest.raises(DiskError, match="in use") as caught:
            apply_disk(directory, target, "lab:1")
        refused.append(caught.value)

    def at_phase(name: str) -> None:
        if name == "writing":
            thread = threading.Thread(target=intrude)
            thread.start()
            thread.join()

    apply_disk(directory, target, "lab:1", Watcher(at_phase))
    assert len(refused) == 1
    assert same_noise(target, source, 4)


def test_packs_have_the_size_they_should(directory: Store, tmp_path: Path, small_packs: int) -> None:
    source = noise_disk(tmp_path / "source.img", 9)
    captured = capture_disk(directory, source, "lab:1")
    sizes = [path.stat().st_size for path in (tmp_path / "store/packs").rglob("*.pack")]
    assert len(sizes) == len(captured["packs"]) > 3
    assert max(sizes) < small_packs + 2 * MIB
