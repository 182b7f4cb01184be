# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real sshd on loopback, for root with a key, in whose sessions some files of the machine are other ones.

with Sshd(folder, hide={"/sys/firmware": firmware}, environment={"EFIVARFS_PATH": ...}) as sshd:
    ssh -i sshd.key -p sshd.port -o UserKnownHostsFile=sshd.known_hosts root@127.0.0.1
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import typing as t
from pathlib import Path

from .service import Service, Startable, free_port

_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
SetEnv {environment}
"""


class Sshd(Startable):
    """One sshd.

    :param folder: for all that it keeps.
    :param hide: files and folders that are put over those of the machine, by the path that they get.
    :param environment: of every session. What is in ``bin`` of the folder comes first in its PATH.
    """

    def __init__(
        self, folder: Path, hide: t.Mapping[str, Path] | None = None, environment: t.Mapping[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.key = folder / "user_key"
        self.known_hosts = folder / "known_hosts"
        self.programs = folder / "bin"
        self._folder = folder
        self._hide = hide or {}
        self._environment = environment or {}
        self._service = Service(folder, "sshd")

    def start(self) -> None:
        self.programs.mkdir(parents=True, exist_ok=True)
        for name in ("host_key", "user_key"):
            if not (self._folder / name).exists():  # it comes back
                _make_key(self._folder / name)
        public = (self._folder / "host_key.pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")
        # A shell under sshd reads the start-up file in its home.
        home = {"HOME": str(self._folder), "PATH": f"{self.programs}:/usr/local/bin:/usr/bin:/bin"}
        environment = {**home, **self._environment}
        config = self._folder / "sshd_config"
        words = " ".join(f"{name}={value}" for name, value in environment.items())
        config.write_text(_CONFIG.format(port=self.port, folder=self._folder, environment=words))
        # sshd wants a folder of its own in /run.
        mounts = ["mount -t tmpfs tmpfs /run", "mkdir /run/sshd"]
        mounts += [f"mount --bind {shlex.quote(str(ours))} {shlex.quote(path)}" for path, ours in self._hide.items()]
        script = "\n".join([*mounts, f"exec /usr/sbin/sshd -D -e -f {shlex.quote(str(config))}"])
        self._service.start(["unshare", "--mount", "sh", "-euc", script], self._answers)

    def stop(self) -> None:
        """As a machine that has no network any more."""
        self._service.stop()

    def program(self, name: str, text: str) -> None:
        """A script that sessions find before the machine's own program of this name."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def _make_key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
