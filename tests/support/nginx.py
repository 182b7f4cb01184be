# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real nginx on loopback that serves a store as docs/store.md says: TLS, users, uploads, listings, ranges.

From Python:

    with Nginx(folder) as server:
        server.url, server.ca, server.writer.name, server.writer.password, server.store_folder

From a playbook; from the folder above tests:

    python3 -m tests.support.nginx start FOLDER     # prints url, ca, folder and both users as JSON
    python3 -m tests.support.nginx stop FOLDER
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import secrets
import signal
import socket
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .service import Startable, free_port, start_or_stop

SITE = Path(__file__).with_name("nginx-store.conf")
_PATIENCE = 15.0

_MAIN = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
worker_processes 2;
{user}
events {{ worker_connections 256; }}
http {{
    log_format who '$connection $remote_user "$request" $status';
    access_log {folder}/access.log who;
    proxy_temp_path {folder}/unused;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    {site}
}}
"""


@dataclass(frozen=True)
class User:
    """Somebody who may read, or read and write."""

    name: str
    password: str


class Nginx(Startable):
    """One nginx with a certificate of its own throw-away CA.

    :param folder: for everything it needs; made if it is not there, and left behind.
    :param data: the directory that holds the store "golden" and the uploads; default: in folder.
    :param names: host names and addresses that the certificate is for.
    :param extra: more configuration for the server block.
    :param worker: the user that serves; default: whoever starts it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        data: Path | None = None,
        names: t.Sequence[str] = ("localhost", "127.0.0.1"),
        extra: str = "",
        worker: str | None = None,
    ) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.ca = folder / "ca.pem"
        self.port = 0
        self.reader = User("reader", secrets.token_urlsafe(12))
        self.writer = User("writer", secrets.token_urlsafe(12))
        self._names = names
        self._extra = extra
        self._worker = worker
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server_url(self) -> str:
        return f"https://{self._names[0]}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.server_url}/golden"

    @property
    def store_folder(self) -> Path:
        return self.data / "golden"

    def start(self) -> None:
        """Start it, on the port that it had before, if it had one."""
        if not self.port:
            self._prepare()
        for _attempt in range(5):
            port = self.port or free_port()
            self._configure(port)
            command = ["nginx", "-p", str(self.folder), "-c", "nginx.conf", "-e", "error.log"]
            self._process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            if self._answers(port):
                self.port = port
                return
            self.stop()  # most likely somebody else took the port meanwhile
        raise RuntimeError(f"nginx does not start:\n{self.log()[-2000:]}")

    def stop(self) -> None:
        """Stop it; an upload that pours in without a pause is still taken to its end."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """Stop it in the middle of whatever it does, with its workers: they are a process group of their own."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def log(self) -> str:
        return (self.folder / "error.log").read_text("utf-8", "replace")

    def requests(self, expected: int) -> list[str]:
        """A line for each request: number of the connection, user or -, request line in quotes, status.

        nginx writes it after its answer, so this waits until there are as many as expected, or more.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            lines = (self.folder / "access.log").read_text("utf-8").splitlines()
            if len(lines) >= expected or time.monotonic() > deadline:
                return lines
            time.sleep(0.02)

    def _prepare(self) -> None:
        for folder in (self.folder, self.data, self.store_folder, self.data / "uploads"):
            folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "error.log").touch()
        make_certificate(self.folder, self._names)
        users = [f"{user.name}:{_hashed(user.password)}\n" for user in (self.writer, self.reader)]
        (self.folder / "writers").write_text(users[0])
        (self.folder / "readers").write_text("".join(users))

    def _configure(self, port: int) -> None:
        site = SITE.read_text("utf-8")
        replacements = {
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "imaging.example": "localhost",
            "/etc/nginx/golden/": f"{self.folder}/",
            "/srv/imaging": str(self.data),
        }
        for old, new in replacements.items():
            if old not in site:
                raise ValueError(f"{SITE} has no {old!r} any more")
            site = site.replace(old, new)
        head, _brace, _tail = site.rpartition("}")
        main = _MAIN.format(folder=self.folder, user=self._user(), site=f"{head}{self._extra}\n}}")
        (self.folder / "nginx.conf").write_text(main, "utf-8")

    def _user(self) -> str:
        if os.geteuid() != 0:
            return ""
        user = pwd.getpwnam(self._worker) if self._worker else pwd.getpwuid(0)
        return f"user {user.pw_name} {grp.getgrgid(user.pw_gid).gr_name};"

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process is not None and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return self._process.poll() is None
        return False


def make_certificate(folder: Path, names: t.Sequence[str]) -> None:
    """ca.pem, and server.pem with server.key signed by it, for these host names and addresses."""
    kinds = ("IP" if name.replace(".", "").isdigit() or ":" in name else "DNS" for name in names)
    alternatives = ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names))
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7")
    ca = ("-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-subj", "/CN=Throw-away CA")
    _openssl("req", "-x509", *key, *ca, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    server = ("-keyout", f"{folder}/server.key", "-out", f"{folder}/server.csr", "-subj", f"/CN={names[0]}")
    _openssl("req", "-new", *key[:-2], *server)
    extensions = folder / "server.ext"
    extensions.write_text(f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\nauthorityKeyIdentifier=keyid\n")
    signing = ("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", "7")
    request = ("-in", f"{folder}/server.csr", "-out", f"{folder}/server.pem")
    _openssl("x509", "-req", *request, *signing, "-extfile", str(extensions))


def _openssl(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout.strip()


def _hashed(password: str) -> str:
    return _openssl("passwd", "-apr1", "-stdin", stdin=password)


def _start(folder: Path) -> None:
    server = Nginx(folder)
    server.start()
    print(
        json.dumps(
            {
                "url": server.url,
                "ca": str(server.ca),
                "username": server.writer.name,
                "password": server.writer.password,
                "reader": {"username": server.reader.name, "password": server.reader.password},
                "folder": str(server.store_folder),
            }
        )
    )


def _stop(folder: Path) -> None:
    """Stop the nginx of this folder, and only that: a process id in a file may be somebody else's by now."""
    try:
        pid = int((folder / "nginx.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return
    if str(folder).encode() in command:
        os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    start_or_stop("nginx with a store, on loopback", _start, _stop)
