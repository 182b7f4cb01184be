# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checking in, at a real TLS server on loopback."""

from __future__ import annotations

import contextlib
import http.server
import ipaddress
import ssl
import threading
import time
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.roles.boot_env.files.client import checkin
from ansible_collections.golden.fleet.roles.boot_env.files.client.checkin import Refused, Server
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

YEAR = timedelta(days=365)
TODAY = datetime.now(timezone.utc)


class Imaging:
    """A server that answers as it is told, one status after the other, and notes what it was asked."""

    def __init__(self, certificate: Path, *statuses: int, date: str | None = None) -> None:
        self.asked: list[tuple[str, str | None, bytes]] = []
        self._left = list(statuses)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.command, self.headers.get("Authorization"), body))
                self.send_response(outer._left.pop(0) if self.command == "POST" else 405)
                self.end_headers()

            do_HEAD = do_POST

            def date_time_string(self, timestamp: float | None = None) -> str:
                return date or super().date_time_string(timestamp)  # type: ignore[arg-type]

            def log_message(self, *_args: t.Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # a peer that trusts us not
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self._server.server_port}/checkin"

    @contextlib.contextmanager
    def serving(self) -> t.Iterator[Imaging]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def make_certificates(folder: Path, begins: datetime, ends: datetime) -> tuple[Path, Path]:
    """A CA that is good for long, and a certificate of it."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])

    def certificate(subject: x509.Name, public: ec.EllipticCurvePublicKey, is_ca: bool) -> bytes:
        builder = x509.CertificateBuilder(name, subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(TODAY - 9 * YEAR if is_ca else begins)
        builder = builder.not_valid_after(TODAY + 9 * YEAR if is_ca else ends)
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
        addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = builder.add_extension(addresses, critical=False)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    ca, server = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(certificate(name, ca_key.public_key(), True))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server.write_bytes(certificate(subject, key.public_key(), False) + private)
    return ca, server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkin, "_FIRST", 0.01)


class Boot:
    """A machine that checks in."""

    def __init__(self, url: str, ca: Path) -> None:
        self.shown: list[str] = []
        self.events: list[str] = []
        self.clock: list[float] = []
        self._server = Server(url, str(ca), self.events.append, self.clock.append)

    def check_in(self, patience: float = 5) -> bool:
        return self._server.check_in("secret", b"{}", self.shown.append, time.monotonic() + patience)


def test_accepted(tmp_path: Path) -> None:
    ca, certificate = make_certificates(tmp_path, TODAY - YEAR, TODAY + YEAR)
    with Imaging(certificate, 204).serving() as imaging:
        boot = Boot(imaging.url, ca)
        assert boot.check_in()
    assert imaging.asked == [("POST", "Bearer secret", b"{}")]
    assert boot.clock == []


def test_tries_again_while_the_server_is_in_trouble(tmp_path: Path) -> None:
    ca, certificate = make_certificates(tmp_path, TODAY - YEAR, TODAY + YEAR)
    with Imaging(certificate, 502, 429, 204).serving() as imaging:
        boot = Boot(imaging.url, ca)
        assert boot.check_in()
    assert boot.shown[1:] == ["127.0.0.1: HTTP status 502", "127.0.0.1: HTTP status 429"]


@pytest.mark.parametrize(("status", "why"), [(403, "refused this machine"), (400, "does not understand")])
def test_refused_for_good(tmp_path: Path, status: int, why: str) -> None:
    ca, certificate = make_certificates(tmp_path, TODAY - YEAR, TODAY + YEAR)
    with Imaging(certificate, status, 204).serving() as imaging, pytest.raises(Refused, match=why):
        Boot(imaging.url, ca).check_in()
    assert len(imaging.asked) == 1


def test_nobody_else_is_told_the_token(tmp_path: Path) -> None:
    _ca, certificate = make_certificates(tmp_path, TODAY - YEAR, TODAY + YEAR)
    (tmp_path / "other").mkdir()
    other, _certificate = make_certificates(tmp_path / "other", TODAY - YEAR, TODAY + YEAR)
    with Imaging(certificate, 204).serving() as imaging:
        boot = Boot(imaging.url, other)
        assert not boot.check_in(0.2)
    assert imaging.asked == []
    assert "not the server that this boot environment was made for" in boot.shown[-1]


def test_gives_up_when_nobody_answers(tmp_path: Path) -> None:
    ca, certificate = make_certificates(tmp_path, TODAY - YEAR, TODAY + YEAR)
    with Imaging(certificate).serving() as imaging:
        url = imaging.url
    boot = Boot(url, ca)
    assert not boot.check_in(0.2)
    assert "no answer" in boot.shown[-1]


@pytest.mark.parametrize(("begins", "ends"), [(TODAY + YEAR, TODAY + 2 * YEAR), (TODAY - 2 * YEAR, TODAY - YEAR)])
def test_clock_that_makes_the_certificate_invalid_is_set(tmp_path: Path, begins: datetime, ends: datetime) -> None:
    """To this machine's clock the certificate is of another time; the server's clock is right."""
    ca, certificate = make_certificates(tmp_path, begins, ends)
    right = begins + timedelta(days=30)
    date = right.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with Imaging(certificate, date=date).serving() as imaging:
        boot = Boot(imaging.url, ca)
        assert not boot.check_in(0.2)
    assert {method for method, _token, _body in imaging.asked} == {"HEAD"}
    assert {token for _method, token, _body in imaging.asked} == {None}
    assert boot.clock[0] == int(right.timestamp())
    assert boot.events[0].startswith("the clock of this machine was wrong")


def test_clock_is_not_taken_from_strangers(tmp_path: Path) -> None:
    _ca, certificate = make_certificates(tmp_path, TODAY + YEAR, TODAY + 2 * YEAR)
    (tmp_path / "other").mkdir()
    other, _certificate = make_certificates(tmp_path / "other", TODAY - YEAR, TODAY + YEAR)
    with Imaging(certificate).serving() as imaging:
        boot = Boot(imaging.url, other)
        assert not boot.check_in(0.2)
    assert imaging.asked == []
    assert boot.clock == []


def test_clock_that_is_only_somewhat_wrong_is_set_too(tmp_path: Path) -> None:
    ca, certificate = make_certificates(tmp_path, TODAY - YEAR, TODAY + YEAR)
    right = TODAY + timedelta(hours=2)
    with Imaging(certificate, 204, date=right.strftime("%a, %d %b %Y %H:%M:%S GMT")).serving() as imaging:
        boot = Boot(imaging.url, ca)
        assert boot.check_in()
    assert boot.clock == [int(right.timestamp())]
