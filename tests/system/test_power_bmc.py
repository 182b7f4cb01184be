# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines with a management controller: virtual ones, switched by sushy-tools' Redfish and OpenIPMI's simulator."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import (
    PowerError,
    PowerIgnored,
    PowerRefused,
    PowerUnsupported,
)
from ansible_collections.golden.fleet.plugins.module_utils._power.base import (
    DISK,
    NETWORK,
    NONE,
    OFF,
    ON,
    UNKNOWN,
    Power,
)
from ansible_collections.golden.fleet.plugins.module_utils._power.options import PowerOptions
from ansible_collections.golden.fleet.plugins.module_utils._power.orders import switch
from ansible_collections.golden.fleet.plugins.module_utils._power.provider import open_power
from ansible_collections.golden.fleet.tests.support.bmc import IpmiBmc, RedfishBmc
from ansible_collections.golden.fleet.tests.support.libvirt import Libvirt, Machine
from ansible_collections.golden.fleet.tests.support.moody_bmc import MoodyBmc
from ansible_collections.golden.fleet.tests.support.nginx import make_certificate
from ansible_collections.golden.fleet.tests.support.service import free_port

pytestmark = pytest.mark.usefixtures("quick_looks")


@dataclass(frozen=True)
class Place:
    """A libvirt with one machine, which has nothing on its disk, and its management controllers."""

    libvirt: Libvirt
    machine: Machine
    folder: Path
    redfish: RedfishBmc
    ipmi: IpmiBmc

    def is_on(self) -> bool:
        return self.libvirt.is_on(self.machine.name)

    def first(self) -> str:
        return self.libvirt.boots_first(self.machine.name)

    def options(self, provider: str) -> dict[str, t.Any]:
        if provider == "redfish":
            ca = str(self.folder / "certificate" / "ca.pem")
            bmc: t.Any = self.redfish
            more: dict[str, t.Any] = {"address": bmc.url, "ca_file": ca}
        else:
            bmc = self.ipmi
            more = {"address": bmc.address, "port": bmc.port, "cipher_suite": 3}
        return {"provider": provider, "username": bmc.username, "password": bmc.password, "timeout": 10.0, **more}


@pytest.fixture(scope="module")
def whole_place(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Place]:
    folder = tmp_path_factory.mktemp("bmc")
    disk, certificate = folder / "disk.img", folder / "certificate"
    disk.touch()
    os.truncate(disk, 1 << 20)
    certificate.mkdir()
    make_certificate(certificate, ["127.0.0.1"])
    machine = Machine("pc-07", "52:54:00:12:34:07", disk, "bios", memory=64 << 20, processors=1)
    with Libvirt(folder / "libvirt") as libvirt:
        libvirt.define(machine)
        redfish = RedfishBmc(folder / "redfish", libvirt, machine, free_port(), certificate=certificate)
        ipmi = IpmiBmc(folder / "ipmi", libvirt, machine, free_port(socket.SOCK_DGRAM))
        with redfish, ipmi:
            yield Place(libvirt, machine, folder, redfish, ipmi)


@pytest.fixture
def place(whole_place: Place) -> t.Iterator[Place]:
    """Its machine is off, and boots from its disk."""
    yield whole_place
    if whole_place.is_on():
        whole_place.libvirt.virsh("destroy", whole_place.machine.name)
    whole_place.libvirt.define(whole_place.machine)


@pytest.fixture(params=["redfish", "ipmi"])
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened() -> t.Iterator[t.Callable[..., Power]]:
    found: list[Power] = []

    def open_it(**options: t.Any) -> Power:
        found.append(open_power(PowerOptions(**options)))
        return found[-1]

    yield open_it
    for power in found:
        power.close()


Open = t.Callable[..., Power]


def test_on_and_off(place: Place, provider: str, opened: Open) -> None:
    power = opened(**place.options(provider))
    assert power.state() == OFF
    power.on()
    assert (power.state(), place.is_on()) == (ON, True)
    power.on()
    power.off(force=True)
    assert (power.state(), place.is_on()) == (OFF, False)
    power.off()


def test_next_boot_and_a_forced_reset(place: Place, provider: str, opened: Open) -> None:
    power = opened(**place.options(provider))
    power.set_next_boot(NETWORK)
    assert place.first() == NETWORK
    assert power.start() == "switched on"
    number = place.libvirt.virsh("domid", place.machine.name)
    power.set_next_boot(DISK)
    assert place.first() == DISK
    power.reset(force=True)
    assert place.is_on()
    assert place.libvirt.virsh("domid", place.machine.name) != number, "it was off"


