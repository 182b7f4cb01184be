# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot environment of the role boot_env, built with its defaults; its packages are kept in the user's cache."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml

from .debian import BuildFailed, default_cache

_ROLE = Path(__file__).resolve().parents[2] / "roles" / "boot_env"
_PREFIX = "boot_env_"
_OF_THE_ROLE = {"root", "build_host", "cache", "upgrade", "manage_packages", "ca_file"}


@dataclass(frozen=True)
class BootEnv:
    """A folder with all that machines fetch."""

    folder: Path
    digest: str

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def cmdline(self) -> str:
        """Kernel parameters that belong to it."""
        return (self.folder / "cmdline").read_text("utf-8").strip()


def defaults() -> dict[str, t.Any]:
    """The variables of the role that the builder is told, without their prefix."""
    variables = yaml.safe_load((_ROLE / "defaults" / "main.yml").read_text("utf-8"))
    names = ((name[len(_PREFIX) :], value) for name, value in variables.items())
    return {name: value for name, value in names if name not in _OF_THE_ROLE}


def boot_env(
    root: Path,
    *,
    ca: str,
    authorized_keys: t.Sequence[str],
    cache: Path | None = None,
    say: t.Callable[[str], None] = lambda _text: None,
    **changed: t.Any,
) -> BootEnv:
    """Make one of these keys and this certificate the current one below a folder, as on an imaging server.

    The first time in a cache takes a few minutes, then a second.

    :param ca: the certificate, in PEM.
    :param changed: variables of the role, without their prefix.
    """
    settings = {**defaults(), "ca": ca, "authorized_keys": list(authorized_keys), **changed}
    cache = (cache or default_cache()) / "boot-env"
    command = [sys.executable, "-m", "builder", "build", "--cache", str(cache), "--root", str(root)]
    with subprocess.Popen(
        command,
        cwd=_ROLE / "files",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as build:
        assert build.stdin is not None
        assert build.stdout is not None
        assert build.stderr is not None
        with build.stdin:
            json.dump(settings, build.stdin)
        said = ""
        for line in build.stderr:
            said += line
            say(line.rstrip())
        answer = build.stdout.read()
    if build.returncode:
        raise BuildFailed(said.strip())
    found = json.loads(answer)
    return BootEnv(Path(found["path"]), found["digest"])
