# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs other programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

EPOCH = 1735689600
"""Seconds since 1970: the age of everything that is built, so that the same inputs give the same bytes."""

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "SOURCE_DATE_EPOCH": str(EPOCH)}
_LAST_WORDS = 3000


class BuildFailed(Exception):
    """It cannot be built; the message says why, and what to do."""


def call(*argv: str | Path, stdin: str | None = None, log: bool = False) -> str:
    """Run a program.

    :param log: what it says on standard error is wanted, too.
    :returns: what it printed.
    :raises BuildFailed: it is not there, or failed.
    """
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**os.environ, **_ENVIRONMENT},
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildFailed(f"The program {argv[0]} is missing on this build host. Install it.") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-_LAST_WORDS:]
        raise BuildFailed(f"{argv[0]} failed with exit code {done.returncode}:\n{said}")
    return done.stdout + (done.stderr if log else "")
