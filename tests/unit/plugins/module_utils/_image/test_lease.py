# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import ImageBusy, NotInStore
from ansible_collections.golden.fleet.plugins.module_utils._image import lease
from ansible_collections.golden.fleet.plugins.module_utils._image.lease import Lease
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.directory import DirectoryStore

KEY = "leases/prune.json"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(lease, "_SETTLE", 0.01)
    return DirectoryStore(str(tmp_path))


def claim(store: Store) -> Lease:
    return Lease(store, KEY, "The store")


def held_by_another_machine(store: Store, age: float = 0, **more: t.Any) -> None:
    """A claim as another machine has written it, so many seconds ago."""
    other = {"token": "f" * 32, "host": "other", "machine": "another boot", "pid": 1, "started": "1", "notes": {}}
    store.write(KEY, json.dumps({**other, **more}).encode())
    path = Path(store.url, KEY)
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))


def held_by(store: Store, pid: int) -> dict[str, t.Any]:
    """A claim as another process of this machine has written it."""
    with claim(store):
        mine = lease.read(store, KEY)
    started = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19]
    theirs = {**mine, "pid": pid, "started": started, "token": "0" * 32}
    store.write(KEY, json.dumps(theirs).encode())
    return theirs


class Crash(Exception):
    """What a capture may die of."""


def crashed(store: Store, **notes: t.Any) -> None:
    """A lease whose holder has met an exception."""
    with pytest.raises(Crash), claim(store) as held:
        held.note(**notes)
        raise Crash


def test_it_is_there_while_held_and_gone_after(store: Store) -> None:
    with claim(store) as held:
        held.confirm()
        found = lease.read(store, KEY)
        assert found["pid"] == os.getpid()
        assert lease.alive(store, KEY, found)
    with pytest.raises(NotInStore):
        store.size(KEY)
    assert not lease.alive(store, KEY, lease.read(store, KEY))


def test_the_second_one_is_refused_and_told_who_holds_it(store: Store) -> None:
    with claim(store), pytest.raises(ImageBusy, match=f"process {os.getpid()}") as caught, claim(store):
        pass
    assert caught.value.facts["holder"]["pid"] == os.getpid()


def test_the_refused_one_does_not_take_the_lease_away(store: Store) -> None:
    with claim(store) as held:
        with pytest.raises(ImageBusy), claim(store):
            pass
        held.confirm()


def test_after_an_exception_the_next_one_inherits_the_notes(store: Store) -> None:
    crashed(store, packs=["a", "b"])
    assert not lease.alive(store, KEY, lease.read(store, KEY))
    with claim(store) as held:
        assert held.inherited == {"packs": ["a", "b"]}
        held.confirm()


def test_notes_that_were_inherited_are_kept_if_that_fails_too(store: Store) -> None:
    crashed(store, packs=["a"])
    crashed(store, more=1)
    with claim(store) as held:
        assert held.inherited == {"packs": ["a"], "more": 1}


def test_a_process_of_this_machine_that_is_gone_does_not_hold_it(store: Store) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    theirs = held_by(store, process.pid)
    assert lease.alive(store, KEY, theirs)
    with pytest.raises(ImageBusy), claim(store):
        pass
    process.communicate(b"\n")
    assert not lease.alive(store, KEY, theirs)
    with claim(store) as held:
        held.confirm()


def test_a_process_that_was_killed_and_never_reaped_does_not_hold_it(store: Store) -> None:
    """In a container whose first process does not reap, it stays a zombie for as long as that runs."""
    with subprocess.Popen(["sleep", "60"]) as process:
        theirs = held_by(store, process.pid)
        assert lease.alive(store, KEY, theirs)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{process.pid}").exists()
        assert not lease.alive(store, KEY, theirs)
        with claim(store) as held:
            held.confirm()


@pytest.mark.parametrize(
    "who",
    [{}, {"pid": None, "started": None}, {"pid": "x"}, {"pid": [], "started": ""}, {"pid": 10**300, "started": ""}],
    ids=str,
)
def test_a_claim_of_this_machine_that_names_no_process_is_held_by_nobody(store: Store, who: dict[str, t.Any]) -> None:
    with claim(store):
        machine = lease.read(store, KEY)["machine"]
    store.write(KEY, json.dumps({"token": "0" * 32, "machine": machine, **who}).encode())
    assert not lease.alive(store, KEY, lease.read(store, KEY))
    with claim(store) as held:
        held.confirm()


def test_another_process_with_the_same_number_does_not_hold_it(store: Store) -> None:
    with claim(store):
        mine = lease.read(store, KEY)
    assert not lease.alive(store, KEY, {**mine, "started": "1"})


def test_another_machine_is_believed_for_a_while(store: Store) -> None:
    held_by_another_machine(store, age=lease.LIFETIME - 20)
    with pytest.raises(ImageBusy, match="being worked on by other"), claim(store):
        pass


def test_another_machine_that_is_silent_has_lost_it(store: Store) -> None:
    held_by_another_machine(store, age=lease.LIFETIME + 20, notes={"packs": ["a"]})
    with claim(store) as held:
        assert held.inherited == {"packs": ["a"]}


def test_another_machine_that_has_let_go_has_lost_it(store: Store) -> None:
    held_by_another_machine(store, released=True)
    with claim(store) as held:
        held.confirm()


def test_who_was_taken_over_finds_out_and_leaves_the_other_alone(store: Store) -> None:
    held = claim(store)
    with pytest.raises(ImageBusy, match="taken over by somebody else"), held:
        held_by_another_machine(store)
        held.note(packs=["a"])
    assert lease.read(store, KEY)["host"] == "other"


def test_of_two_who_take_over_the_later_one_wins(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held_by_another_machine(store, released=True)
    late = claim(store)
    monkeypatch.setattr(late._end, "wait", lambda _seconds: held_by_another_machine(store))
    with pytest.raises(ImageBusy, match="taken over"), late:
        pass
    assert lease.read(store, KEY)["host"] == "other"


def test_a_fence_takes_it_away_but_keeps_the_notes(store: Store) -> None:
    held = claim(store)
    with pytest.raises(ImageBusy), held:
        held.note(packs=["a"])
        lease.fence(store, KEY)
        held.confirm()
    with claim(store) as following:
        assert following.inherited == {"packs": ["a"]}


def test_heartbeats_keep_it_young(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT", 0.05)
    with claim(store) as held:
        path = Path(store.url, KEY)
        os.utime(path, (0, 0))
        held._end.wait(1)
        assert store.age(KEY) < 10


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'"text"', b"\xff", b'{"notes": 5}', b'{"pid": "x", "machine": []}']
)
def test_what_is_no_lease_is_held_by_nobody_we_know(store: Store, data: bytes) -> None:
    """After the time that a silent machine has, it is taken over."""
    store.write(KEY, data)
    os.utime(Path(store.url, KEY), (0, 0))
    with claim(store) as held:
        assert held.inherited == {}


NAME = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "notes", [None, 5, [], {}, {"packs": "x"}, {"packs": {}}, {"packs": [5, [], "../x", NAME[1:]]}], ids=str
)
def test_only_names_of_packs_are_packs(notes: t.Any) -> None:
    assert lease.noted_packs(notes) == []


def test_packs_that_were_noted_are_found(store: Store) -> None:
    crashed(store, packs=[NAME])
    assert lease.noted_packs(lease.read(store, KEY)["notes"]) == [NAME]
