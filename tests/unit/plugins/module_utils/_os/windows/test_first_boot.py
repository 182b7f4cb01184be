# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.windows import first_boot
from ansible_collections.golden.fleet.plugins.module_utils._os.windows.first_boot import (
    ANSWERS,
    COMMANDS,
    LOGON,
    SETUP,
    setup_complete,
    steps_of,
    steps_script,
)
from hypothesis import given
from hypothesis import strategies as st

OTHERS = "@echo off\r\ncall other.cmd\r\n"
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(lambda text: f"echo {text}")


@given(st.dictionaries(st.sampled_from([ANSWERS, COMMANDS]), st.lists(LINE, min_size=1)))
def test_steps_are_read_as_they_were_written(steps: dict[str, list[str]]) -> None:
    assert steps_of(steps_script(steps, {SETUP})) == steps


def test_steps_are_done_in_their_order() -> None:
    script = steps_script({ANSWERS: ["del x"], COMMANDS: ["echo"]}, {LOGON})
    assert script == (
        "@echo off\r\nrem golden.fleet: what is done once, started by run_once\r\nchcp 65001 >nul\r\n"
        "rem [commands]\r\necho\r\nrem [answers]\r\ndel x\r\n"
    )


@pytest.mark.parametrize("others", ["", OTHERS, "one line without an end", "exit /b 0\nunix\n", "\xe4\xff\r\n"])
def test_setup_complete_keeps_what_others_wrote(others: str) -> None:
    with_ours = setup_complete(others, True)
    assert with_ours.startswith("rem >>> golden.fleet\r\nif exist")
    assert with_ours.endswith(others)
    assert setup_complete(with_ours, True) == with_ours
    assert setup_complete(with_ours, False) == others


def test_setup_complete_removes_itself_if_it_is_ours() -> None:
    assert '(goto) 2>nul & del "%~f0"' in setup_complete("", True)
    assert "%~f0" not in setup_complete(OTHERS, True)
    assert "%~f0" not in setup_complete(setup_complete("", True) + OTHERS, True)


def test_commands() -> None:
    assert first_boot._lines(2, 'echo "a b" & ver') == [
        'cmd.exe /d /s /c "echo "a b" & ver"',
        "echo golden.fleet: command 2 ended with %errorlevel%",
    ]


def taken_by_a_batch_file(line: str) -> str:
    """What cmd.exe starts for a line of a batch file: first it looks for variables, then for characters that mean
    something to it, outside of quotes."""
    assert re.fullmatch("(?:[^%]|%%)*", line), "there would be a variable, or nothing in its place"
    found, quoted, rest = "", False, iter(line.replace("%%", "%"))
    for char in rest:
        if char == "^" and not quoted:
            found += next(rest)
            continue
        assert quoted or char not in "&|<>", "it would end the command"
        quoted ^= char == '"'
        found += char
    return found


@pytest.mark.parametrize(
    "command",
    [
        'powershell -Command "Get-Service | Stop-Service"',
        'reg add "HKLM\\SOFTWARE\\A & B" /v x /d "<y>" >nul 2>&1',
        "for %i in (1 2) do @echo 100% %SystemRoot% ^& %i",
        'echo "a^',
    ],
)
def test_commands_come_to_cmd_as_they_were_given(command: str) -> None:
    assert taken_by_a_batch_file(first_boot._lines(1, command)[0]) == f'cmd.exe /d /s /c "{command}"'


@given(st.text(st.sampled_from('a "%^&|<>()!=;,'), min_size=1).filter(str.strip))
def test_any_command_comes_to_cmd_as_it_was_given(command: str) -> None:
    assert taken_by_a_batch_file(first_boot._lines(1, command)[0]) == f'cmd.exe /d /s /c "{command}"'


@pytest.mark.parametrize("command", ["", "  ", "a\nb", "a\rb", "a\0b", "a\udcff", "x" * 8000])
def test_what_is_no_command(command: str) -> None:
    with pytest.raises(UsageError, match="Command 1 for the first boot"):
        first_boot._lines(1, command)
