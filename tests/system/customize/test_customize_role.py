# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role customize, on disks with systems, and what it tells of its work."""

from __future__ import annotations

import json
import os
import re
import sys
import typing as t
from pathlib import Path

import pytest

from tests.support.deployed import Apart, opened, play, small_linux
from tests.support.disks import MIB, Piece, call, make_gpt
from tests.support.windows import fill

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="disks are mounted")

CANARY = "canary-3f81-Aa"
TEACHER = {"name": "teacher", "password": f"{CANARY}-teacher", "admin": True}
NOTE = {"dest": "/etc/note", "content": f"{CANARY}-note"}


def windows_disk(folder: Path, generalized: bool) -> Path:
    disk = make_gpt(folder / "disk.img", MIB + 48 * MIB + 2 * MIB, [Piece("ntfs", MIB, 48 * MIB)])
    with opened(disk, "ntfs-3g") as mount:
        fill(mount, generalized)
    return disk


class Told(t.NamedTuple):
    """How a play has ended, what it has shown, and what the role tells of its work."""

    code: int
    said: str
    result: dict[str, t.Any]

    @property
    def steps(self) -> dict[str, bool]:
        return {each["step"]: each["changed"] for each in self.result["steps"]}


def customize(folder: Path, disk: Path, *, times: int = 1, **variables: t.Any) -> Told:
    """After the role, nothing may be mounted."""
    role = {"ansible.builtin.include_role": {"name": "golden.fleet.customize"}, "vars": {"customize_disk": str(disk)}}
    look = {"ansible.builtin.command": f"losetup --list --noheadings --associated {disk}", "register": "loops"}
    nothing = {"that": "loops.stdout == ''", "fail_msg": "something is left of the mount"}
    keep = {"dest": str(folder / "result.json"), "content": "{{ customize_result | to_json }}", "mode": "0600"}
    after = [{"ansible.builtin.copy": keep}, look, {"ansible.builtin.assert": nothing}]
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    tasks = [{"block": [role] * times, "always": after}]
    done = play(folder, Apart(), {**here, **variables}, tasks, "-vvv", "--diff")
    said = done.stdout + done.stderr
    assert done.returncode in {0, 2}, said
    assert "something is left" not in said
    assert CANARY not in said
    kept = (folder / "result.json").read_text()
    assert CANARY not in kept
    return Told(done.returncode, said, json.loads(kept))


def test_what_was_done_to_a_linux_is_told(tmp_path: Path) -> None:
    disk = small_linux(tmp_path)
    wanted: dict[str, t.Any] = {"golden_users": [TEACHER], "golden_files": [NOTE], "golden_first_boot": ["true"]}
    wanted["golden_drivers"] = {"Nobody Inc./Nothing": "drivers"}
    told = customize(tmp_path, disk, **wanted)
    assert told.code == 0, told.result
    assert (told.result["outcome"], told.result["failed"]) == ("ok", None)
    steps = ["mount", "identity", "hostname", "users", "drivers", "files", "first_boot", "unmount"]
    assert list(told.steps) == steps
    assert [step for step, changed in told.steps.items() if not changed] == ["identity", "drivers"]
    about_card, about_drivers = told.result["notes"]
    assert "netplan" in about_card
    assert about_drivers.startswith("There are no drivers for ")
    with opened(disk) as root:
        assert (root / "etc/note").read_text() == NOTE["content"]
    again = customize(tmp_path, disk, **wanted)
    assert [step for step, changed in again.steps.items() if changed] == ["mount", "unmount"]


def test_a_linux_installs_its_drivers_with_its_own_programs(tmp_path: Path) -> None:
    disk = small_linux(tmp_path)
    with opened(disk) as root:
        for name in ("true", "sh"):
            with_its_libraries(Path("/bin", name), root)
        for folder in ("dev", "proc", "run", "sys", "tmp", "usr/sbin"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "usr/sbin/update-initramfs").write_text("#!/bin/sh\n: >/made-anew\n")
        (root / "usr/sbin/update-initramfs").chmod(0o755)
    (tmp_path / "drivers/firmware").mkdir(parents=True)
    (tmp_path / "drivers/firmware/card.bin").write_bytes(b"firmware")
    told = customize(tmp_path, disk, golden_drivers={"*/*": str(tmp_path / "drivers")})
    assert told.code == 0, told.result
    assert told.steps["drivers"]
    with opened(disk) as root:
        assert (root / "lib/firmware/card.bin").read_bytes() == b"firmware"
        assert (root / "made-anew").exists()


def with_its_libraries(program: Path, root: Path) -> None:
    for path in [str(program), *re.findall(r"/\S+", call("ldd", program))]:
        call("install", "-D", path, f"{root}{path}")


