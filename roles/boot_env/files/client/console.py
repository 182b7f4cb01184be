# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person at the machine sees: a screen that is kept up to date, and lines on serial consoles."""

from __future__ import annotations

import os
import termios
import threading
import time
import typing as t
from collections import deque
from pathlib import Path

WIDTH, HEIGHT = 80, 25  # what every screen has
_LABEL = 9
_CLEAR, _HOME, _REST_OF_LINE, _REST, _NO_CURSOR = "\x1b[2J", "\x1b[H", "\x1b[K", "\x1b[J", "\x1b[?25l"
_EVERY = 15.0  # seconds between two lines about the same thing that goes on


class Board:
    """What is to be seen: a title, rows with labels, what goes on now, and what happened last. Thread-safe."""

    def __init__(self, title: str) -> None:
        self._lock = threading.Lock()
        self._title = title
        self._rows: dict[str, str] = {}
        self._now = "", ""
        self._events: deque[str] = deque(maxlen=HEIGHT)
        self._news: list[str] = [title]
        self._told = 0.0

    def row(self, label: str, text: str) -> None:
        """A fact that stays."""
        with self._lock:
            if self._rows.get(label) != text:
                self._rows[label] = text
                self._news.append(f"{label:{_LABEL}} {text}")

    def event(self, text: str) -> None:
        """Something happened."""
        with self._lock:
            line = f"{time.strftime('%H:%M:%S')} {text}"
            self._events.append(line)
            self._news.append(line)

    def now(self, what: str, detail: str = "") -> None:
        """What goes on.

        :param detail: what changes all the time; lines about it come now and then.
        """
        with self._lock:
            late = time.monotonic() - self._told >= _EVERY
            if what != self._now[0] or (detail != self._now[1] and late):
                self._news.append(f"{what}{detail}")
                self._told = time.monotonic()
            self._now = what, detail

    def screen(self, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
        """All of it."""
        with self._lock:
            lines = ["", f"  {self._title}", ""]
            for label, text in self._rows.items():
                first, *more = _folded(text, width - _LABEL - 5)
                lines.append(f"  {label:{_LABEL}} {first}")
                lines += [f"  {'':{_LABEL}} {each}" for each in more]
            lines += ["", *(f"  {each}" for each in _folded("".join(self._now), width - 4)), ""]
            room = height - len(lines) - 1
            events = list(self._events)[-room:] if room > 0 else []
            return lines + [f"  {each}"[: width - 1] for each in events]

    def news(self) -> list[str]:
        """What a console that only adds lines has not shown yet."""
        with self._lock:
            news, self._news = self._news, []
            return news


class Display(threading.Thread):
    """Shows a board on all consoles, again and again."""

    def __init__(self, board: Board, consoles: t.Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._board = board
        self._screens = [_Terminal(each) for each in consoles if each.startswith("tty0")]
        self._lines = [_Terminal(each) for each in consoles if not each.startswith("tty0")]
        self._shown: list[str] = []

    def run(self) -> None:
        for terminal in self._screens:
            terminal.write(_CLEAR + _NO_CURSOR)
        while True:
            self.refresh()
            time.sleep(0.5)

    def refresh(self) -> None:
        lines = self._board.screen()
        if lines != self._shown:
            self._shown = lines
            text = _HOME + "".join(f"{line}{_REST_OF_LINE}\n" for line in lines) + _REST
            for terminal in self._screens:
                terminal.write(text)
        news = "".join(f"golden.fleet: {line}\n" for line in self._board.news())
        for terminal in self._lines:
            terminal.write(news)


class _Terminal:
    """One console; one that cannot keep up, or is not there, loses what it was to show."""

    def __init__(self, name: str) -> None:
        self._path = "/dev/tty1" if name == "tty0" else f"/dev/{name}"
        self._fd: int | None = None

    def write(self, text: str) -> None:
        if not text:
            return
        try:
            if self._fd is None:
                self._fd = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
                _be_deaf(self._fd)
            os.write(self._fd, text.encode("ascii", "replace"))
        except (OSError, termios.error):
            pass


def _be_deaf(terminal: int) -> None:
    """What somebody types shall not appear between what is shown."""
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def consoles() -> list[str]:
    """Those that the kernel itself uses."""
    return Path("/sys/class/tty/console/active").read_text("ascii").split()


def _folded(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()[:width]
    return lines
