# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is needed is written down where each reader looks for it; these places must agree."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.fleet.plugins.module_utils._run import PACKAGES

TREE = Path(__file__).resolve().parents[2]
ROLE = TREE / "roles" / "tools"
ROLES = sorted(path.parent.parent.name for path in TREE.glob("roles/*/meta/argument_specs.yml"))


def load(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def requirements(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-r"))}


def machine_packages() -> set[str]:
    text = (TREE / "bindep.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^(\S+) \[machine platform:dpkg\]$", text, re.MULTILINE))


def test_role_installs_the_libraries_of_the_controller() -> None:
    defaults = load(ROLE / "defaults" / "main.yml")
    assert set(defaults["tools_libraries"]) <= requirements(TREE / "requirements.txt")


def test_role_installs_the_packages_that_bindep_names() -> None:
    assert set(load(ROLE / "vars" / "main.yml")["__tools_packages"]["Debian"]) == machine_packages()


@pytest.mark.parametrize("role", ROLES)
def test_specification_of_a_role_tells_its_defaults(role: str) -> None:
    options = load(TREE / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    told = {name: option["default"] for name, option in options.items() if "default" in option}
    told = {name: default for name, default in told.items() if name.startswith(role)}  # not of the inventory's words
    assert told == load(TREE / "roles" / role / "defaults" / "main.yml")


@pytest.mark.parametrize("role", ROLES)
def test_readme_of_a_role_lists_its_variables(role: str) -> None:
    options = load(TREE / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    readme = (TREE / "roles" / role / "README.md").read_text(encoding="utf-8")
    first_cells = re.findall(r"^\| (`[^|]+) \|", readme, re.MULTILINE)
    assert set(re.findall(rf"`((?:{role}|golden)_\w+)`", " ".join(first_cells))) == set(options)


def test_boot_environment_has_what_a_machine_needs() -> None:
    inside = load(TREE / "roles" / "boot_env" / "defaults" / "main.yml")
    assert machine_packages() - {"python3-venv"} <= set(inside["boot_env_packages"])
    libraries = {name.partition("==")[0] for name in inside["boot_env_libraries"]}
    assert {"blake3", "netaddr", "tzlocal"} == libraries


def test_action_group_of_the_store_has_every_image_module() -> None:
    modules = {path.stem for path in (TREE / "plugins" / "modules").glob("image_*.py")}
    assert set(load(TREE / "meta" / "runtime.yml")["action_groups"]["store"]) == modules


def test_programs_that_an_error_names_come_with_the_role() -> None:
    assert set(PACKAGES.values()) <= machine_packages()