PUPIL = {"name": "pupil", "password": f"{CANARY}-pupil", "groups": ["nobody-made-it"]}


def test_a_failure_in_the_middle_is_told_with_all_that_was_done_before(tmp_path: Path) -> None:
    disk = small_linux(tmp_path)
    told = customize(tmp_path, disk, golden_users=[TEACHER, PUPIL], golden_files=[NOTE])
    assert told.code == 2
    assert told.result["outcome"] == "failed"
    assert told.steps == {"mount": True, "identity": False, "hostname": True, "unmount": True}
    assert told.result["failed"]["step"] == "users"
    assert told.result["failed"]["message"].startswith("pupil: ")
    assert "nobody-made-it" in told.result["failed"]["message"]
    assert f"users: {told.result['failed']['message']}" in told.said.replace('\\"', '"')
    assert len(told.result["notes"]) == 1
    with opened(disk) as root:
        assert (root / "etc/hostname").read_text() == "pc-07\n"
        assert not (root / "etc/note").exists()


def test_nothing_of_an_earlier_time_is_told(tmp_path: Path) -> None:
    """The second time fails earlier than the first: a play may image a machine twice."""
    disk = small_linux(tmp_path)
    role = "{{ 'fine' if customize_result is undefined else 'not_a_name' }}"
    told = customize(tmp_path, disk, times=2, golden_users=[TEACHER], golden_hostname=role)
    assert told.code == 2
    assert told.steps == {"mount": True, "identity": False, "unmount": True}
    assert told.result["failed"]["step"] == "hostname"


def test_a_disk_without_a_system(tmp_path: Path) -> None:
    disk = make_gpt(tmp_path / "disk.img", 40 * MIB, [Piece("ext4", MIB, 36 * MIB)])
    told = customize(tmp_path, disk)
    assert (told.code, told.steps) == (2, {})
    assert told.result["failed"]["step"] == "mount"
    assert str(disk) in told.result["failed"]["message"]


BAD: list[tuple[str, dict[str, t.Any]]] = [
    ("users", {"golden_users": [{"name": "t", "password": f"{CANARY}-2", "password_hash": f"{CANARY}-3"}]}),
    ("users", {"golden_users": [{"name": "t", "password": f"{CANARY}-\n"}]}),
    ("files", {"golden_files": [{"dest": "/etc/x", "content": f"{CANARY}-6", "owner": "nobody-made-him"}]}),
    ("first_boot", {"golden_first_boot": [f"echo {CANARY}\0"]}),
]


