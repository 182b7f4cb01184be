# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role customize sends to a running Windows, over WinRM with NTLM: modules, options, order.

What they do there, only a Windows can tell; that the options exist is in tests/unit/roles/test_windows_modules.py.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.support.deployed import play
from tests.support.wsman import WindowsPeer

PASSWORD = "canary-6b17-winrm"
JOINER = "canary-6b17-joiner"
TEACHER = {"name": "teacher", "password": "canary-6b17-teacher", "admin": True, "full_name": "T. Eacher"}
PUPIL = {"name": "pupil", "password": "canary-6b17-pupil", "admin": "no", "groups": ["Remote Desktop Users"]}
GONE = {"name": "setup", "state": "absent"}
PLACE = {"golden_users": [TEACHER, PUPIL, GONE], "golden_timezone": "Europe/Berlin", "golden_locale": "de_DE.UTF-8"}
ONLINE = {"name": "lab.example", "ou": "OU=Lab A,DC=lab,DC=example", "method": "online"}
ADMINISTRATORS, USERS = "S-1-5-32-544", "S-1-5-32-545"

Call = t.Tuple[str, t.Dict[str, t.Any]]  # noqa: UP006  # evaluated at run time


class Windows:
    """Answers as modules do that have changed something; those that are to fail, fail."""

    def __init__(self, fails: str = "") -> None:
        self.calls: list[Call] = []
        self._fails = fails

    def returns(self, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
        self.calls.append((name, options))
        if name == self._fails:
            return {"failed": True, "msg": f"{name} says why", "changed": False}
        return {"changed": True, "restart_required": False, "reboot_required": False}


class Told(t.NamedTuple):
    code: int
    result: dict[str, t.Any]
    commands: list[str]


def customize(folder: Path, windows: Windows, **variables: t.Any) -> Told:
    kept = folder / "result.json"
    keep = {"dest": str(kept), "content": "{{ customize_result | default({}) | to_json }}", "mode": "0600"}
    keep_it = {"ansible.builtin.copy": keep, "delegate_to": "localhost", "vars": {"ansible_connection": "local"}}
    role = {"ansible.builtin.include_role": {"name": "golden.fleet.customize", "tasks_from": "online"}}
    with WindowsPeer(folder, lambda _line: (0, ""), PASSWORD, returns=windows.returns) as peer:
        host = {**peer.connection_vars(), "customize_family": "windows"}
        login = {"GOLDEN_DOMAIN_USERNAME": "joiner", "GOLDEN_DOMAIN_PASSWORD": JOINER}
        tasks = [{"block": [role], "always": [keep_it]}]
        done = play(folder, None, {**host, **variables}, tasks, "-vvvv", "--diff", **login)
    said = done.stdout + done.stderr
    assert done.returncode in {0, 2}, said
    assert "canary-6b17" not in said + kept.read_text() + str(peer.commands)
    return Told(done.returncode, json.loads(kept.read_text()), peer.commands)


def test_a_windows_that_was_not_generalized(tmp_path: Path) -> None:
    windows = Windows()
    told = customize(tmp_path, windows, **PLACE, golden_domain=ONLINE)
    teacher = {"name": "teacher", "password": TEACHER["password"], "fullname": "T. Eacher", "groups": [ADMINISTRATORS]}
    pupil = {"name": "pupil", "password": PUPIL["password"], "groups": ["Remote Desktop Users"]}
    made = {"update_password": "on_create", "groups_action": "add"}
    assert windows.calls == [
        ("ansible.windows.win_user", {**teacher, **made}),
        ("ansible.windows.win_user", {**pupil, **made}),
        ("ansible.windows.win_user", {"name": "setup", "state": "absent", "groups": [USERS], **made}),
        ("ansible.windows.win_user", {"name": "pupil", "groups": [ADMINISTRATORS], "groups_action": "remove"}),
        ("ansible.windows.win_timezone", {"timezone": "W. Europe Standard Time"}),
        ("ansible.windows.win_region", {"format": "de-DE", "unicode_language": "de-DE", "copy_settings": True}),
        (
            "microsoft.ad.membership",
            {
                "state": "domain",
                "dns_domain_name": "lab.example",
                "domain_admin_user": "joiner@lab.example",
                "domain_admin_password": JOINER,
                "domain_ou_path": "OU=Lab A,DC=lab,DC=example",
                "reboot": True,
            },
        ),
    ]
    steps = ["online_users", "online_admins", "online_timezone", "online_region", "online_domain"]
    assert (told.code, told.result["outcome"]) == (0, "ok")
    assert told.result["steps"] == [{"step": step, "changed": True} for step in steps]


def test_a_windows_that_an_answer_file_has_set_up(tmp_path: Path) -> None:
    windows = Windows()
    assert customize(tmp_path, windows, **PLACE, customize_generalized=True).result == {}
    assert windows.calls == []
    told = customize(tmp_path, windows, **PLACE, customize_generalized=True, golden_domain=ONLINE)
    assert [name for name, _options in windows.calls] == ["microsoft.ad.membership"]
    assert [each["step"] for each in told.result["steps"]] == ["online_domain"]


@pytest.mark.parametrize("name", ["LAB\\joiner", "joiner@other.example"])
def test_who_joins_is_taken_as_he_is_called(tmp_path: Path, name: str) -> None:
    windows = Windows()
    customize(tmp_path, windows, golden_domain={**ONLINE, "server": "dc1.lab.example"}, golden_domain_username=name)
    ((_name, options),) = windows.calls
    assert (options["domain_admin_user"], options["domain_server"]) == (name, "dc1.lab.example")


def test_a_domain_that_refuses(tmp_path: Path) -> None:
    told = customize(tmp_path, Windows("microsoft.ad.membership"), **PLACE, golden_domain=ONLINE)
    assert (told.code, told.result["outcome"]) == (2, "failed")
    assert told.result["failed"]["step"] == "online_domain"
    assert "microsoft.ad.membership says why" in told.result["failed"]["message"]
    assert len(told.result["steps"]) == 4


def test_a_time_zone_that_windows_has_not(tmp_path: Path) -> None:
    told = customize(tmp_path, Windows(), golden_timezone="Europe/Atlantis")
    assert (told.code, told.result["failed"]["step"]) == (2, "online_timezone")
    assert "'Europe/Atlantis' is no time zone that Windows has" in told.result["failed"]["message"]
