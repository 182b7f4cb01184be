# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows, as far as WinRM shows it: WS-Management over HTTP with NTLM and encrypted messages.

Client and server prove to each other who they are, and encrypt, as with a real one. What the commands say, and what
modules of Ansible return, comes from whoever starts this.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import ssl
import threading
import types
import typing as t
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path
from xml.sax.saxutils import escape

import spnego
from spnego.exceptions import SpnegoError

Run = t.Callable[[str], tuple[int, str]]
"""Runs a command line: exit code and output. None instead of an answer: the machine goes down."""
Return = t.Callable[[str, t.Dict[str, t.Any]], t.Dict[str, t.Any]]  # noqa: UP006  # evaluated at run time
"""What a module returns that is called by this name, with these options."""

_BOUNDARY = b"--Encrypted Boundary"
_ENCRYPTED = b"application/HTTP-SPNEGO-session-encrypted"
_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    f'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:rsp="{_SHELL}"'
)


class GoesDown(Exception):
    """Raised by a command: the machine has no time to answer."""


class WindowsPeer:
    """There from ``with`` to its end, on loopback; or until it has gone down.

    :param folder: for the file with the user's password.
    :param certificate: folder with server.pem and server.key, for HTTPS.
    :param returns: what modules return.
    :ivar commands: all command lines that were run.
    """

    username = "Administrator"

    def __init__(
        self,
        folder: Path,
        run: Run,
        password: str,
        certificate: Path | None = None,
        returns: Return = lambda _name, _options: {},
    ) -> None:
        self.commands: list[str] = []
        self._run = run
        self._returns = returns
        self._inputs: dict[str, bytes] = {}
        self._users = folder / "users"
        self._users.write_text(f":{self.username}:{password}\n")
        self._password = password
        self._outputs: dict[str, tuple[int, str]] = {}
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._scheme = "http"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate / "server.pem", certificate / "server.key")
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
            self._scheme = "https"
        self._thread = threading.Thread(target=self._http.serve_forever)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._http.server_port}"

    def connection_vars(self) -> dict[str, t.Any]:
        """For an inventory."""
        return {
            "ansible_connection": "winrm",
            "ansible_host": "127.0.0.1",
            "ansible_port": self._http.server_port,
            "ansible_winrm_scheme": self._scheme,
            "ansible_winrm_transport": "ntlm",
            "ansible_user": self.username,
            "ansible_password": self._password,
        }

    def __enter__(self) -> WindowsPeer:
        # Where pyspnego looks for the passwords that an NTLM server knows.
        os.environ["NTLM_USER_FILE"] = str(self._users)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.go_down()
        del os.environ["NTLM_USER_FILE"]

    def go_down(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, message: bytes) -> bytes:
        """To one message of WS-Management."""
        request = ET.fromstring(message)
        action = _text(request, "Action").rpartition("/")[2]
        body = getattr(self, f"_{action.lower()}")(request)
        header = f"<a:RelatesTo>{_text(request, 'MessageID')}</a:RelatesTo>"
        return f"<s:Envelope {_NAMESPACES}><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()

    def _create(self, _request: ET.Element) -> str:
        return f'<w:SelectorSet><w:Selector Name="ShellId">{uuid.uuid4()}</w:Selector></w:SelectorSet>'

    def _command(self, request: ET.Element) -> str:
        words = [_text(request, "Command"), *(each.text or "" for each in request.iter(f"{{{_SHELL}}}Arguments"))]
        line, number = " ".join(words), str(uuid.uuid4())
        self.commands.append(line)
        if _is_set(request, "WINRS_CONSOLEMODE_STDIN"):
            self._outputs[number] = self._run(line)
        else:
            self._inputs[number] = b""
        return f"<rsp:CommandResponse><rsp:CommandId>{number}</rsp:CommandId></rsp:CommandResponse>"

    def _send(self, request: ET.Element) -> str:
        """A module comes as the input of a command, in pieces."""
        stream = next(request.iter(f"{{{_SHELL}}}Stream"))
        number = stream.attrib["CommandId"]
        self._inputs[number] += base64.b64decode(stream.text or "")
        if stream.get("End") == "true":
            name, options = _module_in(self._inputs.pop(number))
            self._outputs[number] = (0, json.dumps(self._returns(name, options)))
        return "<rsp:SendResponse/>"

    def _receive(self, request: ET.Element) -> str:
        stream = next(request.iter(f"{{{_SHELL}}}DesiredStream"))
        number = stream.attrib["CommandId"]
        code, said = self._outputs[number]
        text = base64.b64encode(said.encode()).decode()
        return (
            f'<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="{escape(number)}">{text}</rsp:Stream>'
            f'<rsp:CommandState CommandId="{escape(number)}" State="{_SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{code}</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>"
        )

    def _signal(self, _request: ET.Element) -> str:
        return "<rsp:SignalResponse/>"

    def _delete(self, _request: ET.Element) -> str:
        return ""