@pytest.mark.parametrize(("step", "variables"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_a_message_of_a_failure_holds_no_secret(tmp_path: Path, step: str, variables: dict[str, t.Any]) -> None:
    told = customize(tmp_path, small_linux(tmp_path), **variables)
    assert told.code == 2
    assert told.result["failed"]["step"] == step, told.result


def test_a_windows_with_an_answer_file_and_one_without(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    wanted = {"golden_users": [TEACHER], "golden_first_boot": ["echo hello"], "golden_keyboard": "de"}
    wanted["golden_windows"] = {"owner": "Lab A"}
    new = customize(tmp_path / "new", windows_disk(tmp_path / "new", True), **wanted)
    assert new.steps == dict.fromkeys(["mount", "identity", "answer_file", "first_boot", "unmount"], True), new.result
    old = customize(tmp_path, windows_disk(tmp_path, False), **wanted)
    assert old.steps == dict.fromkeys(["mount", "identity", "hostname", "first_boot", "unmount"], True), old.result
    assert new.result["notes"] == []
    begin = [
        "It is not generalized: i",
        "It is a member of a doma",
        "golden_keyboard was left",
        "golden_windows was left ",
    ]
    assert [note[:24] for note in old.result["notes"]] == begin


def test_a_windows_that_could_not_join_gets_no_account(tmp_path: Path) -> None:
    """Preparing the account would reset it for nothing."""
    role = {"ansible.builtin.include_role": {"name": "golden.fleet.customize", "tasks_from": "account"}}
    domain = {"name": "lab.example", "run_from": "controller"}
    variables = {"golden_domain": domain, "customize_family": "windows", "customize_generalized": False}
    done = play(tmp_path, None, variables, [role])
    assert done.returncode == 2
    assert "let its copies join with method online in golden_domain" in " ".join(done.stdout.split())
    assert "does not let" not in done.stdout


def test_an_answer_file_that_windows_would_not_take(tmp_path: Path) -> None:
    bad = {"name": "teacher", "password": f"{CANARY}\n"}
    told = customize(tmp_path, windows_disk(tmp_path, True), golden_users=[bad])
    assert (told.code, told.result["failed"]["step"]) == (2, "answer_file")
    assert told.steps == {"mount": True, "identity": True, "unmount": True}


WRONG: list[tuple[dict[str, t.Any], str]] = [
    ({"name": "lab.example", "method": "onlin"}, "value of method must be one of: offline, online, none, got: onlin"),
    ({"name": "lab.example", "when": "later"}, "value of when must be one of: first_boot, now, got: later"),
    ({"name": "lab.example", "oi": "OU=Lab A"}, "golden_domain.oi. Supported parameters include"),
    ({"ou": "OU=Lab A"}, "missing required arguments: name"),
    ({"name": "lab.example", "method": "online"}, "pc-07 is to join lab.example online. Set golden_domain_username"),
]


@pytest.mark.parametrize(("domain", "message"), WRONG)
def test_what_is_wrong_in_an_inventory_is_told_first(tmp_path: Path, domain: dict[str, t.Any], message: str) -> None:
    look = {"ansible.builtin.include_role": {"name": "golden.fleet.customize", "tasks_from": "preflight"}}
    done = play(tmp_path, None, {"golden_domain": domain}, [look])
    assert done.returncode == 2
    assert message in " ".join((done.stdout + done.stderr).split())


def test_credentials_of_the_environment_are_enough(tmp_path: Path) -> None:
    look = {"ansible.builtin.include_role": {"name": "golden.fleet.customize", "tasks_from": "preflight"}}
    login = {"GOLDEN_DOMAIN_USERNAME": "joiner", "GOLDEN_DOMAIN_PASSWORD": CANARY}
    done = play(tmp_path, None, {"golden_domain": {"name": "lab.example", "method": "online"}}, [look], "-vvv", **login)
    assert done.returncode == 0, done.stdout
    assert CANARY not in done.stdout + done.stderr


def machine(**more: t.Any) -> dict[str, t.Any]:
    """What an inventory says of one that golden.fleet.deploy could be told to image."""
    return {
        "golden_mac": "52:54:00:12:34:56",
        "golden_power": {"provider": "manual"},
        "golden_server": "pc-07",
        "golden_image": "lab-a:stable",
        "golden_store": "/srv/store",
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        **more,
    }


DEPLOY = {"name": "golden.fleet.deploy"}


def test_a_deploy_looks_at_it_before_the_machine_is_restarted(tmp_path: Path) -> None:
    """In check mode it goes as far as that, and leaves the machine alone."""
    role = {"ansible.builtin.include_role": DEPLOY}
    done = play(tmp_path, None, machine(), [role], "--check")
    assert done.returncode == 0, done.stdout
    assert "pc-07 is left alone in check mode" in done.stdout
    wrong = play(tmp_path, None, machine(golden_domain={"name": "lab.example", "method": "onlin"}), [role], "--check")
    assert wrong.returncode == 2
    assert "value of method must be one of: offline, online, none" in wrong.stdout
    assert "left alone" not in wrong.stdout


def test_a_record_of_a_deploy_has_a_place_for_it(tmp_path: Path) -> None:
    """Of a machine that is not restarted, because this is no imaging server."""
    role = {"ansible.builtin.include_role": DEPLOY}
    done = play(tmp_path, None, machine(netboot_records=str(tmp_path / "records")), [role])
    assert done.returncode == 2
    (record,) = (tmp_path / "records/pc-07").iterdir()
    told = json.loads(record.read_text())
    assert (told["outcome"], told["customized"], told["verify"]) == ("failed", None, None)


def test_a_connection_that_is_lost_online_is_no_success(tmp_path: Path) -> None:
    """Where a deploy is when the machine is back from its disk; hosts that cannot be reached stay in the play there."""
    kept = tmp_path / "kept.json"
    keep = {"dest": str(kept), "content": "{{ customize_result | to_json }}", "mode": "0600"}
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    tasks = [
        {
            "block": [{"ansible.builtin.include_role": {**DEPLOY, "tasks_from": "after"}}],
            "always": [{"ansible.builtin.copy": keep, "delegate_to": "localhost", "vars": here}],
        }
    ]
    host = {
        "ansible_host": "127.0.0.1",
        "ansible_port": 9,
        "golden_domain": {"name": "lab.example", "method": "online"},
        "golden_domain_username": "joiner",
        "golden_domain_password": CANARY,
        "__deploy_system": {"skipped": True, "changed": False},
        "__deploy_disk": {"family": "linux"},
    }
    done = play(tmp_path, None, host, tasks, "-vv")
    assert done.returncode == 2, done.stdout
    told = json.loads(kept.read_text())
    assert told["outcome"] == "failed"
    assert "Connection refused" in told["failed"]["message"]
    assert CANARY not in done.stdout + kept.read_text()
