# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. A netboot entry, and the files that boot loaders read of it. Pure."""

from __future__ import annotations

import re
import secrets
import typing as t
from dataclasses import asdict, dataclass

from .. import _fields
from .._errors import UsageError
from .mac import with_hyphens

BOOT_ENV, LOCAL = "boot_env", "local"
ACTIONS = (BOOT_ENV, LOCAL)
WAITING, USED, EXPIRED = "waiting", "used", "expired"
STATES = (WAITING, USED, EXPIRED)

_ID = re.compile(r"[0-9a-f]{16}")
_FAR = 1 << 50  # seconds since 1970, bytes of a log

# The server's boot.ipxe and grub.cfg, which call these files, start the disk if they come back; boot.ipxe if they come
# back with an error.
_IPXE_BACK = "exit 1\n"
IPXE_LOCAL = f"#!ipxe\n{_IPXE_BACK}"
GRUB_LOCAL = "# The disk is next.\n"


@dataclass(frozen=True)
class Entry:
    """The one-shot instruction for one machine's next network boot.

    :ivar id: random; names this one boot.
    :ivar token: what the boot environment shows at its check-in; empty for the action local.
    :ivar marks: length of each log, in bytes, when the entry was made: what was logged before is of no interest.
    """

    id: str
    mac: str
    host: str
    action: str
    token: str
    created: int  # seconds since 1970, as all times here
    expires: int
    state: str = WAITING
    marks: tuple[tuple[str, int], ...] = ()

    def as_dict(self) -> dict[str, t.Any]:
        return {**asdict(self), "marks": dict(self.marks)}

    def shown(self) -> dict[str, t.Any]:
        """What people and playbooks may see."""
        return {name: value for name, value in self.as_dict().items() if name not in {"token", "marks"}}


def new_id() -> str:
    """Names one boot, for ever."""
    return secrets.token_hex(8)


def new_entry(
    mac: str, host: str, action: str, now: int, lifetime: int, marks: t.Mapping[str, int], entry_id: str | None = None
) -> Entry:
    """An entry with a token that nobody can guess.

    :param lifetime: seconds.
    :param entry_id: by default, a new one.
    :raises UsageError: the host or the id is none.
    """
    try:
        host = _fields.text({"host": host}, "host")
    except ValueError as error:
        raise UsageError(f"{error}. Say how the machine is called.") from error
    if entry_id and not _ID.fullmatch(entry_id):
        raise UsageError(f"{entry_id!r} is no id of an entry, which has 16 hexadecimal digits.")
    token = secrets.token_urlsafe(32) if action == BOOT_ENV else ""
    return Entry(entry_id or new_id(), mac, host, action, token, now, now + lifetime, marks=tuple(marks.items()))


def entry_of(document: t.Any) -> Entry:
    """From JSON as as_dict() wrote it.

    :raises ValueError: it did not.
    """
    if not isinstance(document, dict):
        raise ValueError("it is no object")
    marks = _fields.mapping(document, "marks")
    return Entry(
        id=_fields.text(document, "id"),
        mac=_fields.text(document, "mac"),
        host=_fields.text(document, "host"),
        action=_fields.choice(document, "action", ACTIONS),
        token=_fields.text(document, "token"),
        created=_fields.integer(document, "created", 0, _FAR),
        expires=_fields.integer(document, "expires", 0, _FAR),
        state=_fields.choice(document, "state", STATES),
        marks=tuple((name, _fields.integer(marks, name, 0, _FAR)) for name in marks),
    )


@dataclass(frozen=True)
class BootEnv:
    """Which boot environment, from where, and what it is told."""

    digest: str
    http_url: str
    checkin_url: str
    cmdline: str


def ipxe_file(entry: Entry, env: BootEnv | None) -> str:
    """What iPXE runs for this machine."""
    if env is None:
        return IPXE_LOCAL
    folder = f"{env.http_url}/boot-env/{env.digest}"
    return f"""\
#!ipxe
echo golden.fleet: starting the boot environment for {_plain(entry.host)}
kernel {folder}/vmlinuz initrd=initrd.img {_parameters(entry, env)} || goto failed
initrd --name initrd.img {folder}/initrd.img || goto failed
boot || goto failed
:failed
echo golden.fleet: that did not work; going on with the disk in 10 seconds
sleep 10
{_IPXE_BACK}"""


def grub_file(entry: Entry, env: BootEnv | None) -> str:
    """What GRUB runs; under Secure Boot it has nothing but TFTP."""
    if env is None:
        return GRUB_LOCAL
    return f"""\
set timeout=0
echo 'golden.fleet: starting the boot environment for {_plain(entry.host)}'
linux /boot-env/{env.digest}/vmlinuz {_parameters(entry, env)}
initrd /boot-env/{env.digest}/initrd.img
boot
"""


def _parameters(entry: Entry, env: BootEnv) -> str:
    words = [
        env.cmdline,
        f"golden.checkin={env.checkin_url}",
        f"golden.token={entry.token}",
        f"BOOTIF=01-{with_hyphens(entry.mac)}",
    ]
    return " ".join(filter(None, words))


def _plain(host: str) -> str:
    """A host's name as a boot loader may echo it."""
    return "".join(each if each.isalnum() or each in "._-" else "_" for each in host)[:64]
