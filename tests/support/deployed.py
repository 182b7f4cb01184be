# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployed Debian, mounted in a boot environment that is a container; and plays that reach it.

with deployed_debian(folder, ["nginx-light"]) as tree, Network() as network:
    with boot_environment(folder, tree, network) as box:
        done = play(folder, network, box.connection_vars(network.server), tasks)
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import typing as t
from pathlib import Path

from .container import Container, debian_tree
from .disks import MIB, Piece, call, looped, make_gpt, mounted
from .network import Network
from .playbook import ansible_environment

ROOT = "/run/golden.fleet/os"
HOST = "pc-07"
# As much of a Debian as our modules look at.
_SMALL = {
    "etc/fstab": b"",
    "etc/os-release": b'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "etc/hostname": b"reference\n",
    "etc/hosts": b"127.0.0.1 localhost\n127.0.1.1 reference\n",
    "etc/login.defs": b"HOME_MODE 0700\n",
    "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\n",
    "etc/shadow": b"root:*:19000:0:99999:7:::\n",
    "etc/group": b"root:x:0:\nsudo:x:27:\n",
    "etc/gshadow": b"root:*::\nsudo:*::\n",
    "etc/sudoers": b"%sudo\tALL=(ALL:ALL) ALL\n",
    "etc/skel/.profile": b"",
    "etc/netplan/50-cloud-init.yaml": b"    macaddress: '52:54:00:00:00:01'\n",
    "etc/systemd/system/.keep": b"",
    "usr/lib/systemd/systemd": b"",
    "bin/sh": b"",
}


@contextlib.contextmanager
def deployed_debian(folder: Path, packages: t.Sequence[str] = (), installed: t.Sequence[str] = ()) -> t.Iterator[Path]:
    """The files of a Debian that nobody else has, as a layer; inside, these packages can be installed."""
    place = folder / "deployed"
    for name in ("deployed", "layer", "work"):
        (folder / name).mkdir()
    lower = debian_tree(packages, installed=installed)
    layers = f"lowerdir={lower},upperdir={folder}/layer,workdir={folder}/work"
    call("mount", "-t", "overlay", "overlay", "-o", layers, place)
    try:
        (place / "etc/fstab").touch()
        yield place
    finally:
        call("umount", place)


@contextlib.contextmanager
def boot_environment(folder: Path, tree: Path, network: Network) -> t.Iterator[Container]:
    """A Debian with sshd in which the tree is mounted as os_mount does so that programs can be run."""
    inside = folder / "box"
    inside.mkdir()
    with Container(inside, debian_tree(), network=network.name, binds={"/srv/deployed": tree}) as box:
        box.run("mkdir", "-p", ROOT)
        box.run("mount", "--bind", "/srv/deployed", ROOT)
        for each in ("dev", "proc", "sys"):
            box.run("mount", "--bind", "-o", "private", f"/{each}", f"{ROOT}/{each}")
        yield box


def small_linux(folder: Path, more: t.Iterable[str] = ()) -> Path:
    """A disk with a Linux that does not run, but can be changed.

    :param more: empty files that it has, too.
    """
    files = {**_SMALL, **dict.fromkeys(more, b"")}
    return make_gpt(folder / "disk.img", 40 * MIB, [Piece("ext4", MIB, 36 * MIB, files)])


@contextlib.contextmanager
def opened(disk: Path, kind: str = "ext4") -> t.Iterator[Path]:
    """The only partition of a disk, mounted."""
    with looped(disk, "--offset", str(MIB)) as node, mounted(node, "-t", kind) as mount:
        yield mount


class Place(t.Protocol):
    """Where programs can be run."""

    def inside(self, *command: str | Path) -> list[str]:
        """The command, so that it runs there."""


class Apart:
    """This computer, with mounts that nobody else sees: a boot environment, as far as deployed disks are concerned.

    :param place: where on this computer.
    """

    def __init__(self, place: Place | None = None) -> None:
        self._place = place

    def inside(self, *command: str | Path) -> list[str]:
        own = 'mkdir -p /run/golden.fleet; mount -t tmpfs tmpfs /run/golden.fleet; exec "$@"'
        where = self._place.inside() if self._place else []
        return [*where, "unshare", "--mount", "sh", "-ec", own, "sh", *map(str, command)]


def play(
    folder: Path,
    place: Place | None,
    variables: dict[str, t.Any],
    tasks: list[dict[str, t.Any]],
    *options: str,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run tasks on a host with these variables.

    :param place: where the controller is.
    """
    inventory, playbook = folder / "inventory.json", folder / "play.json"
    inventory.write_text(json.dumps({"all": {"hosts": {HOST: variables}}}), "utf-8")
    playbook.write_text(json.dumps([{"hosts": HOST, "gather_facts": False, "tasks": tasks}]), "utf-8")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), *options, str(playbook)]
    return subprocess.run(
        place.inside(*command) if place else command,
        env={**ansible_environment(folder), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
