# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that their own operating system restarts: a real sshd and efibootmgr, and a peer that speaks WinRM."""

from __future__ import annotations

import http.server
import threading
import typing as t
import uuid
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    PowerError,
    PowerIgnored,
    PowerRefused,
    PowerUnsupported,
)
from ansible_collections.golden.fleet.plugins.module_utils._power.base import DISK, NETWORK, NONE, ON, UNKNOWN, Power
from ansible_collections.golden.fleet.plugins.module_utils._power.options import PowerOptions
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power
from ansible_collections.golden.fleet.tests.support.efivars import (
    disk_entry,
    make_variables,
    network_entry,
    next_entry,
)
from ansible_collections.golden.fleet.tests.support.nginx import make_certificate
from ansible_collections.golden.fleet.tests.support.sshd import Sshd
from ansible_collections.golden.fleet.tests.support.wsman import GoesDown, WindowsPeer

pytestmark = pytest.mark.usefixtures("quick_looks")

MAC = "52:54:00:12:34:07"
OTHER_MAC = "52:54:00:12:34:08"
PASSWORD = "correct horse"
BCDEDIT = Path(__file__).parents[1] / "unit/plugins/module_utils/_power/transcripts/bcdedit-10-german.txt"
PXE = "{83222748-075c-11e6-b382-806e6f6e6963}"


class Pc:
    """What sessions of an sshd see of a PC with UEFI: its boot entries, and a boot id that a restart changes."""

    def __init__(self, folder: Path, firmware: str = "efi") -> None:
        self.variables = folder / "efivars"
        self.boot_id = folder / "boot_id"
        self.boot_id.write_text("first\n")
        make_variables(
            self.variables, [disk_entry("debian"), network_entry(MAC, 6), network_entry(MAC), network_entry(OTHER_MAC)]
        )
        (folder / "firmware" / firmware).mkdir(parents=True)
        hide = {"/sys/firmware": folder / "firmware", "/proc/sys/kernel/random/boot_id": self.boot_id}
        self.sshd = Sshd(folder, hide, {"EFIVARFS_PATH": f"{self.variables}/"})

    def power(self, **more: t.Any) -> Power:
        options = {"username": "root", "private_key_file": str(self.sshd.key), "timeout": 10.0, **more}
        known = f"-F none -o UserKnownHostsFile={self.sshd.known_hosts}"
        return open_power(PowerOptions("ssh", address="127.0.0.1", port=self.sshd.port, ssh_args=known, **options))


@pytest.fixture
def pc(tmp_path: Path) -> t.Iterator[Pc]:
    pc = Pc(tmp_path)
    with pc.sshd:
        yield pc


def test_linux_boots_from_the_network_once(pc: Pc) -> None:
    power = pc.power()
    assert (power.state(), power.next_boot()) == (ON, NONE)
    power.set_next_boot(NETWORK)
    assert next_entry(pc.variables) == 3, "IPv4 before IPv6"
    assert power.next_boot() == NETWORK
    power.set_next_boot(DISK)
    assert next_entry(pc.variables) == 1
    assert power.next_boot() == DISK


def test_linux_boots_from_the_card_that_is_meant(pc: Pc) -> None:
    pc.power(mac=OTHER_MAC.upper()).set_next_boot(NETWORK)
    assert next_entry(pc.variables) == 4
    with pytest.raises(PowerUnsupported, match=r"nothing to boot from the network. It offers 'debian', 'UEFI PXEv6"):
        pc.power(mac="52:54:00:99:99:99").set_next_boot(NETWORK)


def test_linux_is_seen_to_restart(pc: Pc) -> None:
    pc.sshd.program("reboot", f'echo "second $1" >{pc.boot_id}')
    assert pc.power().start() == "restarted by its operating system"
    assert pc.boot_id.read_text() == "second \n"
    pc.boot_id.write_text("third\n")
    pc.power().reset(force=True)
    assert pc.boot_id.read_text() == "second -f\n"


def test_linux_that_goes_down_is_restarted(pc: Pc) -> None:
    gone = threading.Event()
    pc.sshd.program("reboot", f"touch {pc.variables}/down")
    threading.Thread(target=lambda: (_wait_for(pc.variables / "down"), pc.sshd.stop(), gone.set())).start()
    pc.power().reset()
    assert gone.wait(10)


def test_linux_that_does_not_restart(pc: Pc) -> None:
    pc.sshd.program("reboot", "exit 1")
    with pytest.raises(PowerIgnored, match="its operating system still runs after 2 s"):
        pc.power(timeout=2.0).reset()


def test_linux_cannot_be_switched(pc: Pc) -> None:
    power = pc.power()
    power.on()
    with pytest.raises(PowerUnsupported, match="does not switch machines off"):
        power.off()
    pc.sshd.stop()
    assert power.state() == UNKNOWN
    with pytest.raises(PowerUnsupported, match="cannot switch a machine on"):
        power.on()
    with pytest.raises(PowerError, match="cannot be reached by SSH: .*Connection refused"):
        power.reset()


def test_linux_that_a_bios_started(tmp_path: Path) -> None:
    pc = Pc(tmp_path, firmware="dmi")
    with pc.sshd, pytest.raises(PowerUnsupported, match="Put the network first"):
        pc.power().set_next_boot(NETWORK)


