# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's imaging server is made of: a Debian with systemd. The collection's own playbook does the rest."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from ..support.container import debian_tree
from ..support.debian import default_cache

_ROLES = Path(__file__).parents[2] / "roles"
_BUILD_CACHE = "/var/cache/golden.fleet/boot-env"


def server_tree(say: t.Callable[[str], None]) -> Path:
    """A Debian in which the roles find the packages that they install."""
    return debian_tree(_packages("imaging_server") + _packages("boot_env"), say=say)


def binds() -> dict[str, Path]:
    """The boot environment's packages are kept from one lab to the next."""
    cache = default_cache() / "boot-env"
    cache.mkdir(parents=True, exist_ok=True)
    return {_BUILD_CACHE: cache}


def _packages(role: str) -> list[str]:
    variables = yaml.safe_load((_ROLES / role / "vars" / "main.yml").read_text("utf-8"))
    return t.cast("list[str]", variables[f"__{role}_packages"])