def test_what_redfish_calls_continuous_is_read_back(place: Place, opened: Open) -> None:
    power = opened(**place.options("redfish"))
    power.set_next_boot(NETWORK)
    power.on()
    assert power.next_boot() == NETWORK, "sushy-tools does not forget it"
    power.set_next_boot(DISK)
    assert power.next_boot() == DISK


def test_what_ipmi_calls_invalid_does_not_count(place: Place, opened: Open) -> None:
    power = opened(**place.options("ipmi"))
    power.set_next_boot(NETWORK)
    assert power.next_boot() == NONE


def test_an_operating_system_that_does_not_end(place: Place, provider: str, opened: Open) -> None:
    power = opened(**{**place.options(provider), "timeout": 1.0})
    power.on()
    with pytest.raises(PowerIgnored, match="was told to shut down, but after 1 s reads 'on'.*: use force, or wait"):
        power.reset()
    assert place.is_on()


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "nobody"}])
def test_wrong_credentials(place: Place, provider: str, opened: Open, wrong: dict[str, str]) -> None:
    power = opened(**{**place.options(provider), **wrong})
    for ask in (power.state, power.next_boot, power.on, lambda: power.set_next_boot(NETWORK)):
        with pytest.raises(PowerRefused, match="does not accept") as caught:
            ask()
    assert caught.value.facts["provider"] == provider
    assert place.options(provider)["password"] not in str(caught.value.facts) + caught.value.message


def test_a_controller_that_is_not_there(place: Place, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)  # sushy tries three times
    with pytest.raises(PowerError, match="cannot be reached"):
        opened(**{**place.options("redfish"), "address": "https://127.0.0.1:1"}).state()


def test_the_password_is_in_no_command_line(place: Place, opened: Open) -> None:
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _time in range(5):
            opened(**place.options("ipmi")).state()
    finally:
        over.set()
        watcher.join()
    ours = [each for each in seen if each.startswith(b"ipmitool\0")]
    assert ours, "the watcher has seen what it was to watch"
    assert not [each for each in seen if place.ipmi.password.encode() in each]


def test_an_old_ipmi_controller(place: Place, opened: Open) -> None:
    with pytest.raises(PowerError, match="old ones need cipher_suite 3"):
        opened(**{**place.options("ipmi"), "cipher_suite": 17}).state()


def test_certificates(place: Place, opened: Open) -> None:
    options = place.options("redfish")
    with pytest.raises(PowerError, match="Its certificate is not trusted: name its CA with ca_file"):
        opened(**{**options, "ca_file": ""}).state()
    assert opened(**{**options, "ca_file": "", "verify_tls": False}).state() == OFF


def test_which_system_is_meant(place: Place, opened: Open) -> None:
    options = place.options("redfish")
    assert opened(**options, system=place.machine.uuid).state() == OFF
    assert opened(**options, system=f"/redfish/v1/Systems/{place.machine.uuid}/").state() == OFF
    with pytest.raises(PowerError, match=f"has no system 'blade7'. It has: {place.machine.uuid}"):
        opened(**options, system="blade7").state()


@pytest.fixture(scope="module")
def relayed(whole_place: Place) -> t.Iterator[RedfishBmc]:
    folder = whole_place.folder / "relayed"
    with RedfishBmc(folder, whole_place.libvirt, whole_place.machine, free_port()) as bmc:
        yield bmc


@pytest.fixture
def plain(place: Place, relayed: RedfishBmc) -> RedfishBmc:  # noqa: ARG001  # the machine as it leaves it
    """Without TLS, to be relayed."""
    return relayed


def test_a_controller_that_obeys_and_complains(place: Place, plain: RedfishBmc, opened: Open) -> None:
    with MoodyBmc(plain.port, complains=True) as relay:
        power = opened(provider="redfish", address=relay.url, username=plain.username, password=plain.password)
        power.set_next_boot(NETWORK)
        power.on()
    assert (place.first(), place.is_on()) == (NETWORK, True)
    assert {"PATCH", "POST"} <= {method for method, _path in relay.asked}


def test_a_controller_that_complains_and_does_not_obey(plain: RedfishBmc, opened: Open) -> None:
    with MoodyBmc(plain.port, complains=True, stale=1000) as relay:
        options = {"address": relay.url, "username": plain.username, "password": plain.password, "timeout": 1.0}
        power = opened(provider="redfish", **options)
        assert power.next_boot() == DISK
        with pytest.raises(PowerIgnored, match="after 1 s reads 'disk'. It said: .*not in this state"):
            power.set_next_boot(NETWORK)


