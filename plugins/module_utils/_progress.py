# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What long work reports to whoever watches it."""

from __future__ import annotations

import typing as t


class Progress(t.Protocol):
    """Receives the progress of one piece of work. All methods may be called from any thread."""

    def phase(self, name: str, total: int = 0) -> None:
        """A new phase begins; total is in bytes, 0 when nobody knows."""

    def advance(self, count: int) -> None:
        """So many more bytes of this phase are done."""

    def note(self, text: str) -> None:
        """One line that a person should see."""


class Silent:
    """Nobody watches."""

    def phase(self, name: str, total: int = 0) -> None:
        pass

    def advance(self, count: int) -> None:
        pass

    def note(self, text: str) -> None:
        pass
