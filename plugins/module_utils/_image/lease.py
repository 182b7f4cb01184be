# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A claim on something in a store, kept alive by a heartbeat: who is capturing or pruning right now."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
import types
import typing as t

from .._errors import AlreadyInStore, ImageBusy, NotInStore, StoreError
from .._fields import DIGEST
from .._process import Identity, boot_id
from .._store.base import Store
from .._units import show_duration

HEARTBEAT = 20.0  # seconds
LIFETIME = 150.0  # seconds without a heartbeat after which the holder is taken for dead
_SETTLE = 1.0  # seconds in which two who take over the same dead claim see each other


class Lease:
    """Use as a context manager: claims on entry, keeps claiming from a thread, lets go on a clean exit.

    After an exception the claim stays, released: the next holder finds in ``inherited``
    what this one had noted, and can go on from there.

    :param key: the object in the store that says who holds it.
    :param what: what is claimed, for the error.
    """

    def __init__(self, store: Store, key: str, what: str) -> None:
        self.inherited: dict[str, t.Any] = {}
        self._store = store
        self._key = key
        self._what = what
        self._token = secrets.token_hex(16)
        self._notes: dict[str, t.Any] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease {key}", daemon=True)

    def __enter__(self) -> Lease:
        try:
            self._store.create(self._key, self._document())
        except AlreadyInStore:
            self._take_over()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        if kind is None:
            if self._mine():
                self._store.delete(self._key)
            return
        with contextlib.suppress(StoreError):  # the store may be what failed: that is the error to hear of
            if self._mine():
                fence(self._store, self._key)

    def note(self, **notes: t.Any) -> None:
        """Write something down beside the claim, for whoever comes after a crash."""
        with self._lock:
            self._notes.update(notes)
            self.confirm()
            self._store.write(self._key, self._document())

    def confirm(self) -> None:
        """Make sure that the claim is still ours.

        :raises ImageBusy: somebody took it over, because our heartbeat had stopped for too long.
        """
        if not self._mine():
            raise ImageBusy(
                f"{self._what} in {self._store.url} was taken over by somebody else, because this machine had not been "
                "heard of for a while. Nothing is lost: run it again when the other one is done.",
            )

    def _mine(self) -> bool:
        return read(self._store, self._key).get("token") == self._token

    def _beat(self) -> None:
        while not self._end.wait(HEARTBEAT):
            try:
                self.note()
            except StoreError:
                continue  # the work itself will meet the same trouble and report it
            except ImageBusy:
                return  # confirm() says so when it matters

    def _take_over(self) -> None:
        held = read(self._store, self._key)
        if alive(self._store, self._key, held):
            age = show_duration(self._store.age(self._key))
            raise ImageBusy(
                f"{self._what} in {self._store.url} is being worked on by {held.get('host', 'somebody')} right now "
                f"(process {held.get('pid', '?')}, last heard of {age} ago). Wait for it, or, if that machine is "
                f"gone, try again in {show_duration(LIFETIME)}.",
                holder={key: held.get(key) for key in ("host", "pid")},
            )
        self.inherited = held.get("notes", {}) if isinstance(held.get("notes"), dict) else {}
        self._notes = dict(self.inherited)
        self._store.write(self._key, self._document())
        self._end.wait(_SETTLE)
        self.confirm()

    def _document(self) -> bytes:
        return json.dumps({"token": self._token, **_myself(), "notes": self._notes}).encode()


def read(store: Store, key: str) -> dict[str, t.Any]:
    """What a lease says; empty where there is none or it is unreadable."""
    try:
        document = json.loads(store.read(key))
    except (NotInStore, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def noted_packs(notes: t.Any) -> list[str]:
    """The packs that a capture has written down in its notes; whatever is no name of a pack is left out."""
    packs = notes.get("packs") if isinstance(notes, dict) else None
    names = packs if isinstance(packs, list) else []
    return [name for name in names if isinstance(name, str) and DIGEST.fullmatch(name)]


def alive(store: Store, key: str, held: t.Mapping[str, t.Any]) -> bool:
    """Is the holder of a lease still at work? A process of this very machine can be looked up, others are believed."""
    if not held or held.get("released"):
        return False
    if held.get("machine") == _machine():
        return _runs(held)
    try:
        return store.age(key) < LIFETIME
    except NotInStore:
        return False


def fence(store: Store, key: str) -> None:
    """Take a claim away from its holder, should it wake up again, but keep its notes for the next one."""
    document = {**read(store, key), "token": secrets.token_hex(16), "released": True}
    store.write(key, json.dumps(document).encode())


def _myself() -> dict[str, t.Any]:
    me = Identity.current()
    return {"host": socket.gethostname(), "machine": _machine(), "pid": me.pid, "started": me.started}


def _machine() -> str:
    """Where a process id means something: this boot, and this container."""
    return f"{boot_id()} {os.readlink('/proc/self/ns/pid')}"


def _runs(held: t.Mapping[str, t.Any]) -> bool:
    """Does the process run that a lease of this machine names? If it names none, there is nobody to wait for."""
    pid, started = held.get("pid"), held.get("started")
    return isinstance(pid, int) and isinstance(started, str) and Identity(pid, started, boot_id()).alive