def _text(element: ET.Element, name: str) -> str:
    return next(each.text or "" for each in element.iter() if each.tag.rpartition("}")[2] == name)


def _is_set(request: ET.Element, option: str) -> bool:
    return any(each.get("Name") == option and each.text == "TRUE" for each in request.iter())


def _module_in(sent: bytes) -> tuple[str, dict[str, t.Any]]:
    """Its name, and its options without Ansible's own, of a module as ansible-core 2.19 sends it."""
    manifest = json.loads(sent.rpartition(b"\0\0\0\0\n")[2])
    (call,) = (action["params"] for action in manifest["actions"] if "Script" in action["params"])
    (options,) = (each["Value"] for each in call["Variables"] if each["Name"] == "complex_args")
    _base, namespace, collection, _plugins, _modules, name, _end = call["Script"].split(".")
    return f"{namespace}.{collection}.{name}", {
        name: value for name, value in options.items() if not name.startswith("_ansible_")
    }


def _handler(peer: WindowsPeer) -> type[http.server.BaseHTTPRequestHandler]:
    """Each connection proves once who it is."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        context: spnego.ContextProxy | None = None

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            token = self.headers.get("Authorization", "").removeprefix("Negotiate ").strip()
            if not (token or (self.context and self.context.complete)):
                self._reply(401, b"", challenge="Negotiate")
            elif not token or self._is_known(token):
                with contextlib.suppress(GoesDown):
                    self._reply(200, self._answer(body))
                    return
                self.close_connection = True

        def _is_known(self, token: str) -> bool:
            self.context = self.context or spnego.server(protocol="ntlm")
            try:
                answer = self.context.step(base64.b64decode(token))
            except SpnegoError:
                self.context = None
                self._reply(401, b"", challenge="Negotiate")
                return False
            if not self.context.complete:
                self._reply(401, b"", challenge=f"Negotiate {base64.b64encode(answer or b'').decode()}")
            return self.context.complete

        def _answer(self, body: bytes) -> bytes:
            if not body:
                return b""
            if _BOUNDARY not in body:
                return peer.answer(body)
            assert self.context
            sealed = body.split(_BOUNDARY + b"\r\n")[2].removesuffix(_BOUNDARY + b"--\r\n").split(b"\r\n", 1)[1]
            size = int.from_bytes(sealed[:4], "little")
            answer = peer.answer(self.context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :]))
            header, data, _padding = self.context.wrap_winrm(answer)
            return b"".join(
                (
                    _BOUNDARY,
                    b"\r\n\tContent-Type: ",
                    _ENCRYPTED,
                    b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % len(answer),
                    _BOUNDARY,
                    b"\r\n\tContent-Type: application/octet-stream\r\n",
                    len(header).to_bytes(4, "little") + header + data,
                    _BOUNDARY,
                    b"--\r\n",
                )
            )

        def _reply(self, status: int, body: bytes, challenge: str = "") -> None:
            self.send_response(status)
            if challenge:
                self.send_header("WWW-Authenticate", challenge)
            kind = "application/soap+xml;charset=UTF-8"
            if body.startswith(_BOUNDARY):
                kind = f'multipart/encrypted;protocol="{_ENCRYPTED.decode()}";boundary="Encrypted Boundary"'
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: t.Any) -> None:
            """Not to the terminal."""

    return Handler