def test_a_controller_that_reports_old_values_for_a_while(place: Place, plain: RedfishBmc, opened: Open) -> None:
    with MoodyBmc(plain.port, stale=2) as relay:
        power = opened(provider="redfish", address=relay.url, username=plain.username, password=plain.password)
        power.set_next_boot(NETWORK)
        power.on()
        assert power.state() == ON
    assert (place.first(), place.is_on()) == (NETWORK, True)


def test_a_controller_that_ignores_the_boot_device(plain: RedfishBmc, opened: Open) -> None:
    with MoodyBmc(plain.port, stale=1000) as relay:
        options = {"address": relay.url, "username": plain.username, "password": plain.password, "timeout": 1.0}
        power = opened(provider="redfish", **options)
        assert power.next_boot() == DISK
        with pytest.raises(PowerIgnored, match="reads 'disk'. Does its firmware .* put the network first"):
            power.set_next_boot(NETWORK)


def test_what_a_controller_does_not_offer(plain: RedfishBmc, opened: Open) -> None:
    with MoodyBmc(plain.port, hides="GracefulShutdown") as relay:
        power = opened(provider="redfish", address=relay.url, username=plain.username, password=plain.password)
        power.on()
        with pytest.raises(PowerUnsupported, match="does not offer that"):
            power.off()


def test_a_machine_that_goes_off_by_itself(place: Place, plain: RedfishBmc, opened: Open) -> None:
    """A boot environment whose work is done, on a machine that nobody can ask to end."""
    with MoodyBmc(plain.port, hides="GracefulShutdown") as relay:
        options = {"address": relay.url, "username": plain.username, "password": plain.password, "timeout": 10.0}
        power = opened(provider="redfish", **options)
        power.on()
        ending = threading.Timer(1, place.libvirt.virsh, ("destroy", place.machine.name))
        ending.start()
        assert switch(power, OFF, force=False, check=False)["state"] == OFF
        ending.join()
    assert not place.is_on()


def test_a_machine_that_does_not(place: Place, plain: RedfishBmc, opened: Open) -> None:
    with MoodyBmc(plain.port, hides="GracefulShutdown") as relay:
        options = {"address": relay.url, "username": plain.username, "password": plain.password, "timeout": 1.0}
        power = opened(provider="redfish", **options)
        power.on()
        with pytest.raises(PowerUnsupported, match="does not offer that"):
            switch(power, OFF, force=False, check=False)
    assert place.is_on()


SYSTEM = {"@odata.id": "/redfish/v1/Systems/1", "Id": "1", "Name": "pc-07", "PowerState": "On"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/redfish/v1", b"<html>Please log in</html>"),
        ("/redfish/v1", b"[1, 2]"),
        ("/redfish/v1", b'{"Systems":'),
        ("/redfish/v1", b"null"),
        ("/Systems", b'{"Name": "systems", "Members": null}'),
        ("/Systems", b'{"Name": "systems", "Members": ["pc-07"]}'),
        ("/Systems", b"[" * 100_000),
        ("", json.dumps({**SYSTEM, "Boot": "disk"}).encode()),
    ],
)
def test_what_answers_is_no_redfish(place: Place, plain: RedfishBmc, opened: Open, path: str, said: bytes) -> None:
    with MoodyBmc(plain.port) as relay:
        relay.says[path or f"/Systems/{place.machine.uuid}"] = said
        power = opened(provider="redfish", address=relay.url, username=plain.username, password=plain.password)
        for look in (power.state, power.next_boot):
            with pytest.raises(PowerError, match=f"{relay.url} answers what is no Redfish"):
                look()
        power.close()


@pytest.mark.parametrize("boot", [{}, {"Boot": None}])
def test_a_controller_that_says_nothing_about_the_boot_device(
    place: Place, plain: RedfishBmc, opened: Open, boot: dict[str, t.Any]
) -> None:
    with MoodyBmc(plain.port) as relay:
        relay.says[f"/Systems/{place.machine.uuid}"] = json.dumps({**SYSTEM, **boot}).encode()
        power = opened(provider="redfish", address=relay.url, username=plain.username, password=plain.password)
        assert (power.state(), power.next_boot()) == (ON, UNKNOWN)
