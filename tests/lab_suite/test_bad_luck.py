# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that is imaged while cables are pulled and power is cut.

The tests build on each other: what one leaves, the next one begins with. pc-1 (UEFI, Redfish) has a blank disk at
first, pc-2 (BIOS, IPMI) last month's Debian.
"""

from __future__ import annotations

import re
import signal
import typing as t

import pytest

from tests.lab_suite.fleet import Fleet, Record, is_blank, until_said
from tests.support.engine import table_of
from tests.support.playbook import until

pytestmark = pytest.mark.usefixtures("image")

FIRMWARE = "UEFI Interactive Shell"
PATIENCE = "1m"  # half of it is the longest that an emulated machine under load may take to answer
WARNING = "it has ignored the boot order and started from its disk"


@pytest.fixture
def said(fleet: Fleet) -> t.Callable[[str], t.Callable[[], str]]:
    """What a machine's console has said since now."""

    def begin(name: str) -> t.Callable[[], str]:
        before = len(fleet.console(name))
        return lambda: fleet.console(name)[before:]

    return begin


def left_alone(fleet: Fleet, name: str) -> None:
    """Whatever boots it next, it boots from its disk."""
    assert fleet.entry(name) is None
    assert not fleet.has_boot_file(name)
    assert fleet.first_device(name) == "disk"


def test_a_capture(fleet: Fleet, image: Record) -> None:
    assert image["outcome"] == "ok"
    assert (image["image"], image["firmware"], image["dmi"]["serial"]) == ("lab-a:1", "uefi", "ref-pc")
    assert image["bytes"]["stored"] > 100_000_000
    left_alone(fleet, "ref-pc")


def test_a_machine_that_never_shows_up(fleet: Fleet) -> None:
    """Its cable is out."""
    fleet.blank("pc-1")
    fleet.cable("pc-1", plugged=False)
    output = fleet.failing_play("deploy", "-l", "pc-1", netboot_boot_timeout="40s")
    assert "pc-1 | pxe_reboot: switched on" in output
    assert "no check-in for 20 s; switching it off and on" in output
    assert "has not checked in for 4" in output
    assert "No request for an address came from it" in output
    left_alone(fleet, "pc-1")
    record = fleet.record("pc-1")
    assert record["outcome"] == "failed"
    assert "No request for an address" in record["error"]["message"]
    assert record["firmware"] is None
    assert is_blank(fleet.disk("pc-1"))
    fleet.cut_power("pc-1")
    fleet.cable("pc-1", plugged=True)


def test_check_mode_changes_nothing_and_says_so(fleet: Fleet) -> None:
    fleet.cut_power("pc-1")
    records = fleet.records("pc-1", "deploy")
    output = fleet.play("deploy", "-l", "pc-1", "--check")
    assert "pc-1 is left alone in check mode" in output
    assert not fleet.is_on("pc-1")
    left_alone(fleet, "pc-1")
    assert fleet.records("pc-1", "deploy") == records


def test_a_management_controller_that_does_not_accept_the_password(fleet: Fleet) -> None:
    """There is nothing that could be done to the machine, but a record."""
    fleet.cut_power("pc-1")
    wrong = {**fleet.power("pc-1"), "password": "wrong"}
    output = fleet.failing_play("deploy", "-l", "pc-1", golden_power=wrong)
    assert "does not accept 'admin'" in output
    assert fleet.entry("pc-1") is None
    assert not fleet.is_on("pc-1")
    record = fleet.record("pc-1")
    assert record["outcome"] == "failed"
    assert "does not accept 'admin'" in record["error"]["message"]


def test_another_machine_than_the_one_meant(fleet: Fleet) -> None:
    """Nothing is written to a machine with another serial number."""
    fleet.blank("pc-1")
    output = fleet.failing_play("deploy", "-l", "pc-1", golden_serial="C02X1234")
    assert re.search(r"says that its serial number is\s+pc-1, not C02X1234", output)
    record = fleet.record("pc-1")
    assert (record["outcome"], record["dmi"]["serial"]) == ("failed", "pc-1")
    assert is_blank(fleet.disk("pc-1"))
    left_alone(fleet, "pc-1")


def test_a_power_cut_in_the_middle_of_an_apply(
    fleet: Fleet, image: Record, said: t.Callable[[str], t.Callable[[], str]]
) -> None:
    """No half image boots: the machine goes to the network, or stops in its firmware. The next deploy goes on."""
    fleet.blank("pc-1")
    play = fleet.begin("deploy", "-l", "pc-1", golden_reconnect_timeout=PATIENCE)
    fleet.is_writing(play, "pc-1")
    fleet.cut_power("pc-1")
    assert play.ends(120) != 0
    assert "deploy again, and it goes on where it was" in play.output
    assert fleet.record("pc-1")["outcome"] == "failed"
    left_alone(fleet, "pc-1")
    assert table_of(fleet.disk("pc-1")) == []

    fleet.cut_power("pc-1")  # which the play has switched on again
    requests, console = len(fleet.requests("pc-1")), said("pc-1")
    fleet.switch_on("pc-1")
    until(
        lambda: FIRMWARE in console() or "/boot.ipxe" in fleet.requests("pc-1")[requests:],
        "a boot from the network, or none",
        180,
    )
    assert "Linux version" not in console()
    assert " login:" not in console()
    fleet.cut_power("pc-1")

    fleet.play("deploy", "-l", "pc-1")
    record = fleet.record("pc-1")
    assert (record["outcome"], record["applied"], record["digest"]) == ("ok", True, image["digest"])
    assert 0 < record["bytes"]["fetched"] < 0.9 * image["bytes"]["stored"]
    left_alone(fleet, "pc-1")
    fleet.cut_power("pc-1")


