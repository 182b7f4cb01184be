# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    NetbootDamaged,
    NetbootError,
    NetbootRefused,
    UsageError,
)
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import (
    BOOT_ENV,
    EXPIRED,
    IPXE_LOCAL,
    LOCAL,
    USED,
    WAITING,
    BootEnv,
    Entry,
    new_entry,
)
from ansible_collections.golden.fleet.plugins.module_utils._netboot.folder import KEPT, NetbootFolder
from ansible_collections.golden.fleet.plugins.module_utils._netboot.report import Report, decode

from .test_report import encoded

MAC = "52:54:00:aa:bb:cc"
OTHER = "52:54:00:aa:bb:dd"
NOW = 1_790_000_000
ENV = BootEnv("d" * 64, "http://10.77.0.1", "https://10.77.0.1/checkin", "console=ttyS0")


def entry(mac: str = MAC, host: str = "pc-1", action: str = BOOT_ENV, lifetime: int = 600) -> Entry:
    return new_entry(mac, host, action, NOW, lifetime, {"http": 5})


def report(mac: str = MAC, key: str = "A") -> Report:
    return decode(encoded(macs=[mac], ssh_host_key=f"ssh-ed25519 {key * 60}"))


@pytest.fixture
def folder(tmp_path: Path) -> NetbootFolder:
    for name in ("entries", "ipxe", "grub", "checkins"):
        (tmp_path / name).mkdir()
    return NetbootFolder(tmp_path)


def files(path: Path) -> list[str]:
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


def test_an_entry_is_files_that_boot_loaders_ask_for(folder: NetbootFolder, tmp_path: Path) -> None:
    made = entry()
    folder.put(made, ENV)
    assert files(tmp_path) == [
        "entries/52-54-00-aa-bb-cc.json",
        "grub/52:54:00:aa:bb:cc.cfg",
        "ipxe/52-54-00-aa-bb-cc.ipxe",
    ]
    script = (tmp_path / "ipxe/52-54-00-aa-bb-cc.ipxe").read_text()
    assert f"kernel http://10.77.0.1/boot-env/{'d' * 64}/vmlinuz" in script
    assert f"golden.token={made.token} " in script
    assert "BOOTIF=01-52-54-00-aa-bb-cc" in script
    assert f"golden.token={made.token} " in (tmp_path / "grub/52:54:00:aa:bb:cc.cfg").read_text()
    assert stat.S_IMODE((tmp_path / "entries/52-54-00-aa-bb-cc.json").stat().st_mode) == 0o600
    assert folder.entry(MAC) == made
    assert made.token not in json.dumps(made.shown())


def test_an_entry_for_the_disk_has_no_token(folder: NetbootFolder, tmp_path: Path) -> None:
    made = entry(action=LOCAL)
    folder.put(made, None)
    assert made.token == ""
    assert (tmp_path / "ipxe/52-54-00-aa-bb-cc.ipxe").read_text() == IPXE_LOCAL
    with pytest.raises(NetbootRefused):
        folder.consume("", report(), "10.77.0.50", NOW)


def test_tokens_are_never_the_same() -> None:
    assert len({entry().token for _each in range(100)}) == 100


def test_a_check_in_consumes_the_entry(folder: NetbootFolder, tmp_path: Path) -> None:
    made = entry()
    folder.put(made, ENV)
    assert folder.checkin(made.id) is None
    used = folder.consume(made.token, report(), "10.77.0.50", NOW + 5)
    assert used == replace(made, state=USED)
    assert files(tmp_path) == [f"checkins/{made.id}.json", "entries/52-54-00-aa-bb-cc.json"]
    checkin = folder.checkin(made.id)
    assert checkin
    assert (checkin.address, checkin.at, checkin.report) == ("10.77.0.50", NOW + 5, report())
    assert folder.refusals() == []


def test_the_same_machine_may_repeat_itself(folder: NetbootFolder) -> None:
    made = entry()
    folder.put(made, ENV)
    first = folder.consume(made.token, report(), "10.77.0.50", NOW + 5)
    assert folder.consume(made.token, report(), "10.77.0.50", NOW + 900) == first


