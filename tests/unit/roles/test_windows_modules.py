# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our roles say to modules for Windows, held against the documentation of these modules.

There is no Windows here, so a name that is wrong would be found out on somebody's machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.fleet.tests.support.playbook import ansible_environment

TREE = Path(__file__).resolve().parents[3]
COLLECTIONS = ("ansible.windows.", "microsoft.ad.")
# What the roles look at in results.
LOOKED_AT = {
    "ansible.windows.win_region": {"restart_required"},
    "ansible.windows.win_service_info": {"services"},
    "ansible.windows.win_powershell": {"output"},
}

Task = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


def tasks_in(content: t.Any) -> t.Iterator[Task]:
    """All tasks of a file, in blocks, too."""
    for each in content or ():
        for part in ("block", "rescue", "always"):
            yield from tasks_in(each.get(part))
        yield each


def problems(documentation: dict[str, t.Any], options: t.Any) -> list[str]:
    """Of what a task says to a module."""
    known = documentation["options"]
    if not isinstance(options, dict):
        free = options is None or "_raw_params" in known or "free_form" in known
        options, known = {}, known if not free else {}
    names = {alias: name for name, option in known.items() for alias in (name, *option.get("aliases", ()))}
    found = [f"there is no option {name}" for name in options if name not in names]
    given = {names[name]: value for name, value in options.items() if name in names}
    found += [f"{name} is missing" for name, option in known.items() if option.get("required") and name not in given]
    for name, value in given.items():
        choices = known[name].get("choices")
        if choices and not (isinstance(value, str) and "{{" in value) and value not in choices:
            found.append(f"{name} cannot be {value}")
    return found


CALLS = [
    (f"{path.relative_to(TREE / 'roles')}: {task['name']}", module, options)
    for path in sorted(TREE.glob("roles/*/tasks/*.yml"))
    for task in tasks_in(yaml.safe_load(path.read_text("utf-8")))
    for module, options in task.items()
    if module.startswith(COLLECTIONS)
]


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    modules = sorted({module for _where, module, _options in CALLS})
    command = [str(Path(sys.executable).with_name("ansible-doc")), "--json", "--type", "module", *modules]
    env = ansible_environment(tmp_path_factory.mktemp("doc"))
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    found: dict[str, t.Any] = json.loads(said)
    assert set(found) == set(modules)
    return found


def test_there_is_something_to_look_at() -> None:
    assert {module for _where, module, _options in CALLS} >= {
        "ansible.windows.win_user",
        "ansible.windows.win_timezone",
        "ansible.windows.win_region",
        "microsoft.ad.membership",
    }


@pytest.mark.parametrize(("module", "options"), [call[1:] for call in CALLS], ids=[call[0] for call in CALLS])
def test_options_are_those_of_the_module(documentation: dict[str, t.Any], module: str, options: t.Any) -> None:
    assert problems(documentation[module]["doc"], options) == []


@pytest.mark.parametrize("module", LOOKED_AT)
def test_results_are_those_of_the_module(documentation: dict[str, t.Any], module: str) -> None:
    assert set(documentation[module]["return"]) >= LOOKED_AT[module]


def test_what_is_wrong_is_seen(documentation: dict[str, t.Any]) -> None:
    user = documentation["ansible.windows.win_user"]["doc"]
    wrong = {"full_name": "T", "groups_action": "put", "state": "{{ state }}"}
    assert problems(user, wrong) == [
        "there is no option full_name",
        "name is missing",
        "groups_action cannot be put",
    ]
    assert problems(user, "teacher") == ["name is missing"]
    assert problems(documentation["ansible.windows.win_command"]["doc"], "net.exe user") == []
    assert problems(documentation["ansible.windows.win_reboot"]["doc"], None) == []
