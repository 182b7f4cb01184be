# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Apply: an image comes onto a disk, and only what the disk lacks is fetched."""

from __future__ import annotations

import time
import typing as t
from bisect import bisect_left
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain

from .._disk.contents import LEFTOVERS, contents
from .._disk.handle import DiskHandle, aligned_buffer, refuse_read_only
from .._disk.model import Disk
from .._disk.select import describe
from .._disk.table import holds_table, rehearse_table, write_table
from .._errors import DiskNotEmpty, DiskTooSmall, ImageDamaged, SectorSizeDiffers
from .._extents import Extents
from .._progress import Progress, Silent
from .._store.base import Store
from .._units import show_size
from .chunks import MIB, zero, zero_digest
from .library import Library
from .manifest import Manifest
from .names import ImageRef
from .pipeline import worker_count
from .plan import Comparer
from .reads import LONG, LONGEST, Windows
from .writer import ChunkWriter

# While a disk is compared: chunks of the first window, and bytes of the longest one.
_FIRST_WINDOW = 4
_LONGEST_WINDOW = 128 << 20


@dataclass(frozen=True)
class ApplyRequest:
    """Which image to bring onto which disk, and how."""

    disk: Disk
    ref: ImageRef
    erase: bool = False  # the disk may hold something that is lost then
    delta: bool = True  # compare first, write only what differs
    verify: str = "written"  # read back: full (all of it, at the end), written (each chunk), none
    check: bool = False  # plan only
    threads: int | None = None


def apply(store: Store, request: ApplyRequest, progress: Progress) -> dict[str, t.Any]:
    """Bring an image onto a disk. Interrupted at any moment, it leaves a disk that does not boot, and can be run again.

    :returns: see docs/architecture.md, "The verbs' requests and results".
    :raises GoldenError: the image does not fit, the disk is in use or holds something, the store fails.
    """
    started = time.monotonic()
    progress.phase("reading the image's description")
    library = Library(store)
    image = library.find(request.ref)
    _refuse_misfit(image, request.disk)
    refuse_read_only(request.disk)  # in check mode, too, where the disk is not opened for writing
    with DiskHandle(request.disk, writable=not request.check) as handle:
        run = _Run(library, image, request, handle, progress)
        plan = run.go()
    return _result(run, plan, time.monotonic() - started)


@dataclass(frozen=True)
class Plan:
    """What an apply would do, or has done."""

    holds: tuple[str, ...]  # what is on the disk now, for people
    missing: tuple[int, ...]  # rows of the grid to write
    same_table: bool
    fetch: int  # bytes
    write: int  # bytes

    @property
    def changes(self) -> bool:
        return bool(self.missing) or not self.same_table


