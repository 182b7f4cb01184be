# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person at the machine sees."""

from __future__ import annotations

import os
import pty
import select

from ansible_collections.golden.fleet.roles.boot_env.files.client.console import HEIGHT, WIDTH, Board, Display


def test_screen_has_everything_and_fits() -> None:
    board = Board("golden.fleet boot environment 3f2a")
    board.row(
        "machine", "Example Inc. Desktop 7, serial S-1234, 15.9 GiB, UEFI with Secure Boot, and a long name of it"
    )
    board.row("address", "10.77.0.50")
    board.now("Waiting for the controller.", " Without it this machine boots from its disk in 59 min.")
    for number in range(40):
        board.event(f"event {number} {'x' * 100}")
    lines = board.screen()
    assert len(lines) < HEIGHT
    assert all(len(line) < WIDTH for line in lines)
    text = "\n".join(lines)
    assert "S-1234" in text
    assert "59 min." in text
    assert "event 39" in text
    assert "event 1 " not in text


def test_lines_tell_each_thing_once() -> None:
    board = Board("title")
    board.row("server", "10.77.0.1")
    board.row("server", "10.77.0.1")
    board.now("Waiting for an answer", " (1 s)")
    board.now("Waiting for an answer", " (2 s)")
    board.now("Waiting for the controller.")
    assert board.news() == [
        "title",
        "server    10.77.0.1",
        "Waiting for an answer (1 s)",
        "Waiting for the controller.",
    ]
    assert board.news() == []


def test_serial_console_gets_lines_and_says_nothing_back() -> None:
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs).removeprefix("/dev/")
    board = Board("title")
    display = Display(board, [name, "ttyNONE"])
    display.refresh()
    os.write(ours, b"somebody types\n")
    board.event("accepted")
    display.refresh()
    said = b""
    while select.select([ours], [], [], 0.5)[0]:
        said += os.read(ours, 1000)
    assert b"golden.fleet: title\r\n" in said
    assert b"accepted" in said
    assert b"somebody" not in said
    os.close(ours)
    os.close(theirs)