def test_a_second_machine_with_the_same_address_is_refused_and_logged(folder: NetbootFolder) -> None:
    made = entry()
    folder.put(made, ENV)
    folder.consume(made.token, report(), "10.77.0.50", NOW + 5)
    with pytest.raises(NetbootRefused, match="used already"):
        folder.consume(made.token, report(key="B"), "10.77.0.51", NOW + 6)
    (refusal,) = folder.refusals()
    assert (refusal["address"], refusal["at"], refusal["mac"]) == ("10.77.0.51", NOW + 6, MAC)
    assert made.token not in json.dumps(refusal)
    checkin = folder.checkin(made.id)
    assert checkin
    assert checkin.address == "10.77.0.50"


@pytest.mark.parametrize(
    ("token", "mac", "later", "why"),
    [
        ("x" * 43, MAC, 5, "no entry"),
        ("", MAC, 5, "no entry"),
        ("\udcff", MAC, 5, "no entry"),
        (None, OTHER, 5, "without this address"),
        (None, MAC, 600, "expired"),
    ],
)
def test_what_is_refused(folder: NetbootFolder, token: str | None, mac: str, later: int, why: str) -> None:
    made = entry()
    folder.put(made, ENV)
    with pytest.raises(NetbootRefused, match=why):
        folder.consume(made.token if token is None else token, report(mac), "10.77.0.50", NOW + later)
    assert folder.entry(MAC) == made
    assert len(folder.refusals()) == 1


def test_only_the_newest_refusals_are_kept(folder: NetbootFolder) -> None:
    for number in range(120):
        with pytest.raises(NetbootRefused):
            folder.consume("wrong", report(), "10.77.0.50", NOW + number)
    assert [each["at"] - NOW for each in folder.refusals()] == list(range(20, 120))


def test_a_new_entry_withdraws_the_token_of_the_one_before(folder: NetbootFolder) -> None:
    old, new = entry(), entry()
    folder.put(old, ENV)
    folder.put(new, ENV)
    with pytest.raises(NetbootRefused):
        folder.consume(old.token, report(), "10.77.0.50", NOW)
    assert folder.consume(new.token, report(), "10.77.0.50", NOW).id == new.id


def test_two_hosts_cannot_wait_under_one_address(folder: NetbootFolder) -> None:
    folder.put(entry(), ENV)
    with pytest.raises(NetbootError, match=r"pc-1.*pc-2"):
        folder.put(entry(host="pc-2"), ENV)
    folder.put(replace(entry(host="pc-2"), created=NOW + 600), ENV)  # the other's is over


def test_removing(folder: NetbootFolder, tmp_path: Path) -> None:
    made = entry()
    folder.put(made, ENV)
    folder.put(entry(OTHER, "pc-2"), ENV)
    assert folder.remove(MAC, "another") is False
    assert folder.remove(MAC, made.id) is True
    assert folder.remove(MAC) is False
    assert files(tmp_path) == [
        "entries/52-54-00-aa-bb-dd.json",
        "grub/52:54:00:aa:bb:dd.cfg",
        "ipxe/52-54-00-aa-bb-dd.ipxe",
    ]


def test_expiry(folder: NetbootFolder, tmp_path: Path) -> None:
    made, used = entry(), entry(OTHER, "pc-2")
    folder.put(made, ENV)
    folder.put(used, ENV)
    folder.consume(used.token, report(OTHER), "10.77.0.51", NOW + 1)
    assert folder.expire(NOW + 599) == []
    assert [each.mac for each in folder.expire(NOW + 600)] == [MAC]
    assert folder.expire(NOW + 600) == []
    assert [each.state for each in folder.entries()] == [EXPIRED, USED]
    assert not (tmp_path / "ipxe/52-54-00-aa-bb-cc.ipxe").exists()
    assert folder.checkin(used.id)
    folder.expire(NOW + 600 + KEPT)
    assert files(tmp_path) == []


@pytest.mark.parametrize("host", ["pc-07\n", "x" * 5000, "\x1b[31m", "a\u2028b", "\u202eb", "\udc80"])
def test_a_host_name_that_could_not_be_read_again_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="host is "):
        entry(host=host)


