# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. What a deployed Windows does once, by itself, when it has been set up, as SYSTEM; nothing of it stays.

Windows runs SetupComplete.cmd then. A few lines of ours in there call run.cmd, which has the steps done, the last of
which takes the answer file away, and then removes the folder in which all of this is.
"""

from __future__ import annotations

import re
import typing as t

from ..._errors import OsError, UsageError
from ..beneath import Root
from ..tree import Tree
from .facts import is_generalized
from .hive import Edit, change, read_value
from .values import value_of

FOLDER = "/Windows/golden.fleet"
ANSWER_FILES = ("/Windows/Panther/Unattend/unattend.xml", "/Windows/Panther/unattend.xml")
SETUP_COMPLETE = "/Windows/Setup/Scripts/SetupComplete.cmd"
WAYS = (SETUP, LOGON) = ("setup_complete", "run_once")

DRIVERS, REMOTE, COMMANDS, ANSWERS = "drivers", "remote", "commands", "answers"
_ORDER = (DRIVERS, REMOTE, COMMANDS, ANSWERS)
_STEPS, _RUN = f"{FOLDER}/steps.cmd", f"{FOLDER}/run.cmd"
_LOG_FOLDER = "/ProgramData/golden.fleet"
_STARTED = "rem golden.fleet: what is done once, started by "
_NAME = "golden.fleet"
_RUN_ONCE = r"Microsoft\Windows\CurrentVersion\RunOnce"
_HERE = r"%SystemRoot%\golden.fleet"
_NEWLINE = "\r\n"
# No labels: with these and UTF-8, cmd.exe loses its place. (goto) ends the script, and the rest of its line still runs.
_RUN_SCRIPT = _NEWLINE.join(
    [
        "@echo off",
        "rem golden.fleet: runs once, after Windows has been set up.",
        rf'call "{_HERE}\steps.cmd" >>"%ProgramData%\golden.fleet\first-boot.log" 2>&1',
        f'(goto) 2>nul & rmdir /s /q "{_HERE}"',
        "",
    ]
)
_BEGIN, _END = "rem >>> golden.fleet", "rem <<< golden.fleet"
_CALL = rf'if exist "{_HERE}\run.cmd" call "{_HERE}\run.cmd"'
_REMOVE_ITSELF = '(goto) 2>nul & del "%~f0"'
_BLOCK = re.compile(rf"{_BEGIN}\r?\n.*?{_END}(?:\r?\n|$)", re.DOTALL)
_LONGEST = 8000  # of a line, for cmd.exe
_SPECIAL = re.compile(r"[&|<>^]")
_NO_LINE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Steps = t.Dict[str, t.List[str]]  # noqa: UP006  # evaluated at run time


def apply(tree: Tree, commands: t.Sequence[str], check: bool, way: str = SETUP) -> dict[str, t.Any]:
    """Commands that it shall run once; none: it runs none.

    :param way: what starts them: setup_complete, or run_once, when an administrator logs on for the first time.
    :returns: changed, diff, path.
    :raises UsageError: a command has more than one line, or is too long.
    :raises OsError: it would never come to that.
    """
    lines = [line for number, command in enumerate(commands, 1) for line in _lines(number, command)]
    return put(tree, COMMANDS, lines, check, way)


def put(tree: Tree, section: str, lines: t.Sequence[str], check: bool, way: str | None = None) -> dict[str, t.Any]:
    """One section of the steps; without lines, there is none.

    :param way: None: as it is, or what this Windows can do.
    :returns: changed, diff, path.
    :raises OsError: it would never come to that.
    """
    root = tree.root
    before, was = _found(root)
    after = {name: each for name, each in {**before, section: list(lines)}.items() if each}
    wanted = {_way(root, way or next(iter(sorted(was)), None))} if after else set()
    changed = before != after or was != wanted
    if changed and not check:
        _write(root, after, wanted)
        for each in was ^ wanted:
            _STARTS[each](root, each in wanted)
    return {
        "changed": changed,
        "diff": {"before": _said(before, was), "after": _said(after, wanted)},
        "path": _RUN if LOGON in wanted else SETUP_COMPLETE,
    }


def _way(root: Root, way: str | None) -> str:
    generalized = is_generalized(root)
    if way == SETUP and not generalized:
        raise OsError(
            f"The Windows at {root.path} is not generalized: it runs no Setup when it starts, and so no "
            "SetupComplete.cmd. Use way=run_once."
        )
    return way or (SETUP if generalized else LOGON)


def _lines(number: int, command: str) -> list[str]:
    if _NO_LINE.search(command) or not command.strip():
        raise UsageError(f"Command {number} for the first boot is no single line. Put a script into the tree instead.")
    line = _in_batch(f'cmd.exe /d /s /c "{command}"')
    if len(line) > _LONGEST:
        raise UsageError(f"Command {number} for the first boot is longer than the {_LONGEST} characters of a line.")
    return [line, f"echo golden.fleet: command {number} ended with %errorlevel%"]


def _in_batch(line: str) -> str:
    """A line as a batch file must have it, so that it comes out of there unchanged: what is in the quotes of a command
    is outside of those around it.
    """
    parts = line.replace("%", "%%").split('"')
    parts[::2] = [_SPECIAL.sub(r"^\g<0>", part) for part in parts[::2]]
    return '"'.join(parts)


def steps_script(steps: Steps, ways: t.Collection[str]) -> str:
    """The script of these steps, which says by what it is started. Pure; so is its reading."""
    head = ["@echo off", f"{_STARTED}{' '.join(sorted(ways))}", "chcp 65001 >nul"]
    sections = [line for name in _ORDER if name in steps for line in (f"rem [{name}]", *steps[name])]
    return _NEWLINE.join([*head, *sections, ""])


def steps_of(script: str) -> Steps:
    """The steps of a script that was made so."""
    steps: Steps = {}
    for line in script.split(_NEWLINE)[:-1]:
        if line.startswith("rem [") and line[5:-1] in _ORDER:
            steps[line[5:-1]] = []
        elif steps:
            steps[list(steps)[-1]].append(line)
    return steps


def setup_complete(script: str, call: bool) -> str:
    """SetupComplete.cmd with our lines at its beginning, or without them. Pure.

    Other lines stay; where there are none, it removes itself. Nothing at all: there shall be no such file.
    """
    others = _BLOCK.sub("", script)
    if not call:
        return others
    ours = [_BEGIN, _CALL, *([] if others.strip() else [_REMOVE_ITSELF]), _END, ""]
    return _NEWLINE.join(ours) + others


def _found(root: Root) -> tuple[Steps, set[str]]:
    """What there is already: steps, and what starts them."""
    script = (root.read(_STEPS) or b"").decode("utf-8", "replace")
    ways = {SETUP} if _CALL in _setup_complete(root) else set()
    # The hive is large: it is read only where we have been before.
    if f"{_STARTED}{LOGON}" in script and read_value(root, "SOFTWARE", _RUN_ONCE, _NAME):
        ways.add(LOGON)
    return steps_of(script), ways


def _write(root: Root, steps: Steps, ways: set[str]) -> None:
    if not steps:
        root.remove(_STEPS)
        root.remove(_RUN)
        return
    root.folder(FOLDER)
    root.folder(_LOG_FOLDER)  # its files are as private as itself
    root.write(_STEPS, steps_script(steps, ways).encode("utf-8"))
    root.write(_RUN, _RUN_SCRIPT.encode("ascii"))


def _setup_complete(root: Root) -> str:
    # Whatever its encoding is: each byte stays what it is.
    return (root.read(SETUP_COMPLETE) or b"").decode("latin-1")


def _by_setup_complete(root: Root, wanted: bool) -> None:
    after = setup_complete(_setup_complete(root), wanted)
    if after:
        root.write(SETUP_COMPLETE, after.encode("latin-1"))
    else:
        root.remove(SETUP_COMPLETE)


def _by_run_once(root: Root, wanted: bool) -> None:
    command = value_of("expandstring", rf'cmd.exe /c "{_HERE}\run.cmd"')
    change(root, "SOFTWARE", [Edit(_RUN_ONCE, _NAME, command if wanted else None)], check=False)


_STARTS: t.Final[dict[str, t.Callable[[Root, bool], None]]] = {SETUP: _by_setup_complete, LOGON: _by_run_once}


def _said(steps: Steps, ways: set[str]) -> dict[str, t.Any]:
    return {"started_by": sorted(ways), **steps}