class _Run:
    """One apply under way."""

    def __init__(
        self, library: Library, image: Manifest, request: ApplyRequest, handle: DiskHandle, progress: Progress
    ) -> None:
        self.image = image
        self.request = request
        self.index = library.index(image)
        self.grid = self.index.grid()
        self._handle = handle
        self._progress = progress
        self._threads = request.threads or worker_count(2 * LONGEST + 3 * self.grid.chunk_size)
        self._refuse_overhang()
        # Rows that are always written, and last: what lies there makes a disk look like something.
        self._front = bisect_left(self.grid.numbers, -(-MIB // self.grid.chunk_size))
        self.comparer = Comparer(handle, self.index, self.grid, self._threads)
        self.writer = ChunkWriter(library, image, self.index, self.grid, handle, request.verify == "written")
        self._zero = zero_digest(self.grid.chunk_size)
        self._sampled: int | None = None  # bytes that were read before comparing began; None if it never does

    def go(self) -> Plan:
        """Compare the disk with the image, and unless this is a check write what differs, while the rest is compared.

        Nothing is written before the first difference is found. The disk's front and the partition table come last,
        so that half an image never boots.

        :raises DiskNotEmpty: it holds something else, and nobody said to erase it.
        """
        disk = self.request.disk
        holds = tuple(contents(disk))
        matches = holds_table(self._handle, self.image.table)
        if holds and not matches:
            self._need_erase(holds)
        written: list[int] = []
        fetch = 0
        with closing(self._missing(blank=not holds)) as missing:
            first = next(missing, None)
            changes = first is not None or not matches
            if changes:
                if holds:
                    self._need_erase(holds)
                if self.image.table:  # now, while the old one is still there
                    rehearse_table(self.image.table, disk.size)
                found = chain([] if first is None else [first], missing)
                rest = _noted((row for row in found if row >= self._front), written)
                fetch = self._plan(rest) if self.request.check else self._write(rest)
        rows = [*range(self._front if changes else 0), *written]
        return Plan(holds, tuple(rows), matches, fetch, len(rows) * self.grid.chunk_size)

    def _plan(self, rows: t.Iterator[int]) -> int:
        """How many bytes _write() would fetch."""
        return self.writer.plan(rows, self._windows()) + self.writer.plan(range(self._front), LONG)

    def _write(self, rows: t.Iterator[int]) -> int:
        """Write these rows, then the disk's front and the table.

        :return: how many bytes were to be fetched.
        """
        front = range(self._front)
        self._handle.check_identity()
        left = len(self.grid) * self.grid.chunk_size
        if self._sampled is None:
            watching, phase = self._progress, "writing"
        else:
            watching, phase = Silent(), "comparing and writing what differs"
            left -= self.comparer.read - self._sampled
        self._refuse_lost()
        self._take_away_labels()
        self._progress.phase(phase, left)
        fetch = self.writer.write(rows, self._threads, watching, self._windows())
        self._handle.sync()
        if self.request.verify == "full":
            self._check(range(self._front, len(self.grid)))
        fetch += self.writer.write(front, 1, watching, LONG)
        self._handle.sync()
        if self.request.verify == "full":
            self._check(front)
        self._progress.phase("finishing")
        if self.image.table:
            write_table(self._handle, self.image.table)
            self._handle.sync()
        if not self._handle.reread_table():
            self._progress.note(
                f"somebody has a partition of {self.request.disk.path} open, so the kernel will see the new partition "
                "table only when the disk is plugged in again or the machine boots"
            )
        return fetch

    def _windows(self) -> Windows:
        """How many rows are planned at a time: writing begins while the disk is still compared."""
        return (
            LONG if self._sampled is None else Windows(_FIRST_WINDOW, max(1, _LONGEST_WINDOW // self.grid.chunk_size))
        )

    def _missing(self, blank: bool) -> t.Generator[int, None, None]:
        """Rows whose chunk the disk lacks, as they are found."""
        rows = range(len(self.grid))
        if blank or not self.request.delta or self.comparer.unlike(self._zero, self._progress):
            yield from rows
            return
        self._sampled = self.comparer.read
        self._progress.phase("comparing the disk with the image", len(rows) * self.grid.chunk_size)
        yield from self.comparer.missing(rows, self._progress)

    def _refuse_lost(self) -> None:
        """What no pack holds must be on the disk already, and stay there. Better known before anything is destroyed.

        :raises ImageDamaged: it is not.
        """
        lost = self.writer.unplaced()
        if self._sampled is not None:
            front = [row for row in lost if row < self._front]  # which is written in any case
            lost = front + list(self.comparer.missing(lost[len(front) :], Silent()))
        self.writer.plan(lost, LONG)

    def _take_away_labels(self) -> None:
        """Zero the disk's first and last MiB, but for what the image keeps at the end: old tables, RAID labels."""
        size = self._handle.size
        self._wipe(0, min(MIB, size), Extents())
        tail = max(0, size - MIB) // 4096 * 4096
        self._wipe(tail, size, self.grid.kept)
        self._handle.sync()

    def _wipe(self, start: int, end: int, keep: Extents) -> None:
        buffer = aligned_buffer(-(-(end - start) // 4096) * 4096)
        self._handle.read_into(buffer, start)
        for gap_start, length in Extents([(start, end - start)]) - keep:
            zero(buffer[gap_start - start : gap_start - start + length])
        self._handle.write_from(buffer[: end - start], start)

    def _check(self, rows: t.Sequence[int]) -> None:
        self._progress.phase("reading everything back", len(rows) * self.grid.chunk_size)
        bad = list(self.comparer.missing(rows, self._progress))
        if bad:
            raise ImageDamaged(
                f"{len(bad)} chunks on {self.request.disk.path} are not as the image says, first at byte "
                f"{self.grid.start(bad[0])}: the disk does not keep what is written to it. It will not boot.",
                disk=self.request.disk.path,
            )
        self.writer.bytes["verified"] += len(rows) * self.grid.chunk_size

    def _need_erase(self, holds: tuple[str, ...]) -> None:
        if self.request.erase:
            return
        disk = self.request.disk
        interrupted = " This may be an apply that was interrupted: erase: true goes on with it."
        raise DiskNotEmpty(
            f"{describe(disk)} holds data that applying {self.image.ref} would destroy: {'; '.join(holds)}. "
            f"Set erase: true if that is what you want.{interrupted if holds[0].startswith(LEFTOVERS) else ''}",
            disk=disk.path,
            contents=list(holds),
        )

    def _refuse_overhang(self) -> None:
        """A manifest may say it needs less than its index keeps: believe the index."""
        if self.grid.kept.end > self._handle.size:
            raise DiskTooSmall(
                f"Image {self.image.ref} keeps data up to byte {self.grid.kept.end}, beyond the end of "
                f"{describe(self.request.disk)}. Nothing was written.",
                disk=self.request.disk.path,
                size=self._handle.size,
                needed=self.grid.kept.end,
            )


def _refuse_misfit(image: Manifest, disk: Disk) -> None:
    if disk.sector_size != image.sector_size:
        raise SectorSizeDiffers(
            f"Image {image.ref} was captured from a disk with sectors of {image.sector_size} bytes; "
            f"{describe(disk)} has {disk.sector_size}. Filesystems do not survive that. Nothing was written: "
            "capture from a computer with such a disk, or choose another disk.",
            disk=disk.path,
            image_sector_size=image.sector_size,
            disk_sector_size=disk.sector_size,
        )
    if disk.size < image.needed_size:
        raise DiskTooSmall(
            f"Image {image.ref} needs {show_size(image.needed_size)} ({image.needed_size} bytes); {describe(disk)} "
            f"is {image.needed_size - disk.size} bytes too small. Nothing was written.",
            disk=disk.path,
            size=disk.size,
            needed=image.needed_size,
        )


def _result(run: _Run, plan: Plan, seconds: float) -> dict[str, t.Any]:
    done = run.writer.bytes
    total, size = len(run.grid), run.grid.chunk_size
    return {
        "changed": plan.changes,
        "image": str(run.image.ref),
        "digest": run.image.digest,
        "disk": asdict(run.request.disk),
        "seconds": round(seconds, 3),
        "plan": {
            "holds": list(plan.holds),
            "table": "keep" if plan.same_table else "write",
            "chunks": len(plan.missing),
            "fetch": plan.fetch,
            "write": plan.write,
        },
        "bytes": {
            "used": run.image.used,
            "read": run.comparer.read,
            "skipped": (total - len(plan.missing)) * size,
            **done,
        },
        "chunks": {"total": total, "present": total - len(plan.missing), "written": run.writer.chunks},
        "diff": _diff(run, plan),
    }


def _diff(run: _Run, plan: Plan) -> dict[str, str]:
    after = [f"image {run.image.ref} ({run.image.digest})"]
    after += [f"{v.type} {v.label or ''} of {show_size(v.size)}" for v in run.image.volumes]
    if not plan.changes:
        return {"before": _lines(after), "after": _lines(after)}
    after.append(f"{len(plan.missing)} of {len(run.grid)} chunks written, {plan.fetch} bytes fetched")
    return {"before": _lines(plan.holds), "after": _lines(after)}


def _noted(rows: t.Iterable[int], written: list[int]) -> t.Iterator[int]:
    for row in rows:
        written.append(row)
        yield row


def _lines(items: t.Iterable[str]) -> str:
    return "".join(f"{item}\n" for item in items)
