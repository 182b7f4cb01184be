# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import BOOT_ENV, BootEnv, Entry, new_entry
from ansible_collections.golden.fleet.plugins.module_utils._netboot.folder import NetbootFolder

from .test_report import encoded

MAC = "52:54:00:aa:bb:cc"
MODULE = "ansible_collections.golden.fleet.plugins.module_utils._netboot.server"


class Server:
    """The folder and configuration of an imaging server; each request is answered by a process of its own."""

    def __init__(self, path: Path) -> None:
        for name in ("entries", "ipxe", "grub", "checkins"):
            (path / name).mkdir()
        self.config = path / "netboot.json"
        names = ("state", "http_root", "http_url", "checkin_url", "cmdline", "dhcp_log", "http_log", "records")
        self.config.write_text(json.dumps({**dict.fromkeys(names, "/nowhere"), "state": str(path)}))
        self.folder = NetbootFolder(path)

    def put(self, lifetime: int = 600) -> Entry:
        entry = new_entry(MAC, "pc-1", BOOT_ENV, int(time.time()), lifetime, {})
        self.folder.put(entry, BootEnv("d" * 64, "http://server", "https://server/checkin", ""))
        return entry

    def run(self, operation: str, **streams: t.Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", MODULE, operation, "--config", str(self.config)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **streams)

    def ask(self, request: bytes) -> tuple[str, str]:
        """The answer to a request, and what the journal gets."""
        ours, its = socket.socketpair()
        with ours:
            with its:
                process = self.run("checkin", stdin=its, stdout=its)
            ours.settimeout(30)
            ours.sendall(request)
            answer = b""
            while received := ours.recv(4096):
                answer += received
        return answer.decode(), process.communicate(timeout=30)[1]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def request(token: str, body: bytes | None = None, **headers: str) -> bytes:
    body = encoded() if body is None else body
    all_headers = {
        "Authorization": f"Bearer {token}", "X-Real-IP": "10.77.0.50", "Content-Length": str(len(body)), **headers,
    }  # fmt: skip
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in all_headers.items())
    return f"POST /checkin HTTP/1.0\r\n{head}\r\n".encode() + body


def test_a_check_in(server: Server) -> None:
    entry = server.put()
    answer, journal = server.ask(request(entry.token))
    assert answer.splitlines()[0] == "HTTP/1.0 204 No Content"
    assert journal == f"check-in from 10.77.0.50: accepted: pc-1 ({MAC})\n"
    checkin = server.folder.checkin(entry.id)
    assert checkin
    assert checkin.address == "10.77.0.50"


def test_a_machine_that_is_refused_is_not_told_why_but_the_journal_is(server: Server) -> None:
    server.put()
    answer, journal = server.ask(request("wrong" * 8))
    assert answer.startswith("HTTP/1.0 403 Forbidden\r\n")
    assert answer.endswith("\r\n\r\n")
    assert "no entry has this token" in journal
    assert "wrongwrong" not in answer + journal
    assert server.folder.refusals()[0]["address"] == "10.77.0.50"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"POST /checkin HTTP/1.0\r\n\r\n", 400),
        (b"POST /checkin HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /checkin HTTP/1.0\r\nContent-Length: 70000\r\n\r\n", 400),
        (b"POST /checkin HTTP/1.0\r\nContent-Length: -1\r\n\r\n", 400),
        (request("x", b"{}"), 400),
        (request("x", Authorization="Basic eDp4"), 403),
        (b"GET /checkin HTTP/1.0\r\n\r\n", 501),
        (b"\x16\x03\x01\r\n\r\n", 400),
    ],
)
def test_what_is_no_check_in(server: Server, asked: bytes, status: int) -> None:
    entry = server.put()
    answer, journal = server.ask(asked)
    assert f" {status} " in answer.splitlines()[0] or f"Error code: {status}" in answer
    assert "Traceback" not in journal
    assert server.folder.entry(MAC) == entry


def test_a_folder_that_cannot_be_used_is_the_servers_fault(server: Server, tmp_path: Path) -> None:
    entry = server.put()
    (tmp_path / "checkins").rmdir()
    answer, journal = server.ask(request(entry.token))
    assert " 500 " in answer.splitlines()[0]
    assert str(tmp_path / "checkins") in journal


def test_the_journal_names_an_entry_that_is_damaged(server: Server, tmp_path: Path) -> None:
    entry = server.put()
    (tmp_path / "entries/52-54-00-aa-bb-dd.json").write_text("{")
    answer, journal = server.ask(request(entry.token))
    assert " 204 " in answer.splitlines()[0]
    assert "52-54-00-aa-bb-dd.json" in journal


def test_expiry(server: Server) -> None:
    server.put(lifetime=0)
    process = server.run("expire")
    assert process.communicate(timeout=30)[1] == f"the entry of pc-1 ({MAC}) has expired: it did not check in\n"
    assert process.returncode == 0
    again = server.run("expire")
    assert (again.communicate(timeout=30)[1], again.returncode) == ("", 0)


def test_a_configuration_that_is_missing(server: Server) -> None:
    server.config.unlink()
    process = server.run("expire")
    assert "Is this the imaging server?" in process.communicate(timeout=30)[1]
    assert process.returncode == 1