def test_linux_lets_nobody_in_without_the_key(pc: Pc, tmp_path: Path) -> None:
    (tmp_path / "bin" / "other").write_bytes(pc.sshd.key.read_bytes())
    pc.sshd.key.with_suffix(".pub").write_text("")
    with pytest.raises(PowerRefused, match="Permission denied"):
        pc.power().state()


def test_linux_with_another_host_key(pc: Pc) -> None:
    known = pc.sshd.known_hosts
    known.write_text(known.read_text().split(" ")[0] + " " + pc.sshd.key.with_suffix(".pub").read_text())
    with pytest.raises(PowerError, match="Host key verification failed"):
        pc.power().reset()


def test_linux_whose_user_may_not(pc: Pc) -> None:
    pc.sshd.program("id", "echo 1000")
    pc.sshd.program("sudo", "echo sudo: a password is required >&2; exit 1")
    with pytest.raises(PowerRefused, match="sudo without a password"):
        pc.power().next_boot()
    pc.sshd.program("sudo", 'shift; exec "$@"')
    assert pc.power().next_boot() == NONE


def _wait_for(path: Path) -> None:
    while not path.exists():
        threading.Event().wait(0.1)


class Windows:
    """What bcdedit and shutdown do."""

    def __init__(self, obeys: bool = True) -> None:
        self.sequence = ""
        self.boot_time = str(uuid.uuid4())
        self._obeys = obeys
        self._down = False

    def run(self, line: str) -> tuple[int, str]:
        if line == "bcdedit /enum firmware":
            return 0, self._menu()
        if line.startswith("bcdedit /set {fwbootmgr} bootsequence "):
            self.sequence = line.rpartition(" ")[2]
            return 0, "Der Vorgang wurde erfolgreich beendet.\r\n"
        if line.startswith("powershell"):
            return 0, f"{self.boot_time}\r\n"
        if line.startswith("shutdown /r /t 0") and self._obeys:
            self.boot_time = str(uuid.uuid4())
            raise GoesDown
        return 1, "Zugriff verweigert\r\n"

    def _menu(self) -> str:
        text = BCDEDIT.read_bytes().decode()
        sequence = f"bootsequence            {self.sequence}\r\ntimeout   " if self.sequence else "timeout   "
        return text.replace("timeout   ", sequence, 1)


def winrm(peer: WindowsPeer, **more: t.Any) -> Power:
    options = {"username": peer.username, "password": PASSWORD, "timeout": 5.0, **more}
    return open_power(PowerOptions("winrm", address=peer.url, **options))


def test_windows_boots_from_the_network_once_and_restarts(tmp_path: Path) -> None:
    windows = Windows()
    with WindowsPeer(tmp_path, windows.run, PASSWORD) as peer:
        power = winrm(peer)
        assert (power.state(), power.next_boot()) == (ON, NONE)
        power.set_next_boot(NETWORK)
        assert (windows.sequence, power.next_boot()) == (PXE, NETWORK)
        power.set_next_boot(DISK)
        assert (windows.sequence, power.next_boot()) == ("{bootmgr}", DISK)
        power.start()
        power.reset(force=True)
        assert [line for line in peer.commands if line.startswith("shutdown")] == [
            "shutdown /r /t 0",
            "shutdown /r /t 0 /f",
        ]


def test_windows_over_https(tmp_path: Path) -> None:
    make_certificate(tmp_path, ["127.0.0.1"])
    with WindowsPeer(tmp_path, Windows().run, PASSWORD, certificate=tmp_path) as peer:
        assert winrm(peer, ca_file=str(tmp_path / "ca.pem")).state() == ON
        assert winrm(peer, verify_tls=False).state() == ON
        with pytest.raises(PowerError, match="cannot be reached by WinRM. Its certificate is not trusted"):
            winrm(peer).next_boot()


def test_windows_with_a_wrong_password(tmp_path: Path) -> None:
    with WindowsPeer(tmp_path, Windows().run, PASSWORD) as peer:
        for power in (winrm(peer, password="wrong"), winrm(peer, username="nobody")):
            with pytest.raises(PowerRefused, match="does not accept"):
                power.state()


def test_windows_that_does_not_restart(tmp_path: Path) -> None:
    with (
        WindowsPeer(tmp_path, Windows(obeys=False).run, PASSWORD) as peer,
        pytest.raises(
            PowerIgnored,
            match="still runs after 1 s. It said: shutdown on .* failed with exit code 1: Zugriff verweigert",
        ),
    ):
        winrm(peer, timeout=1.0).reset()


def test_windows_that_is_away(tmp_path: Path) -> None:
    with WindowsPeer(tmp_path, Windows().run, PASSWORD) as peer:
        power = winrm(peer)
    assert power.state() == UNKNOWN
    with pytest.raises(PowerError, match="cannot be reached by WinRM"):
        power.reset()


class _NoWinRm(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    said: t.ClassVar[bytes]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/soap+xml")
        self.send_header("Content-Length", str(len(self.said)))
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_arguments: t.Any) -> None:
        """Not to the terminal."""


@pytest.mark.parametrize("said", [b"", b"<html>Please log in", b"<html/>"])
def test_what_answers_is_no_winrm(said: bytes) -> None:
    handler = type("Handler", (_NoWinRm,), {"said": said})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        power = open_power(
            PowerOptions("winrm", address=f"http://127.0.0.1:{server.server_port}", username="u", password="p",
                         transport="basic")
        )  # fmt: skip
        with pytest.raises(PowerError, match=r"What answers at .* is no WinRM"):
            power.next_boot()
        assert power.state() == UNKNOWN
        server.shutdown()
