# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The keys by which a deployed Linux is known to those who log in by SSH."""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from pathlib import Path

from ... import _fields
from ..._run import run
from ..beneath import Root
from ..owners import id_in
from .made import remember, was_made_here

FOLDER = "/etc/ssh"
_KEY = re.compile(r"ssh_host_([a-z0-9]{1,20})_key")
_KINDS: dict[str, tuple[str, ...]] = {"rsa": ("-b", "3072"), "ecdsa": (), "ed25519": ()}
_SERVERS = ("/usr/sbin/sshd", "/usr/bin/sshd")
_MEMORY = "/dev/shm"  # noqa: S108  # the folder in it is new, and nobody else's


def public_keys(root: Root) -> t.Iterator[str]:
    """As known_hosts has them: type and key. They come into a command of ssh, so nothing else is taken."""
    for name in root.names(FOLDER):
        if name.startswith("ssh_host_") and name.endswith("_key.pub"):
            words = (root.read(f"{FOLDER}/{name}") or b"").decode("ascii", "replace").split()
            key = " ".join(words[:2])
            if _fields.is_ssh_key(key):
                yield key


class KeyPlan(t.NamedTuple):
    """What there is to do about them.

    :ivar make: kinds of which there shall be a new one.
    :ivar drop: files that belong to none.
    """

    make: list[str]
    drop: list[str]


def plan_keys(root: Root) -> KeyPlan:
    """New keys of the kinds that there are already; or of all that sshd uses, where there is one that has no key."""
    names = root.names(FOLDER)
    there = {found[1]: found[0] for found in map(_KEY.fullmatch, names) if found}
    kinds = [kind for kind in _KINDS if kind in there]
    if not kinds and any(root.exists(path) for path in _SERVERS):
        kinds = list(_KINDS)
    make = [kind for kind in kinds if not _is_new(root, kind)]
    # Also the certificates of the old ones, and keys of kinds that nobody takes any more.
    used = {name for kind in kinds for name in (f"ssh_host_{kind}_key", f"ssh_host_{kind}_key.pub")}
    drop = [name for name in names if name.startswith("ssh_host_") and "_key" in name and name not in used]
    return KeyPlan(make, drop)


def make_keys(root: Root, plan: KeyPlan, comment: str) -> None:
    """The public key is written last: by it, the next run knows that the key is one of ours."""
    for name in plan.drop:
        root.remove_all(f"{FOLDER}/{name}")
    for kind in plan.make:
        private, public = _generated(kind, comment)
        path = f"{FOLDER}/ssh_host_{kind}_key"
        readers = _readers(root, path)
        root.write(path, private, mode=0o640 if readers else 0o600, owner=(0, readers))
        remember(public)
        root.write(f"{path}.pub", public, mode=0o644, owner=(0, 0))


def _is_new(root: Root, kind: str) -> bool:
    path = f"{FOLDER}/ssh_host_{kind}_key"
    public = root.read(f"{path}.pub")
    return public is not None and root.exists(path) and was_made_here(public)


def _readers(root: Root, path: str) -> int:
    """The group that may read a private key, as older Red Hats have it; nothing otherwise."""
    info = root.info(path)
    group = id_in((root.read("/etc/group") or b"").decode("utf-8", "replace"), "ssh_keys")
    return group if info and group and info.st_mode & 0o040 and info.st_gid == group else 0


def _generated(kind: str, comment: str) -> tuple[bytes, bytes]:
    """A pair, made in memory: a disk might keep it after it was deleted."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if os.path.isdir(_MEMORY) else None) as folder:
        path = Path(folder, "key")
        run(["ssh-keygen", "-q", "-t", kind, *_KINDS[kind], "-N", "", "-C", comment, "-f", str(path)])
        return path.read_bytes(), path.with_suffix(".pub").read_bytes()
