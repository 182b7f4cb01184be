# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A disk gets ids of its own, and all that names them follows.

Everything is looked at before anything is written. Then: notes of the old ids, the files, the ids themselves, the
initramfs, a last look, and the notes go. After an interruption each step finds out by itself what is left to be done.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..._disk.model import Disk
from ..._disk.select import DiskHint, select
from ..._errors import OsError, UsageError
from ..._machine import machine_uuid
from ..beneath import Root
from ..record import leftovers
from . import journal, places, ramdisks, volumes, windows
from .files import Files
from .names import TABLE, Ids, Renaming
from .volumes import Found


@dataclasses.dataclass
class _Plan:
    """What there is to do.

    :ivar wanted: the ids, by place.
    :ivar twins: the ids that more than one has.
    :ivar files: those that name old ids.
    :ivar ramdisks: those that name old ids, or may; and whether they surely do.
    :ivar noted: an earlier run was interrupted.
    :ivar dangling: ids that an fstab names and that are not on this disk.
    """

    found: Found
    wanted: Ids
    names: Renaming
    twins: Renaming
    former: journal.Former
    files: list[str] = dataclasses.field(default_factory=list)
    ramdisks: dict[str, bool] = dataclasses.field(default_factory=dict)
    noted: bool = False
    dangling: set[str] = dataclasses.field(default_factory=set)
    notes: list[str] = dataclasses.field(default_factory=list)

    @property
    def changes(self) -> bool:
        return self.noted or self.found.ids != self.wanted or bool(self.files)


def renew(hint: DiskHint, seed: str | None, check: bool) -> dict[str, t.Any]:
    """Give a disk the ids that follow from a seed.

    :param seed: by default what the firmware calls this machine.
    :returns: changed, disk, ids, files, notes, diff.
    :raises OsError: it cannot be done, and nothing was changed; or it was interrupted, and can be done again.
    """
    own = seed or machine_uuid()
    if not own:
        raise UsageError("The firmware does not tell this machine from others. Give it a seed, such as its name.")
    for each in [] if check else leftovers():
        each.undo()
    disk = select(hint)
    if volumes.finish_begun(disk, check) and check:
        return {
            "changed": True,
            "disk": disk.path,
            "ids": {},
            "files": [],
            "notes": [f"An earlier run was interrupted; what is left to be done on {disk.path} cannot be seen before."],
            "diff": {"before": {}, "after": {}},
        }
    plan = _plan(disk, own)
    if plan.changes and not check:
        _carry_out(plan)
    return _result(plan)


def _plan(disk: Disk, seed: str) -> _Plan:
    found = volumes.look(disk)
    volumes.need_programs(found)
    volumes.refuse_unclean(found)
    # Two disks of one computer must not get the same ids.
    own = f"{seed}\n{disk.wwn or disk.serial or ''}"
    wanted = {place: each.derived(own, place) for place, each in found.ids.items()}
    notes = [note for note in places.visit(disk, False, _noted) if note is not None]
    former = journal.merged(found.ids, notes)
    plan = _Plan(found, wanted, _renaming(found, wanted, former), _twins(found, wanted), former, noted=bool(notes))
    for look in places.visit(disk, False, lambda files: _look(files, plan)):
        plan.files += look.files
        plan.ramdisks.update(look.ramdisks)
        plan.dangling |= look.named
        plan.notes += look.notes
    plan.dangling -= _known(found.ids, found.numbers)
    plan.files += places.rename_boot_code(found, plan.names, write=False)
    _check_ramdisks(plan)
    return plan


def _carry_out(plan: _Plan) -> None:
    disk = plan.found.disk
    if plan.ramdisks:
        ramdisks.refuse_unrunnable(disk)
    places.visit(disk, True, lambda files: _note(files, plan))
    places.visit(disk, True, lambda files: files.rename(plan.names, write=True))
    places.rename_boot_code(plan.found, plan.names, write=True)
    volumes.set_ids(plan.found, plan.wanted)
    if plan.ramdisks:
        ramdisks.remake_all(disk)
    _verify(plan)
    places.visit(disk, True, _forget)


class _Look(t.NamedTuple):
    files: list[str]
    ramdisks: dict[str, bool]
    named: set[str]
    notes: list[str]


def _look(files: Files, plan: _Plan) -> _Look:
    _refuse_strangers(files, plan)
    _refuse_twins(files, plan)
    shown = [f"{files.name}: {path}" for path in files.rename(plan.names, write=False)]
    held = {f"{files.name}: {path}": surely for path, surely in files.ramdisks_naming(plan.names).items()}
    notes = []
    if files.esp and not files.starts_by_itself():
        notes.append(
            f"{files.name} has no EFI/BOOT/BOOTX64.EFI: a firmware that has been told of this disk finds it no more "
            "under its new id, and has to be told again."
        )
    return _Look(shown, held, files.named(), notes)


