# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong while a fleet is imaged, as far as it shows without one. The rest is in tests/lab_suite."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import StoreFull, StoreUnreachable
from ansible_collections.golden.fleet.plugins.module_utils._progress import Silent
from ansible_collections.golden.fleet.plugins.module_utils._store._retry import Patience
from ansible_collections.golden.fleet.plugins.module_utils._store.base import Store
from ansible_collections.golden.fleet.plugins.module_utils._store.https import HttpsStore
from ansible_collections.golden.fleet.tests.support.disks import MIB, call, sparse
from ansible_collections.golden.fleet.tests.support.engine import (
    Place,
    apply_disk,
    capture_disk,
    noise_disk,
    same_noise,
    signatures,
    table_of,
    verify_store,
)
from ansible_collections.golden.fleet.tests.support.filesystem import mounted_ext4
from ansible_collections.golden.fleet.tests.support.nginx import Nginx
from ansible_collections.golden.fleet.tests.support.playbook import ansible_environment

TREE = Path(__file__).resolve().parents[2]
EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
SIZE = 48  # MiB of a disk that takes a while

Host = t.Dict[str, t.Any]  # noqa: UP006  # evaluated at run time


# Playbooks


class Played(t.NamedTuple):
    code: int
    output: str  # with single spaces


def play(folder: Path, playbook: str | list[dict[str, t.Any]], hosts: t.Mapping[str, Host], *options: str) -> Played:
    inventory = folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
    if not isinstance(playbook, str):
        (folder / "play.json").write_text(json.dumps(playbook))
        playbook = str(folder / "play.json")
    tool = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [tool, "-i", inventory, playbook, *options],
        env=ansible_environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    return Played(done.returncode, " ".join((done.stdout + done.stderr).split()))


def machine(mac: str) -> Host:
    return {
        "golden_mac": mac,
        "golden_power": {"provider": "manual"},
        "golden_server": "imaging",
        "golden_image": "lab:1",
        "golden_store": "/srv/golden",
    }


HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
HOSTS = {
    "imaging": HERE,
    "pc-1": machine("52:54:00:77:0a:01"),
    "pc-2": machine("5254.0077.0A01"),
    "pc-3": machine("52-54-00-77-0a-02"),
    "pc-4": machine("52540077 0A02".replace(" ", "")),
    "pc-5": machine("52:54:0:77:a:3"),
    "pc-6": machine("52:54:00:77:0A:03"),
    "pc-7": machine("52:54:00:77:0a:04"),
    "pc-8": machine("52:54:00:77:a0:04"),
}


def test_two_machines_with_one_address_are_both_left_alone(tmp_path: Path) -> None:
    """However they are written. A check is enough to see it; the next test shows that it counts without one."""
    played = play(tmp_path, "golden.fleet.deploy", HOSTS, "--check", "-l", "all:!imaging")
    assert played.code != 0
    for one, other in (("pc-1", "pc-2"), ("pc-3", "pc-4"), ("pc-5", "pc-6")):
        assert f"{one} and {other} have the same golden_mac, {HOSTS[one]['golden_mac']}" in played.output
        assert f"{other} and {one} have the same golden_mac, {HOSTS[other]['golden_mac']}" in played.output
    for name in ("pc-7", "pc-8"):
        assert f"{name} is left alone in check mode" in played.output


def test_the_other_machine_does_not_have_to_be_in_the_play(tmp_path: Path) -> None:
    """Or else its disk would be overwritten when only the first one is deployed to."""
    played = play(tmp_path, "golden.fleet.deploy", HOSTS, "-l", "pc-1")
    assert played.code != 0
    assert "pc-1 and pc-2 have the same golden_mac" in played.output


@pytest.fixture
def for_uefi(directory: Store, tmp_path: Path) -> Store:
    """A store with lab:1, an image that only UEFI starts."""
    source = noise_disk(tmp_path / "source.img", 3)
    call("sfdisk", "--quiet", "--part-type", source, "1", EFI_SYSTEM)
    capture_disk(directory, source, "lab:1")
    return directory


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
@pytest.mark.usefixtures("for_uefi")
def test_a_machine_in_the_wrong_boot_mode(directory_place: Place, tmp_path: Path, firmware: str) -> None:
    """It is told apart by its check-in, before its disk is touched."""
    target = sparse(tmp_path / "target.img", 8 * MIB)
    variables = {
        **HERE,
        "golden_disk": str(target),
        "golden_image": "lab:1",
        "golden_store": directory_place.location.store,
        "netboot_checkin": {"firmware": firmware},
        "netboot_deploy": "d1",
        "customize_refusal": "",
    }
    role = TREE / "roles/deploy"
    tasks = [
        {"ansible.builtin.include_vars": str(role / "vars/main.yml")},
        {"ansible.builtin.include_tasks": str(role / "tasks/inside.yml")},
    ]
    played = play(tmp_path, [{"hosts": "pc-1", "gather_facts": False, "tasks": tasks}], {"pc-1": variables})
    assert played.code != 0  # the other one at its end: there is no operating system in this image
    if firmware == "bios":
        said = "lab:1 boots with uefi firmware, but pc-1 has started with bios. Change its boot mode"
        assert said in played.output
        assert target.stat().st_blocks == 0
    else:
        assert table_of(target)


