# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Waits until a machine runs its own system, and proves that it is the one that was meant."""

from __future__ import annotations

import time
import typing as t
from dataclasses import asdict

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..module_utils._errors import NetbootError
from ..module_utils._os.marker import PLACES, marker_in
from ..module_utils._os.tree import LINUX, WINDOWS
from ..module_utils._units import show_duration
from ._answer import answer_within

_PAUSE = 3.0  # seconds between attempts
_LONGEST_SILENCE = 60.0  # seconds for one
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_SETUP = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State"
_IS_SET_UP = "IMAGE_STATE_COMPLETE"
_LOOK: t.Final = {
    LINUX: f"cat {_BOOT_ID} && {{ cat {PLACES[LINUX]} 2>/dev/null || true; }}",
    # A line each for when it started and how far its setup is, whatever goes wrong, and then the marker. A file that is
    # not there would make it fail, however silently.
    WINDOWS: (
        "$started = ''; try { $started = (Get-CimInstance -ClassName Win32_OperatingSystem -ErrorAction Stop)"
        ".LastBootUpTime.ToFileTimeUtc() } catch {}; "
        f"$setup = (Get-ItemProperty -ErrorAction SilentlyContinue -LiteralPath {_SETUP}).ImageState; "
        '"$started"; "$setup"; '
        f'Get-Content -Raw -ErrorAction SilentlyContinue -LiteralPath "$env:SystemDrive{PLACES[WINDOWS]}"; exit 0'
    ),
}


class Seen(t.NamedTuple):
    """What a machine answered.

    :ivar boot_id: names this one boot; of a Windows, when it started.
    :ivar setup: of a Windows, how far its setup is.
    """

    boot_id: str | None
    setup: str | None
    marker: dict[str, t.Any] | None


class SystemWait:
    """Asks over and over. No answer, or another system's answer, is not what is waited for."""

    def __init__(self, action: ActionBase, expected: t.Mapping[str, str], old_boot_id: str | None) -> None:
        """:param expected: fields that the marker must have.
        :param old_boot_id: of what may still answer for a while, such as the boot environment.
        """
        self._action = action
        self._expected = expected
        self._old_boot_id = old_boot_id

    def go(self, timeout: int) -> Seen:
        """:raises NetbootError: it has not come in time; the message says what was seen instead."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                with answer_within(_LONGEST_SILENCE):
                    seen = self._look()
                problem = self._problem(seen)
            except AnsibleError as error:
                seen, problem = None, f"it does not answer: {' '.join(str(error).split())[:300]}"
            if seen and not problem:
                return seen
            left = deadline - time.monotonic()
            if left <= 0:
                raise NetbootError(
                    f"The machine was not back from its disk after {show_duration(timeout)}; {problem}. "
                    "Look at its screen. Does its firmware find the disk, and has it the boot mode of the image?"
                )
            time.sleep(min(_PAUSE, left))

    def _look(self) -> Seen:
        connection = self._action._connection
        connection.reset()
        windows = getattr(connection._shell, "_IS_WINDOWS", False)
        answer = self._action._low_level_execute_command(_LOOK[WINDOWS if windows else LINUX], sudoable=False)
        if answer["rc"] != 0:
            raise AnsibleConnectionFailure(f"{answer['stdout']} {answer['stderr']}")
        boot_id, _newline, rest = answer["stdout"].partition("\n")
        setup, _newline, rest = rest.partition("\n") if windows else ("", "", rest)
        marker = marker_in(rest)
        return Seen(boot_id.strip() or None, setup.strip() or None, asdict(marker) if marker else None)

    def _problem(self, seen: Seen) -> str | None:
        if self._old_boot_id and seen.boot_id == self._old_boot_id:
            return "it has not restarted" if seen.setup else "the boot environment still answers"
        marker = seen.marker or {}
        if any(marker.get(name) != value for name, value in self._expected.items()):
            shown = f"image {marker.get('image')} from deploy {marker.get('deploy')}" if marker else "no marker"
            return f"what answers is not what was deployed: it shows {shown}"
        if seen.setup not in {None, _IS_SET_UP}:
            # It may let us in, and will restart.
            return f"its setup is still at work, or has failed ({seen.setup})"
        return None
