# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The course of events from the start of this boot to its end."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import typing as t
from pathlib import Path

from . import hardware, network
from .activity import is_needed, jobs, show_time
from .checkin import Refused, Server
from .console import Board, Display, consoles
from .parameters import Parameters, parse

CONFIG = Path("/etc/golden.fleet/boot-env.json")
CA = "/etc/golden.fleet/ca.pem"
HOST_KEY = Path("/run/golden.fleet/ssh_host_ed25519_key.pub")

PATIENCE = 600.0  # seconds to be accepted within
_READABLE = 60.0  # seconds for a person to read why the machine restarts
_TICK = 1.0


class GivingUp(Exception):
    """This machine is of no use here; the message says why."""


def main() -> None:
    config = json.loads(CONFIG.read_text("utf-8"))
    machine = hardware.Machine()
    board = Board(f"golden.fleet boot environment {config['digest'][:12]}")
    Display(board, consoles()).start()
    try:
        parameters = parse(Path("/proc/cmdline").read_text("utf-8", "replace"))
        board.row("machine", machine.describe())
        _reach(board, machine, parameters)
        if parameters.server_has_name:
            network.resolve_names()
        if parameters.checkin:
            _check_in(board, machine, parameters, config["digest"])
        network.resolve_names()
        _wait_until_idle(board, config["idle"])
        board.event("nobody needs this machine")
    except (GivingUp, Refused, ValueError) as error:
        board.event(str(error))
        board.now(f"This machine restarts in {_READABLE:.0f} seconds and then boots from its disk.")
        time.sleep(_READABLE)
    _back_to_the_disk(board)


def _reach(board: Board, machine: hardware.Machine, parameters: Parameters) -> None:
    """Get an address."""
    address = network.wait_for_address(machine, parameters.mac, _waiting(board), time.monotonic() + PATIENCE)
    if address is None:
        raise GivingUp(f"there was no address within {show_time(PATIENCE)}")
    names = ", ".join(f"{name} ({mac})" for name, mac in machine.cards().items())
    board.row("address", f"{address}; network cards: {names}")


def _check_in(board: Board, machine: hardware.Machine, parameters: Parameters, digest: str) -> None:
    board.row("server", parameters.server)
    show = _waiting(board)
    key = _host_key(show)
    board.row("SSH key", _fingerprint())
    show("the disks to be found")
    disks = hardware.disks()
    body = hardware.report(machine, hardware.addresses(), disks, key, digest)
    server = Server(parameters.checkin, CA, board.event)
    accepted = server.check_in(parameters.token, body, show, time.monotonic() + PATIENCE)
    if not accepted:
        raise GivingUp(f"{parameters.server} did not accept this machine within {show_time(PATIENCE)}")
    board.row("server", f"{parameters.server} accepted this machine at {time.strftime('%H:%M:%S')} UTC")


def _host_key(show: t.Callable[[str], None]) -> str:
    """The key that sshd shows, once it listens: whoever reads the check-in may connect at once."""
    show("sshd")
    while True:
        try:
            with socket.create_connection(("127.0.0.1", 22), timeout=5) as connection:
                if connection.recv(4) == b"SSH-":
                    return " ".join(HOST_KEY.read_text("ascii").split()[:2])
        except OSError:
            time.sleep(0.1)


def _fingerprint() -> str:
    said = subprocess.run(["ssh-keygen", "-l", "-f", HOST_KEY], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[1:2])


def _wait_until_idle(board: Board, patience: float) -> None:
    """:param patience: seconds without any use of this machine."""
    used = time.monotonic()
    while (idle := time.monotonic() - used) < patience:
        if is_needed():
            used = time.monotonic()
        work = jobs()
        if work:
            board.now("; ".join(job.what for job in work), "; ".join(job.detail for job in work))
        else:
            left = show_time(patience - idle)
            board.now("Waiting for the controller.", f" Without it this machine boots from its disk in {left}.")
        time.sleep(_TICK)


def _waiting(board: Board) -> t.Callable[[str], None]:
    started = time.monotonic()

    def show(what: str) -> None:
        board.now(f"Waiting for {what}", f" ({show_time(time.monotonic() - started)})")

    return show


def _back_to_the_disk(board: Board) -> None:
    """The server has no entry for this machine any more, so whatever it boots first, it ends at its disk."""
    board.now("Restarting.")
    time.sleep(_TICK)
    subprocess.run(["systemctl", "reboot"], check=False)
    time.sleep(_READABLE)
    subprocess.run(["systemctl", "reboot", "--force", "--force"], check=False)


if __name__ == "__main__":
    main()