def test_an_imaging_server_that_does_not_answer_is_no_reason_to_drop_a_machine(tmp_path: Path) -> None:
    """Its next boot device would stay the network, and no record be written."""
    imaging = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_connection": "ssh"}
    boot = {"mac": "52:54:00:77:00:01", "power": {"provider": "manual"}, "timeout": "5s"}
    tasks = [
        {
            "block": [{"golden.fleet.pxe_reboot": boot, "delegate_to": "imaging"}],
            "rescue": [{"ansible.builtin.debug": {"msg": "rescued: {{ ansible_failed_result.msg }}"}}],
        }
    ]
    hosts = {"imaging": imaging, "pc-1": HERE}
    played = play(tmp_path, [{"hosts": "pc-1", "gather_facts": False, "tasks": tasks}], hosts)
    assert played.code == 0, played.output
    assert "rescued: imaging cannot be reached: " in played.output


# The store


class Sleeps:
    """Counts how often somebody waited, and does not let it take long."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, seconds: float) -> None:
        self.count += 1
        time.sleep(seconds / 5)


class InTheMiddle(Silent):
    """Does something as soon as a quarter of the work is done."""

    def __init__(self, act: t.Callable[[], None]) -> None:
        self._act = act
        self._left = SIZE * MIB // 4
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        with self._lock:
            before, self._left = self._left, self._left - count
        if before > 0 >= self._left:
            self._act()


@contextlib.contextmanager
def opened(server: Nginx, path: str = "golden", **patience: t.Any) -> t.Iterator[HttpsStore]:
    user, url = server.writer, f"{server.server_url}/{path}"
    with contextlib.closing(
        HttpsStore(url, user.name, user.password, ca=str(server.ca), use_proxies=False, patience=Patience(**patience))
    ) as store:
        yield store


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.usefixtures("small_packs")
@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_web_server_that_restarts_in_the_middle_of_an_apply(tmp_path: Path, how: str) -> None:
    source = noise_disk(tmp_path / "source.img", SIZE)
    target = sparse(tmp_path / "target.img", (SIZE + 2) * MIB)
    sleeps = Sleeps()
    with Nginx(tmp_path / "nginx") as server, opened(server, sleep=sleeps) as store:
        capture_disk(store, source, "lab:1")

        def restart() -> None:
            getattr(server, how)()
            returning.start()

        returning = threading.Timer(0.5, server.start)
        applied = apply_disk(store, target, "lab:1", InTheMiddle(restart), threads=1)
        returning.join()
    assert sleeps.count > 0, "nothing was fetched after the restart"
    assert applied["changed"]
    assert same_noise(target, source, SIZE)


# A server that goes in a handshake leaves the socket to the garbage collector: urllib3 does not close it then.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.usefixtures("small_packs")
def test_a_web_server_that_goes_in_the_middle_of_an_apply(tmp_path: Path) -> None:
    """Nothing of a disk that could boot is left; when the server is back, another run goes on."""
    source = noise_disk(tmp_path / "source.img", SIZE)
    target = sparse(tmp_path / "target.img", (SIZE + 2) * MIB)
    with Nginx(tmp_path / "nginx") as server, opened(server, tries=3, first=0.01) as store:
        capture_disk(store, source, "lab:1")
        with pytest.raises(StoreUnreachable, match="cannot be reached"):
            apply_disk(store, target, "lab:1", InTheMiddle(server.kill), threads=1)
        assert (table_of(target), signatures(target)) == ([], set())
        server.start()
        again = apply_disk(store, target, "lab:1", erase=True)
    assert again["bytes"]["skipped"] >= SIZE * MIB // 8
    assert same_noise(target, source, SIZE)


@pytest.mark.usefixtures("small_packs", "quick_takeover")
def test_a_capture_goes_on_when_a_full_server_has_room_again(tmp_path: Path) -> None:
    source = noise_disk(tmp_path / "source.img", 3)
    big = noise_disk(tmp_path / "big.img", 30, seed=2)
    with mounted_ext4(tmp_path / "small", 56 * MIB) as folder, Nginx(tmp_path / "nginx", data=folder) as server:
        (folder / "filler").write_bytes(bytes(24 * MIB))
        with opened(server, "golden/store", tries=3, first=0.01) as store:
            capture_disk(store, source, "lab:1")
            before = digest(big)
            with pytest.raises(StoreFull, match=r"no room.*image_prune"):
                capture_disk(store, big, "lab:2")
            assert list((folder / "uploads").iterdir()) == []
            (folder / "filler").unlink()
            again = capture_disk(store, big, "lab:2")
            assert again["chunks"]["known"] >= 4
            assert verify_store(store)["ok"]
    assert digest(big) == before
