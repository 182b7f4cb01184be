# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What is measured: each scenario lets its contenders run in turn and returns figures."""

from __future__ import annotations

import json
import shutil
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from . import disk, ours, peers
from .measure import BenchError, Runs, Sample, run, timed

Figures = dict[str, t.Any]
_IMAGE = "bench"
_TINY = 32 << 20
_MANY = "64"


@dataclass(frozen=True)
class Contender:
    """Somebody who takes part in a scenario.

    :ivar prepare: what happens before each run, outside of its time.
    :ivar check: looks at the outcome of the first run, outside of its time.
    """

    name: str
    pipeline: list[list[str]]
    outputs: tuple[Path, ...]
    prepare: t.Callable[[], None] = lambda: None
    check: t.Callable[[], None] = lambda: None


@dataclass
class Bench:
    """The disks, and what the scenarios leave for each other."""

    work: Path
    disks: disk.Disks
    runs: int
    _extents: dict[Path, list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.work.mkdir()
        self.target = self.work / "target.img"
        self.store_before, self.store_after = self.work / "store-before", self.work / "store-after"
        self.clonezilla, self.fog = self.work / "clonezilla.zst", self.work / "fog.zst"

    def first_capture(self) -> Figures:
        """A disk that no store knows."""
        source, store = self.disks.before, self.store_before
        results = self._race(
            _capturing("clonezilla", peers.clonezilla_capture(source, self.clonezilla), self.clonezilla),
            _capturing("fog", peers.fog_capture(source, self.fog), self.fog),
            _capturing("ours", ours.capture(source, store, f"{_IMAGE}:1"), store),
        )
        sizes = {"clonezilla": _size(self.clonezilla), "fog": _size(self.fog), "ours": _size(store)}
        return _figures(results, image_bytes=sizes)

    def second_capture(self) -> Figures:
        """The same disk after a change, into a store that knows the state before."""
        self._need_captures()
        source, store, image = self.disks.after, self.store_after, self.work / "second.zst"
        results = self._race(
            _capturing("clonezilla", peers.clonezilla_capture(source, image), image),
            Contender(
                "ours",
                ours.capture(source, store, f"{_IMAGE}:2"),
                (store,),
                lambda: _replace(self.store_before, store),
            ),
        )
        image.unlink()
        return _figures(results, added_bytes=_size(store) - _size(self.store_before))

    def first_apply(self) -> Figures:
        """The image comes onto a disk that holds nothing."""
        self._need_captures()
        source, target = self.disks.before, self.target

        def contender(name: str, pipeline: list[list[str]]) -> Contender:
            return Contender(
                name,
                pipeline,
                (target,),
                lambda: disk.zeroed(target, self.disks.size),
                lambda: self._check_target(source),
            )

        copying = peers.dd_copy(source, target, self._used(source), self.work / "copy.sh")
        results = self._race(
            contender("clonezilla", peers.clonezilla_restore(self.clonezilla, target)),
            contender("fog", peers.fog_restore(self.fog, target)),
            contender("dd", copying),
            contender("unread", ours.apply_unread(target, self.store_before, f"{_IMAGE}:1")),
            contender("ours", ours.apply(target, self.store_before, f"{_IMAGE}:1")),
        )
        used = self._used(source)
        facts = {"used_bytes": sum(length for _start, length in used), "used_ranges": len(used)}
        return _figures(results, told=_told(results["ours"]), **facts)

    def second_apply(self) -> Figures:
        """The image of the changed disk comes onto a disk that holds the state before."""
        self._need_second_capture()
        source, target = self.disks.after, self.target
        reading = peers.dd_read(target, self._used(self.disks.before), self.work / "read.sh")
        results = self._race(
            Contender("dd", reading, (), lambda: disk.copy(self.disks.before, target)),
            Contender(
                "ours",
                ours.apply(target, self.store_after, f"{_IMAGE}:2"),
                (target,),
                check=lambda: self._check_target(source),
            ),
        )
        return _figures(results, told=_told(results["ours"]))

    def big_disk(self) -> Figures:
        """What 2 TB with 100 GB used would cost before the first byte is copied."""
        store, image = self.work / "store-big", "big:1"
        made = ours.simulate(store, image)
        target = self.work / "big.img"
        disk.blank(target, made["disk_bytes"])
        results = self._race(Contender("ours", ours.plan(target, store, image), ()))
        version = store / "images" / "big" / "versions" / "1"
        sizes = {path.name: path.stat().st_size for path in version.iterdir()}
        target.unlink()
        return _figures(results, simulated=made, object_bytes=sizes)

    def many_processors(self) -> Figures:
        """What memory takes where as many threads run as there would be with 64 processors."""
        self._need_captures()
        source, target, store = self.disks.before, self.target, self.work / "store-many"
        results = self._race(
            _capturing("capture", ours.engine("capture", source, store, "many:1", _MANY), store),
            Contender(
                "apply",
                ours.engine("apply", target, self.store_before, f"{_IMAGE}:1", _MANY),
                (target,),
                lambda: disk.blank(target, self.disks.size),
            ),
            runs=1,
        )
        _remove(store)
        return _figures(results)

    def startup(self) -> Figures:
        """What Ansible itself takes: a play with next to nothing to do, beside the engine alone."""
        source, store = self.work / "tiny.img", self.work / "store-tiny"
        disk.blank(source, _TINY)
        run([["mkfs.ext4", "-q", "-F", str(source)]])
        results = self._race(
            _capturing("ansible", ours.play(source, store, "tiny", "1"), store),
            _capturing("ours", ours.capture(source, store, "tiny:1"), store),
        )
        return _figures(results, startup_seconds=round(results["ansible"].wall - results["ours"].wall, 2))

    def _race(self, *contenders: Contender, runs: int | None = None) -> dict[str, Runs]:
        """A B C A B C ...: whatever slows the machine for a while slows all of them."""
        samples: dict[str, list[Sample]] = {contender.name: [] for contender in contenders}
        for number in range(runs or self.runs):
            for contender in contenders:
                contender.prepare()
                sample = timed(contender.pipeline, contender.outputs)
                samples[contender.name].append(sample)
                print(f"    {contender.name:<11} {sample.wall:7.2f} s", flush=True)
                if number == 0:
                    contender.check()
        return {name: Runs(tuple(taken)) for name, taken in samples.items()}

    def _need_captures(self) -> None:
        """For those who measure only what comes after."""
        if not self.clonezilla.exists():
            run(peers.clonezilla_capture(self.disks.before, self.clonezilla))
            run(peers.fog_capture(self.disks.before, self.fog))
        if not self.store_before.exists():
            run(ours.capture(self.disks.before, self.store_before, f"{_IMAGE}:1"))

    def _need_second_capture(self) -> None:
        self._need_captures()
        if not self.store_after.exists():
            _replace(self.store_before, self.store_after)
            run(ours.capture(self.disks.after, self.store_after, f"{_IMAGE}:2"))

    def _used(self, source: Path) -> list[tuple[int, int]]:
        if source not in self._extents:
            self._extents[source] = ours.used_extents(source)
        return self._extents[source]

    def _check_target(self, source: Path) -> None:
        """:raises BenchError: what was timed did not do its work."""
        run([["e2fsck", "-fn", str(self.target)]])
        with open(source, "rb") as meant, open(self.target, "rb") as made:
            for start, length in self._used(source):
                for at in range(start, start + length, 1 << 20):
                    count = min(1 << 20, start + length - at)
                    meant.seek(at)
                    made.seek(at)
                    if meant.read(count) != made.read(count):
                        raise BenchError(f"{self.target} differs from {source} near byte {at}.")


def _capturing(name: str, pipeline: list[list[str]], output: Path) -> Contender:
    """One who writes an image or store that was not there before."""
    return Contender(name, pipeline, (output,), lambda: _remove(output))


def _figures(results: dict[str, Runs], **more: t.Any) -> Figures:
    return {"runs": {name: runs.as_dict() for name, runs in results.items()}, **more}


def _told(runs: Runs) -> dict[str, t.Any]:
    """What the engine itself counted in its last run."""
    result = json.loads(runs.samples[-1].stdout)
    return {name: result[name] for name in ("bytes", "chunks")}


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _replace(source: Path, target: Path) -> None:
    _remove(target)
    shutil.copytree(source, target)