def test_a_cable_that_is_pulled_in_the_middle_of_an_apply(fleet: Fleet, image: Record) -> None:
    """SSH and the store are gone for a while; the apply waits, and is found again."""
    fleet.blank("pc-2")
    play = fleet.begin("deploy", "-l", "pc-2", golden_reconnect_timeout=PATIENCE)
    fleet.is_writing(play, "pc-2")
    fleet.cable("pc-2", plugged=False)
    fleet.sees(play, "the connection is lost, the work goes on")
    fleet.cable("pc-2", plugged=True)
    fleet.sees(play, "connected again")
    assert play.ends(600) == 0, play.output
    record = fleet.record("pc-2")
    assert (record["outcome"], record["digest"]) == ("ok", image["digest"])
    assert record["bytes"]["skipped"] == 0, "it was begun anew"
    left_alone(fleet, "pc-2")


def test_the_same_image_once_more(fleet: Fleet) -> None:
    """Nothing is fetched, and the disk counts as unchanged."""
    fleet.has_image("pc-2")
    output = fleet.play("deploy", "-l", "pc-2")
    assert re.search(r"Apply the image\] \*+\s+skipping: \[pc-2\]", output)
    record = fleet.record("pc-2")
    assert (record["outcome"], record["applied"], record["bytes"]) == ("ok", False, None)


def test_a_controller_that_is_killed(fleet: Fleet, image: Record) -> None:
    """Before the check-in, the entry expires by itself; in the middle of an apply, another run completes it."""
    fleet.cut_power("pc-1")
    fleet.cable("pc-1", plugged=False)
    early = fleet.begin("deploy", "-l", "pc-1", netboot_boot_timeout="20s")
    fleet.sees(early, "pc-1 . pxe_reboot: switched on")
    fleet.kill_all_of(early)
    assert fleet.has_boot_file("pc-1")

    fleet.has_image("pc-2")
    play = fleet.begin("deploy", "-l", "pc-2", netboot_force=True, golden_always_apply=True)
    fleet.sees(play, "image_apply: comparing")
    play.kill(signal.SIGKILL)
    play.ends()
    assert not fleet.has_boot_file("pc-2")
    assert fleet.first_device("pc-2") == "disk"
    fleet.play("deploy", "-l", "pc-2", netboot_force=True, golden_always_apply=True)
    record = fleet.record("pc-2")
    assert record["outcome"] == record["customized"]["outcome"] == "ok"
    assert record["bytes"]["fetched"] < image["bytes"]["stored"] / 10
    left_alone(fleet, "pc-2")

    until(lambda: not fleet.has_boot_file("pc-1"), "the end of the other machine's entry", 180)
    assert (fleet.entry("pc-1") or {})["state"] == "expired"
    fleet.cut_power("pc-1")
    fleet.cable("pc-1", plugged=True)


def test_a_machine_that_boots_its_disk_all_the_same(fleet: Fleet) -> None:
    """Its controller says that it will boot from the network, but its firmware does not."""
    fleet.has_image("pc-2")
    written = fleet.disk("pc-2").stat().st_blocks
    fleet.cut_power("pc-2")
    with fleet.without_network_boot("pc-2"):
        output = fleet.failing_play("deploy", "-l", "pc-2", netboot_force=True, netboot_boot_timeout="2m")
    assert WARNING in " ".join(output.split())
    record = fleet.record("pc-2")
    assert (record["outcome"], record["firmware"]) == ("failed", None)
    assert abs(fleet.disk("pc-2").stat().st_blocks - written) < 100_000
    left_alone(fleet, "pc-2")


def test_an_imaging_server_that_is_down(fleet: Fleet, said: t.Callable[[str], t.Callable[[], str]]) -> None:
    """Machines that try the network first boot their disks; a deploy fails before it restarts anything."""
    names = ("pc-1", "pc-2")
    for name in names:
        fleet.has_image(name)
        fleet.cut_power(name)
        fleet.boot_first(name, "network")
    fleet.server.stop()
    try:
        consoles = [said(name) for name in names]
        for name in names:
            fleet.switch_on(name)
        for name, console in zip(names, consoles, strict=True):
            until_said(console, f"{name} login:", 400)
        output = fleet.failing_play("deploy", "-l", "pc-1")
        assert "connect to host 10.77.0.1 port 22: Connection refused" in output
        assert "pxe_reboot" not in output
        assert fleet.is_on("pc-1")
    finally:
        fleet.start_server()
