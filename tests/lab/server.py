# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's imaging server is made of: a Debian with systemd. The collection's own playbook does the rest."""

from __future__ import annotations

import tempfile
import typing as t
from pathlib import Path

import yaml

from ..support.boot_env import boot_env
from ..support.container import debian_tree
from ..support.debian import default_cache

_ROLES = Path(__file__).parents[2] / "roles"
_BUILD_CACHE = "/var/cache/golden.fleet/boot-env"


def server_tree(say: t.Callable[[str], None]) -> Path:
    """A Debian that has what the roles install, which would take half a minute each time."""
    packages = (*_packages("imaging_server"), *_packages("imaging_server", "domain_packages"), *_packages("boot_env"))
    return debian_tree(installed=packages, say=say)


def fill_cache(say: t.Callable[[str], None]) -> None:
    """Get the packages of the boot environment. A lab is without any way to a mirror."""
    with tempfile.TemporaryDirectory() as unused:
        boot_env(Path(unused), ca="", authorized_keys=[], say=lambda text: say(f"boot environment: {text}"))


def binds() -> dict[str, Path]:
    """Where the server looks for what is cached."""
    return {_BUILD_CACHE: default_cache() / "boot-env"}


def _packages(role: str, name: str = "packages") -> list[str]:
    variables = yaml.safe_load((_ROLES / role / "vars" / "main.yml").read_text("utf-8"))
    return t.cast("list[str]", variables[f"__{role}_{name}"])
