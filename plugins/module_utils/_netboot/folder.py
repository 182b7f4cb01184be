# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The entries of an imaging server, as files; what modules and the server's own units do to them."""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import json
import os
import sys
import tempfile
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from .. import _fields
from .._errors import NetbootDamaged, NetbootError, NetbootRefused
from .entry import EXPIRED, USED, WAITING, BootEnv, Entry, entry_of, grub_file, ipxe_file
from .mac import with_hyphens
from .report import Report, report_of

KEPT = 7 * 86400  # seconds: how long one can look at what became of an entry
_MOST_REFUSALS = 100


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


@dataclass(frozen=True)
class Checkin:
    """A check-in that was accepted.

    :ivar address: where it came from, as the server saw it.
    :ivar at: seconds since 1970.
    """

    address: str
    at: int
    report: Report

    def as_dict(self) -> dict[str, t.Any]:
        return {"address": self.address, "at": self.at, **self.report.as_dict()}


class NetbootFolder:
    """One change at a time, by whichever process; a reader never sees half of one.

    Every method raises NetbootError where the folder cannot be used. A damaged file concerns one machine, and stops no
    other one.
    """

    def __init__(self, path: Path, complain: t.Callable[[str], None] = _tell) -> None:
        """:param complain: is told of what is damaged and passed over; by default, the journal is."""
        self._path = path
        self._complain = complain
        self._entries = path / "entries"
        self._checkins = path / "checkins"
        self._refused = path / "refused.jsonl"

    def put(self, entry: Entry, env: BootEnv | None) -> None:
        """Make this the entry of its MAC address. The token of the one before is worth nothing any more.

        :param env: what the boot environment needs to start; None for the action local.
        :raises NetbootError: a boot of another host waits under this address.
        """
        with self._locked():
            self._check(entry)
            self._withdraw(entry.mac)
            try:
                self._checkin(entry.id).unlink(missing_ok=True)
                self._save(entry)
                self._write(self._grub(entry.mac), grub_file(entry, env), 0o644)
                self._write(self._ipxe(entry.mac), ipxe_file(entry, env), 0o644)
            except BaseException:
                self._withdraw(entry.mac)
                self._json(entry.mac).unlink(missing_ok=True)
                raise

    def check(self, entry: Entry) -> None:
        """:raises NetbootError: as put() would."""
        with self._locked():
            self._check(entry)

    def remove(self, mac: str, entry_id: str | None = None) -> bool:
        """Forget the entry of a MAC address.

        :param entry_id: only if it is this one, or a damaged one, of which nobody can tell.
        :return: whether there was one.
        """
        with self._locked():
            try:
                entry = self._entry(mac)
                if entry is None or (entry_id and entry.id != entry_id):
                    return False
                self._checkin(entry.id).unlink(missing_ok=True)
            except NetbootDamaged as error:
                self._complain(error.message)
            self._withdraw(mac)
            self._json(mac).unlink()
            return True

    def entries(self) -> list[Entry]:
        """All of them, ordered by MAC address."""
        with self._locked():
            return self._all()

    def entry(self, mac: str) -> Entry | None:
        """:raises NetbootDamaged: it cannot be read. It can be made again, or removed."""
        with self._locked():
            return self._entry(mac)

    def checkin(self, entry_id: str) -> Checkin | None:
        """The check-in of this one boot, once there is one.

        :raises NetbootDamaged: it cannot be read.
        """
        found = self._read(self._checkin(entry_id))
        if found is None:
            return None
        try:
            return Checkin(_fields.text(found, "address"), _fields.integer(found, "at", 0, 1 << 50), report_of(found))
        except ValueError as error:
            raise _damaged(self._checkin(entry_id), error) from error

    def refusals(self) -> list[dict[str, t.Any]]:
        """The newest refused check-ins, oldest first: at, address, reason, mac (of the entry meant) or null."""
        try:
            return [json.loads(line) for line in self._refused.read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unreadable(self._refused, error) from error
        except (ValueError, RecursionError) as error:
            raise _damaged(self._refused, error) from error

    def consume(self, token: str, report: Report, address: str, now: int) -> Entry:
        """Let a token count, once. The boot files are gone before it does: the next boot is from the disk.

        :raises NetbootRefused: it does not count; the refusal is on record.
        """
        with self._locked():
            entry = next((each for each in self._all() if each.token and _same(each.token, token)), None)
            try:
                return self._consume(entry, report, address, now)
            except NetbootRefused as refusal:
                try:
                    self._note(now, address, refusal.message, entry)
                except (OSError, NetbootError) as error:
                    self._complain(f"this refusal is not on record: {error}")
                raise

    def expire(self, now: int) -> list[Entry]:
        """Withdraw what is over, forget what is long over.

        :return: the entries that have become void.
        """
        with self._locked():
            over = [each for each in self._all() if each.state == WAITING and each.expires <= now]
            for entry in over:
                self._withdraw(entry.mac)
                self._save(replace(entry, state=EXPIRED))
            for entry in self._all():
                if entry.state != WAITING and entry.expires + KEPT <= now:
                    self._json(entry.mac).unlink()
            self._sweep()
            return over

    def _check(self, entry: Entry) -> None:
        try:
            other = self._entry(entry.mac)
        except NetbootDamaged as error:
            self._complain(error.message)
            return
        if other and other.host != entry.host and other.state == WAITING and other.expires > entry.created:
            raise NetbootError(
                f"{entry.mac} is the MAC address of {other.host}, too, for which a network boot is prepared. "
                f"Two machines cannot have one address: correct golden_mac of {entry.host} or {other.host}.",
                mac=entry.mac,
                entry=other.shown(),
            )

    def _consume(self, entry: Entry | None, report: Report, address: str, now: int) -> Entry:
        if entry is None:
            raise NetbootRefused("no entry has this token")
        if entry.state == EXPIRED or (entry.state == WAITING and entry.expires <= now):
            raise NetbootRefused(f"the token of {entry.host} has expired")
        if entry.mac not in report.macs:
            raise NetbootRefused(f"the token of {entry.host} ({entry.mac}) was shown by a machine without this address")
        if entry.state == USED:
            earlier = self.checkin(entry.id)
            if earlier and earlier.report.ssh_host_key == report.ssh_host_key:
                return entry  # the same machine, which has not got our answer
            raise NetbootRefused(f"the token of {entry.host} was used already, by another machine or boot")
        self._withdraw(entry.mac)
        self._write_json(self._checkin(entry.id), Checkin(address, now, report).as_dict())
        used = replace(entry, state=USED)
        self._save(used)
        return used

    def _note(self, now: int, address: str, reason: str, entry: Entry | None) -> None:
        line = {"at": now, "address": address, "reason": reason, "mac": entry.mac if entry else None}
        lines = [json.dumps(each) for each in [*self.refusals(), line][-_MOST_REFUSALS:]]
        self._write(self._refused, "".join(f"{each}\n" for each in lines), 0o600)

    def _all(self) -> list[Entry]:
        try:
            names = sorted(each.name for each in self._entries.glob("*.json"))
        except OSError as error:
            raise _unreadable(self._entries, error) from error
        return [entry for entry in map(self._load_or_complain, names) if entry]

    def _load_or_complain(self, name: str) -> Entry | None:
        try:
            return self._load(self._entries / name)
        except NetbootDamaged as error:
            self._complain(error.message)
            return None

    def _entry(self, mac: str) -> Entry | None:
        return self._load(self._json(mac))

    def _load(self, path: Path) -> Entry | None:
        found = self._read(path)
        try:
            return None if found is None else entry_of(found)
        except ValueError as error:
            raise _damaged(path, error) from error

    def _save(self, entry: Entry) -> None:
        self._write_json(self._json(entry.mac), entry.as_dict())

    def _withdraw(self, mac: str) -> None:
        """No boot loader finds anything any more. (GRUB's file goes too, though only one of both is ever read.)"""
        self._ipxe(mac).unlink(missing_ok=True)
        self._grub(mac).unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Check-ins of entries that are gone."""
        known = {entry.id for entry in self._all()}
        for path in self._checkins.glob("*.json"):
            if path.stem not in known:
                path.unlink()

    def _json(self, mac: str) -> Path:
        return self._entries / f"{with_hyphens(mac)}.json"

    def _ipxe(self, mac: str) -> Path:
        return self._path / "ipxe" / f"{with_hyphens(mac)}.ipxe"

    def _grub(self, mac: str) -> Path:
        return self._path / "grub" / f"{mac}.cfg"

    def _checkin(self, entry_id: str) -> Path:
        return self._checkins / f"{entry_id}.json"

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        try:
            fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise NetbootError(
                f"{self._path} cannot be opened: {error.strerror}. Run the playbook golden.fleet.server: it makes it."
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise NetbootError(f"Entries in {self._path} cannot be changed: {error}.") from error
        finally:
            os.close(fd)

    @staticmethod
    def _read(path: Path) -> dict[str, t.Any] | None:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from error
        except (ValueError, RecursionError) as error:
            raise _damaged(path, error) from error
        if not isinstance(found, dict):
            raise _damaged(path, ValueError("it is no object"))
        return found

    def _write_json(self, path: Path, document: dict[str, t.Any]) -> None:
        self._write(path, json.dumps(document, indent=1) + "\n", 0o600)

    def _write(self, path: Path, text: str, mode: int) -> None:
        """All of the file, or the old one. It belongs to whom the folder belongs: root's modules write here, too."""
        owner = self._path.stat()
        fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
                os.fchmod(fd, mode)
                if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                    os.fchown(fd, owner.st_uid, owner.st_gid)
                file.flush()
                os.fsync(fd)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _same(one: str, other: str) -> bool:
    """In a time that tells nothing about where they differ."""
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))


def _unreadable(path: Path, error: OSError) -> NetbootError:
    return NetbootError(f"{path} cannot be read: {error}.")


def _damaged(path: Path, error: Exception) -> NetbootDamaged:
    return NetbootDamaged(f"{path} is damaged: {error}. Remove it, and make the entry again.")