def test_an_id_is_given_or_random() -> None:
    assert new_entry(MAC, "pc-1", BOOT_ENV, NOW, 600, {}, "0123456789abcdef").id == "0123456789abcdef"
    with pytest.raises(UsageError, match="16 hexadecimal digits"):
        new_entry(MAC, "pc-1", BOOT_ENV, NOW, 600, {}, "../../../etc/passwd")


def test_a_boot_whose_id_was_there_before_has_not_checked_in(folder: NetbootFolder) -> None:
    made = entry()
    folder.put(made, ENV)
    folder.consume(made.token, report(), "10.77.0.50", NOW + 5)
    folder.put(made, ENV)
    assert folder.checkin(made.id) is None


DAMAGE = ["", "{", "[]", "{}", '{"id": 1}', "[" * 100_000]


@pytest.fixture(params=DAMAGE)
def damaged(folder: NetbootFolder, tmp_path: Path, request: pytest.FixtureRequest) -> NetbootFolder:
    """One whose entry of MAC is damaged."""
    folder.put(entry(), ENV)
    (tmp_path / "entries/52-54-00-aa-bb-cc.json").write_text(str(request.param))
    return folder


def test_a_damaged_entry_is_no_trouble_for_other_machines(
    damaged: NetbootFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = entry(OTHER, "pc-2")
    damaged.put(other, ENV)
    assert damaged.entries() == [other]
    assert damaged.consume(other.token, report(OTHER), "10.77.0.51", NOW + 5).id == other.id
    assert [each.mac for each in damaged.expire(NOW + 600 + KEPT)] == []
    assert files(tmp_path / "checkins") == [], "its entry was forgotten"
    assert str(tmp_path / "entries/52-54-00-aa-bb-cc.json") in capfd.readouterr().err


def test_a_damaged_entry_is_an_error_for_whom_it_concerns(damaged: NetbootFolder) -> None:
    with pytest.raises(NetbootDamaged, match=r"52-54-00-aa-bb-cc\.json"):
        damaged.entry(MAC)


def test_a_damaged_entry_can_be_made_again(damaged: NetbootFolder) -> None:
    new = entry(host="pc-2")
    damaged.put(new, ENV)
    assert damaged.entries() == [new]


@pytest.mark.parametrize("entry_id", [None, "0123456789abcdef"])
def test_a_damaged_entry_can_be_removed(damaged: NetbootFolder, tmp_path: Path, entry_id: str | None) -> None:
    assert damaged.remove(MAC, entry_id) is True
    assert files(tmp_path) == []


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_a_damaged_check_in_is_an_error_that_names_it(folder: NetbootFolder, tmp_path: Path, text: str) -> None:
    (tmp_path / "checkins/0123456789abcdef.json").write_text(text)
    with pytest.raises(NetbootDamaged, match=r"0123456789abcdef\.json"):
        folder.checkin("0123456789abcdef")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NetbootError, match=r"golden\.fleet\.server"):
        NetbootFolder(tmp_path / "none").entries()


def _consume(path: Path, token: str, key: str, answers: multiprocessing.Queue[str]) -> None:
    try:
        NetbootFolder(path).consume(token, report(key=key), f"10.77.0.{ord(key)}", NOW)
        answers.put(key)
    except NetbootRefused:
        answers.put("")


def test_of_machines_that_come_at_the_same_time_one_wins(folder: NetbootFolder, tmp_path: Path) -> None:
    made = entry()
    folder.put(made, ENV)
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    racers = [context.Process(target=_consume, args=(tmp_path, made.token, key, answers)) for key in "ABCDEFGH"]
    for racer in racers:
        racer.start()
    winners = [key for key in (answers.get(timeout=30) for _each in racers) if key]
    for racer in racers:
        racer.join()
    checkin = folder.checkin(made.id)
    assert checkin
    assert winners == [chr(int(checkin.address.rpartition(".")[2]))]
    assert len(folder.refusals()) == 7
    assert made.state == WAITING