def _refuse_strangers(files: Files, plan: _Plan) -> None:
    table = plan.found.table
    for path, hive in files.boot_configurations():
        devices = windows.devices_in(windows.renamed(hive, plan.names), path)
        strange = windows.strangers(devices, table, plan.wanted) if table else devices
        if strange:
            raise OsError(
                f"{path} in {files.name} of {plan.found.disk.path} names {len(strange)} partitions that are not on "
                "this disk. Repair it with bcdboot or bcdedit in Windows, and capture it again.",
                disk=plan.found.disk.path,
                path=path,
            )


def _refuse_twins(files: Files, plan: _Plan) -> None:
    """An id that two have is no harm, unless somebody names it."""
    if plan.twins and (named := files.rename(plan.twins, write=False)):
        raise OsError(
            f"{', '.join(named)} in {files.name} of {plan.found.disk.path}: it names an id that more than one of its "
            "filesystems and partitions have, so nobody can tell which is meant. Nothing was changed. Give one of them "
            "another id on the reference computer.",
            disk=plan.found.disk.path,
        )


def _renaming(found: Found, wanted: Ids, former: journal.Former) -> Renaming:
    """Ids of now go before those that are only noted, and what is wanted stays."""
    known = {each.value for ids in (found.ids, wanted) for each in ids.values()}
    pairs = [(each, wanted[place]) for place, each in found.ids.items() if each != wanted[place]]
    for place, values in former.items():
        pairs += [(found.ids[place]._replace(value=each), wanted[place]) for each in values if each not in known]
    return Renaming(pairs, found.numbers)


def _twins(found: Found, wanted: Ids) -> Renaming:
    counted = collections.Counter(found.ids.values())
    return Renaming((each, wanted[place]) for place, each in found.ids.items() if counted[each] > 1)


def _check_ramdisks(plan: _Plan) -> None:
    """What must be made anew must be possible to make anew."""
    disk = plan.found.disk
    if not plan.ramdisks or ramdisks.makers(disk):
        return
    if any(plan.ramdisks.values()) and not plan.noted:
        raise OsError(
            f"On {disk.path}, an initramfs names ids of this disk, and no system on it has a program that makes it "
            f"anew: {', '.join(plan.ramdisks)}. Nothing was changed.",
            disk=disk.path,
        )
    plan.notes += [f"{each} cannot be looked into, nor made anew here." for each in plan.ramdisks]
    plan.ramdisks = {}


def _note(files: Files, plan: _Plan) -> None:
    if isinstance(files.tree, Root):
        every = {place: [*values, plan.wanted[place].value] for place, values in plan.former.items()}
        journal.write(files.tree, every)


def _noted(files: Files) -> journal.Former | None:
    return journal.read(files.tree) if isinstance(files.tree, Root) else None


def _forget(files: Files) -> None:
    if isinstance(files.tree, Root):
        journal.remove(files.tree)


def _verify(plan: _Plan) -> None:
    disk = plan.found.disk
    now = volumes.look(disk)
    wrong = [f"{place} has {each.value}" for place, each in now.ids.items() if plan.wanted.get(place) != each]
    for look in places.visit(disk, False, lambda files: _look(files, plan)):
        wrong += [f"{each} names an old id" for each in look.files]
        wrong += [f"{each} names an old id" for each, surely in look.ramdisks.items() if surely]
        strange = look.named - _known(now.ids, now.numbers) - plan.dangling
        wrong += [f"an fstab names {each}, which is not there" for each in sorted(strange)]
    wrong += [f"{each} names an old id" for each in places.rename_boot_code(now, plan.names, write=False)]
    if wrong:
        raise OsError(
            f"The ids of {disk.path} were changed, but not all is as it should be: {'; '.join(wrong)}. "
            "Apply the image again.",
            disk=disk.path,
        )


def _known(ids: Ids, numbers: t.Iterable[int]) -> set[str]:
    """As an fstab may name them, in lower case."""
    known = {each.value.lower() for each in ids.values()}
    if TABLE in ids and ids[TABLE].kind == "dos":
        known |= {f"{ids[TABLE].value[2:]}-{each:02x}" for each in numbers}
    return known


def _result(plan: _Plan) -> dict[str, t.Any]:
    before, after = ({place: each.value for place, each in ids.items()} for ids in (plan.found.ids, plan.wanted))
    files = [*plan.files, *plan.ramdisks] if plan.changes else []
    return {
        "changed": plan.changes,
        "disk": plan.found.disk.path,
        "ids": {place: {"before": before[place], "after": after[place]} for place in before},
        "files": files,
        "notes": list(dict.fromkeys(plan.notes)),
        "diff": {"before": {"ids": before}, "after": {"ids": after, **({"files": files} if files else {})}},
    }
