# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role imaging_server on a Debian in a container, asked by machines for all that it serves.

The tests stand on each other: one server is set up, used, reconfigured and refused a configuration.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.golden.fleet.tests.support import pxe_client
from ansible_collections.golden.fleet.tests.support.container import Container, debian_tree
from ansible_collections.golden.fleet.tests.support.network import Neighbour, Network
from ansible_collections.golden.fleet.tests.support.playbook import until
from ansible_collections.golden.fleet.tests.support.pxe_client import Answer
from ansible_collections.golden.fleet.tests.support.qemu import DisklessMachine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers need root"),
]

TREE = Path(__file__).resolve().parents[2]
ROLE = TREE / "roles" / "imaging_server"
DOC = (TREE / "docs" / "network.md").read_text("utf-8")

SERVER = "10.77.0.1"
SITE = "10.77.0.2"  # where a site has its own DHCP server
MAC = "52:54:00:12:34:01"
SIGNED_MAC = "52:54:00:12:34:02"  # of a machine with Secure Boot
READER, WRITER = "reader:a password to read", "writer:a password to write"
BOOT_SCRIPT = f"http://{SERVER}/boot.ipxe"
# What each kind of client is to boot, whoever its DHCP server is.
BOOT_FILES = {
    "bios": "undionly.kpxe",
    "uefi": "snponly.efi",
    "uefi-9": "snponly.efi",
    "uefi-http": f"http://{SERVER}/snponly.efi",
    "ipxe-bios": BOOT_SCRIPT,
    "ipxe-uefi": BOOT_SCRIPT,
}
FULL = {
    "imaging_server_interface": Network.bridge,
    "imaging_server_dhcp": "full",
    "imaging_server_dhcp_start": "10.77.0.50",
    "imaging_server_dhcp_end": "10.77.0.99",
    "imaging_server_secure_boot_macs": [SIGNED_MAC],
    "imaging_server_reader_password": READER.partition(":")[2],
    "imaging_server_writer_password": WRITER.partition(":")[2],
}
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ" + "{:0<33}"

_MAKE_ENTRY = """
import sys, time
from golden_fleet._netboot.config import read_config
from golden_fleet._netboot.entry import BOOT_ENV, BootEnv, new_entry
from golden_fleet._netboot.folder import NetbootFolder
mac, host, age, lifetime = sys.argv[1:]
config = read_config()
entry = new_entry(mac, host, BOOT_ENV, int(time.time()) - int(age), int(lifetime), {})
NetbootFolder(config.state).put(entry, BootEnv("0123456789ab", config.http_url, config.checkin_url, ""))
print(entry.token)
"""
_SEE_ENTRY = """
import sys
from golden_fleet._netboot.config import read_config
from golden_fleet._netboot.folder import NetbootFolder
print(NetbootFolder(read_config().state).entry(sys.argv[1]).state)
"""


class Fetched(t.NamedTuple):
    """An answer to curl."""

    status: str
    body: bytes


class Site:
    """A network with the server, and a machine that has just been switched on."""

    def __init__(self, folder: Path, network: Network, box: Container, machine: Neighbour) -> None:
        self.folder = folder
        self.network = network
        self.box = box
        self.machine = machine
        self.recaps: list[str] = []
        self.said: list[str] = []

    def play(
        self, *options: str, parts: t.Sequence[str] = ("main",), **changed: object
    ) -> subprocess.CompletedProcess[str]:
        """Apply the role, or only some parts of it.

        :param changed: variables, without the prefix that all of them have.
        """
        role = "ansible.builtin.import_role"
        tasks = [{role: {"name": "golden.fleet.imaging_server", "tasks_from": f"{part}.yml"}} for part in parts]
        playbook = self.folder / "play.json"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        variables = {**FULL, **{f"imaging_server_{name}": value for name, value in changed.items()}}
        inventory = self.folder / "inventory.json"
        inventory.write_text(
            json.dumps({"all": {"hosts": {"imaging": {**self.box.connection_vars(SERVER), **variables}}}})
        )
        mine = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        done = subprocess.run(
            self.network.inside("ansible-playbook", "-i", inventory, *options, playbook),
            env={
                **mine,
                "ANSIBLE_COLLECTIONS_PATH": str(TREE / ".cache"),
                "ANSIBLE_DISPLAY_FAILED_STDERR": "false",
                "ANSIBLE_HOME": str(self.folder / "home"),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_PIPELINING": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        self.said.append(done.stdout + done.stderr)
        return done

    def changes(self, *options: str, parts: t.Sequence[str] = ("main",), **changed: object) -> int:
        """How many tasks have changed something."""
        done = self.play(*options, parts=parts, **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        found = re.search(r"changed=(\d+)", done.stdout.partition("PLAY RECAP")[2])
        assert found
        return int(found[1])

    def reconfigure(self, **changed: object) -> str:
        """Another way to offer DHCP; what the role says about it."""
        done = self.play(parts=["preflight", "dhcp", "summary"], **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def files(self) -> dict[str, tuple[int, int]]:
        """What is on the server, as far as the role has a hand in it, with times and sizes."""
        roots = [self.box.folder / "written" / name for name in ("etc", "srv", "usr")]
        found = (path for root in roots for path in root.rglob("*") if "__pycache__" not in path.parts)
        stats = {str(path): path.lstat() for path in found}
        return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()}

    def pids(self) -> list[str]:
        services = ["nginx.service", "golden-fleet-dhcp.service"]
        return self.box.run("systemctl", "show", "--property=MainPID", "--value", *services).stdout.split()

    def boots(self, kind: str, mac: str = "") -> Answer:
        """What a machine gets that is switched on."""
        command = [sys.executable, pxe_client.__file__, self.machine.interface, mac or self.machine.mac, kind]
        done = subprocess.run(self.machine.inside(*command), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + self.dhcp_log()
        return Answer(**json.loads(done.stdout))

    def dhcp_log(self) -> str:
        return self.box.run("cat", "/var/log/golden.fleet/dnsmasq.log").stdout

    def http_log(self) -> str:
        return self.box.run("cat", "/var/log/golden.fleet/http.log").stdout

    def fetch(self, url: str, *options: str) -> Fetched:
        """As the machine does; over HTTPS it trusts the server's own authority."""
        ca = self.folder / "ca.crt"
        ca.write_text(self.box.run("cat", "/etc/golden.fleet/ca.crt").stdout)
        body = self.folder / "body"
        body.unlink(missing_ok=True)
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(ca), "--output", str(body)]
        done = subprocess.run(
            self.machine.inside(*command, "--write-out", "%{http_code}", *options, url),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{url}: {done.stderr}"
        return Fetched(done.stdout, body.read_bytes() if body.exists() else b"")

    def store(self, path: str, *options: str) -> Fetched:
        return self.fetch(f"https://{SERVER}/store/{path}", *options)

    def make_entry(self, mac: str, host: str, *, age: int = 0, lifetime: int = 600) -> str:
        """An entry for a machine; its token."""
        return self._run_code(_MAKE_ENTRY, mac, host, str(age), str(lifetime))

    def entry_state(self, mac: str) -> str:
        return self._run_code(_SEE_ENTRY, mac)

    def check_in(self, token: str, mac: str = MAC, key: str = "one") -> str:
        """The status of the server's answer."""
        report = {
            "version": 1,
            "macs": [mac],
            "addresses": ["10.77.0.50"],
            "ssh_host_key": HOST_KEY.format(key),
            "dmi": {"vendor": "Example Inc.", "model": "Desktop 7", "serial": "S-1", "uuid": ""},
            "firmware": "uefi",
            "secure_boot": False,
            "memory": 4 << 30,
            "disks": [],
            "boot_env": "0123456789ab",
        }
        options = ["--header", f"Authorization: Bearer {token}", "--header", "Content-Type: application/json"]
        return self.fetch(f"https://{SERVER}/checkin", *options, "--data", json.dumps(report)).status

    def journal(self) -> str:
        return self.box.run("journalctl", "--identifier=golden-fleet", "--output=cat").stdout

    def _run_code(self, code: str, *arguments: str) -> str:
        command = ["env", "PYTHONPATH=/usr/local/lib/golden.fleet", "python3", "-B", "-c", code]
        return self.box.run(*command, *arguments).stdout.strip()


def packages() -> list[str]:
    found = yaml.safe_load((ROLE / "vars" / "main.yml").read_text("utf-8"))["__imaging_server_packages"]
    return t.cast("list[str]", found)


@pytest.fixture(scope="module")
def folder() -> t.Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:  # sockets have short names
        yield Path(folder)


@pytest.fixture(scope="module")
def network() -> t.Iterator[Network]:
    with Network(server=f"{SERVER}/24") as network:
        yield network


@pytest.fixture(scope="module")
def bare(folder: Path, network: Network) -> t.Iterator[Site]:
    """A Debian with nothing on it yet."""
    (folder / "box").mkdir()
    with (
        Container(folder / "box", debian_tree(packages()), network=network.name) as box,
        Neighbour(network, MAC) as machine,
    ):
        yield Site(folder, network, box, machine)


@pytest.fixture(scope="module")
def site(bare: Site) -> Site:
    """An imaging server that gives addresses."""
    before = bare.files()
    assert bare.changes("--check") == 1  # its packages
    assert bare.files() == before
    assert bare.changes() > 10
    bare.make_entry("52:54:00:12:34:ff", "pc-late", age=60, lifetime=30)
    return bare


def test_changes_nothing_again(site: Site) -> None:
    before, pids = site.files(), site.pids()
    assert site.changes("--check") == 0
    assert site.changes() == 0
    assert (site.files(), site.pids()) == (before, pids)


def test_gives_addresses_and_boot_files(site: Site) -> None:
    for kind, file in BOOT_FILES.items():
        answer = site.boots(kind)
        assert (answer.netmask, answer.router, answer.server) == ("255.255.255.0", "", SERVER), kind
        assert 50 <= int(answer.address.rpartition(".")[2]) <= 99
        assert answer.file == file, kind
    assert site.boots("uefi-http").vendor == "HTTPClient"
    assert MAC in site.box.run("cat", "/var/lib/golden.fleet/dhcp/leases").stdout


def test_machines_with_secure_boot_get_shim(site: Site) -> None:
    with Neighbour(site.network, SIGNED_MAC) as signed:
        other = Site(site.folder, site.network, site.box, signed)
        assert other.boots("uefi").file == "shimx64.efi"
        assert other.boots("bios").file == "undionly.kpxe"


@pytest.mark.parametrize("name", ["undionly.kpxe", "snponly.efi", "shimx64.efi", "grubx64.efi", "grub/grub.cfg"])
def test_tftp(site: Site, name: str) -> None:
    served = subprocess.run(
        ["sha256sum"], input=site.fetch(f"tftp://{SERVER}/{name}").body, capture_output=True, check=True
    )
    assert served.stdout.split()[0].decode() == site.box.run("sha256sum", f"/srv/golden/tftp/{name}").stdout.split()[0]


def test_tftp_has_nothing_else(site: Site) -> None:
    for path in ("/etc/passwd", "../../../etc/passwd"):
        with pytest.raises(AssertionError, match=r"curl: \((28|68|69)\)"):  # no answer, not found, not allowed
            site.fetch(f"tftp://{SERVER}/{path}", "--path-as-is", "--max-time", "3")


def test_boot_files_over_http(site: Site) -> None:
    token = site.make_entry(MAC, "pc-1")
    script = site.fetch(BOOT_SCRIPT)
    assert (script.status, script.body[:7]) == ("200", b"#!ipxe\n")
    assert site.fetch(f"http://{SERVER}/snponly.efi").body[:2] == b"MZ"
    own = site.fetch(f"http://{SERVER}/netboot/{MAC.replace(':', '-')}.ipxe")
    assert (own.status, token.encode() in own.body) == ("200", True)
    assert token.encode() in site.fetch(f"tftp://{SERVER}/grub/by-mac/{MAC}.cfg").body
    assert site.fetch(f"http://{SERVER}/netboot/52-54-00-00-00-00.ipxe").status == "404"
    assert site.fetch(f"http://{SERVER}/store/").status == "404"
    assert site.fetch(BOOT_SCRIPT, "--request", "PUT", "--data", "x").status == "403"


def test_store_needs_credentials(site: Site) -> None:
    upload = ["--data-binary", "an image", "--request", "PUT"]
    assert site.store("").status == "401"
    assert site.store("", "--user", "reader:a wrong password").status == "401"
    assert site.store("lab/one", *upload).status == "401"
    assert site.store("lab/one", *upload, "--user", READER).status == "401"
    assert site.store("lab/one", *upload, "--user", WRITER).status == "201"
    assert site.store("lab/one").status == "401"
    assert site.store("lab/one", "--user", READER) == Fetched("200", b"an image")
    assert json.loads(site.store("lab/", "--user", READER).body)[0]["name"] == "one"
    for method in ("DELETE", "MKCOL", "MOVE"):
        assert site.store("lab/one", "--request", method, "--user", READER).status == "401"
    assert site.store("lab/one", "--user", WRITER, "--request", "DELETE").status == "204"
    assert site.store("lab/one", "--user", READER).status == "404"


def test_a_writer_stays_in_the_store(site: Site) -> None:
    move = ["--user", WRITER, "--request", "MOVE", "--header"]
    script = site.fetch(BOOT_SCRIPT)
    assert site.store("lab/one", "--user", WRITER, "--request", "PUT", "--data-binary", "an image").status == "201"
    outside = ["http/boot.ipxe", "uploads/one", "storehouse/one", "store/lab/..", "store/../uploads/one"]
    outside += ["store/%2e%2e/uploads/one", "store/.%2E/uploads/one", "store/..%2fuploads/one"]
    for path in outside:
        for destination in (f"/{path}", f"https://{SERVER}/{path}"):
            assert site.store("lab/one", *move, f"Destination: {destination}").status == "403", destination
    assert site.fetch(BOOT_SCRIPT) == script
    assert site.store("lab/one", *move, "Destination: /store/lab/two", "--user", READER).status == "401"
    assert site.store("lab/one", *move, "Destination: /store/lab/two").status == "204"
    assert site.store("lab/two", *move, f"Destination: https://{SERVER}/store/lab/~three").status == "204"
    assert site.store("lab/~three", "--user", READER) == Fetched("200", b"an image")


def test_nobody_else_on_the_server_can_hold_up_check_ins(site: Site) -> None:
    folder = "/var/lib/golden.fleet/netboot"
    done = site.box.run("runuser", "-u", "nobody", "--", "flock", "--nonblock", folder, "true", check=False)
    assert "Permission denied" in done.stderr
    assert site.box.run("runuser", "-u", "golden-netboot", "--", "flock", folder, "true").returncode == 0


def test_only_the_servers_own_authority_vouches_for_it(site: Site) -> None:
    with pytest.raises(AssertionError, match="certificate"):
        site.fetch(f"https://{SERVER}/store/", "--cacert", "/etc/ssl/certs/ca-certificates.crt")


def test_a_token_counts_once(site: Site) -> None:
    token = site.make_entry(MAC, "pc-1")
    assert site.check_in("wrong") == "403"
    assert site.check_in(token, mac="52:54:00:00:00:00") == "403"
    assert site.check_in(token) == "204"
    assert site.check_in(token) == "204"  # the same machine, to which our answer got lost
    assert site.check_in(token, key="two") == "403"
    old = site.make_entry(MAC, "pc-1", age=60, lifetime=30)
    assert site.check_in(old) == "403"
    assert site.fetch(f"https://{SERVER}/checkin", "--data", "{}").status == "400"
    assert site.fetch(f"https://{SERVER}/checkin").status == "403"  # GET
    reasons = [
        "no entry has this token",
        "was shown by a machine without this address",
        "was used already, by another machine or boot",
        "has expired",
    ]
    refused = site.box.run("cat", "/var/lib/golden.fleet/netboot/refused.jsonl").stdout.splitlines()
    assert len(refused) == len(reasons)
    for reason, line in zip(reasons, refused):
        assert reason in json.loads(line)["reason"]
        assert json.loads(line)["address"] == site.boots("ipxe-uefi").address
    journal = site.journal()
    assert all(f"refused: {word}" in journal for word in ("no entry has this token", "the token of pc-1"))
    assert f"accepted: pc-1 ({MAC})" in journal
    assert token not in journal
    assert old not in journal


def test_logs_are_rotated(site: Site) -> None:
    (pid,) = site.pids()[1:]
    site.box.run("logrotate", "--force", "/etc/logrotate.d/golden.fleet")
    assert site.box.run("test", "-s", "/var/log/golden.fleet/dnsmasq.log.1", check=False).returncode == 0
    site.boots("uefi")
    site.fetch(BOOT_SCRIPT)
    assert "DHCPACK" in site.dhcp_log()
    assert "/boot.ipxe" in site.http_log()
    assert site.pids()[1] == pid


def test_the_certificate_is_renewed_in_time(site: Site) -> None:
    assert site.box.run("/usr/local/lib/golden.fleet/certificate").stdout == ""
    timers = site.box.run("systemctl", "list-timers", "--no-legend", "golden-fleet-*").stdout
    assert {"golden-fleet-certificate.timer", "golden-fleet-expire.timer"} <= set(timers.split())


def test_refuses_a_configuration_before_anything_is_restarted(site: Site) -> None:
    before, pids = site.box.run("cat", "/etc/golden.fleet/dnsmasq.conf").stdout, site.pids()
    done = site.play(dnsmasq_extra=["dhcp-hsot=52:54:00:12:34:01,10.77.0.20"])
    assert done.returncode != 0
    assert "bad option at line" in done.stdout
    assert site.box.run("cat", "/etc/golden.fleet/dnsmasq.conf").stdout == before
    assert site.pids() == pids
    assert site.boots("uefi").file == "snponly.efi"


def test_says_what_is_wrong_before_anything_is_changed(site: Site) -> None:
    before = site.files()
    for wrong, why in (
        ({"interface": "eth7"}, "has no interface eth7"),
        ({"dhcp_start": "10.78.0.1"}, "is no range within 10.77.0.0/24"),
        ({"dhcp_start": ""}, "the range of addresses is incomplete"),
        ({"reader_password": "short"}, "imaging_server_reader_password must be one line of 12 characters or more"),
        ({"writer_username": "reader"}, "must be two names"),
        ({"names": ["imaging;"]}, "must be host names or IPv4 addresses: imaging;"),
    ):
        done = site.play(parts=["preflight"], **wrong)
        assert done.returncode != 0
        assert why in done.stdout
    assert site.files() == before


def test_no_password_is_said(site: Site) -> None:
    assert not any(secret.partition(":")[2] in said for said in site.said for secret in (READER, WRITER))


# The site's own DHCP server


@pytest.fixture(scope="module")
def other(folder: Path, site: Site) -> t.Iterator[Container]:
    """Another server on the network, with the DHCP servers that docs/network.md has settings for."""
    (folder / "other").mkdir()
    tree = debian_tree(installed=["dnsmasq-base", "isc-dhcp-server", "kea-dhcp4-server"])
    with (
        Neighbour(site.network, "52:54:00:99:00:02", f"{SITE}/24") as neighbour,
        Container(folder / "other", tree, network=neighbour.name) as box,
    ):
        # Clients ask for an IPv6 router, too, and iPXE waits long for one. So one answers, that is none.
        neighbour.add_address("fd77::2/64")
        yield box


class Dhcp:
    """A DHCP server of the site, while it is needed."""

    def __init__(self, box: Container, config: str, *command: str) -> None:
        self._box = box
        box.run("tee", "/etc/site-dhcp.conf", stdin=config)
        box.run("systemd-run", "--quiet", "--unit=site-dhcp", *command)

    def __enter__(self) -> Dhcp:
        def listens() -> bool:
            return ":67 " in self._box.run("ss", "--no-header", "--udp", "--listening", "--numeric").stdout

        try:
            until(listens, "the site's DHCP server listens", 15)
        except AssertionError as error:
            raise AssertionError(self._box.run("journalctl", "--unit=site-dhcp").stdout) from error
        return self

    def __exit__(self, *_error: object) -> None:
        self._box.run("systemctl", "stop", "site-dhcp.service")


def site_dnsmasq(box: Container, more: str = "") -> Dhcp:
    config = "port=0\ninterface=eth0\nbind-interfaces\ndhcp-authoritative\nlog-dhcp\n"
    config += "dhcp-range=10.77.0.150,10.77.0.199,1h\ndhcp-option=option:router,10.77.0.254\n"
    config += "enable-ra\ndhcp-range=fd77::,ra-only,64\nra-param=eth0,60,0\n"
    command = ["dnsmasq", "--keep-in-foreground", "--conf-file=/etc/site-dhcp.conf", "--user=root"]
    return Dhcp(box, config + more, *command)


def site_kea(box: Container, more: str) -> Dhcp:
    config = {
        "interfaces-config": {"interfaces": ["eth0"]},
        "lease-database": {"type": "memfile", "persist": False},
        "subnet4": [
            {
                "id": 1,
                "subnet": "10.77.0.0/24",
                "pools": [{"pool": "10.77.0.150 - 10.77.0.199"}],
                "option-data": [{"name": "routers", "data": "10.77.0.254"}],
            }
        ],
        **json.loads(f"{{{more}}}"),
    }
    box.run("mkdir", "-p", "/run/kea")
    box.run("tee", "/etc/site-dhcp.conf", stdin=json.dumps({"Dhcp4": config}))
    box.run("kea-dhcp4", "-t", "/etc/site-dhcp.conf")
    return Dhcp(box, json.dumps({"Dhcp4": config}), "kea-dhcp4", "-c", "/etc/site-dhcp.conf")


def site_dhcpd(box: Container, more: str) -> Dhcp:
    subnet = "subnet 10.77.0.0 netmask 255.255.255.0 {\n  range 10.77.0.150 10.77.0.199;\n"
    config = f"authoritative;\n{more}\n{subnet}  option routers 10.77.0.254;\n}}\n"
    box.run("touch", "/var/lib/dhcp/dhcpd.leases")
    return Dhcp(box, config, "dhcpd", "-4", "-f", "-cf", "/etc/site-dhcp.conf", "eth0")


def example(heading: str) -> str:
    """The configuration that docs/network.md has for a DHCP server."""
    found = re.search(rf"^### {heading}$.*?^```\w*\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def test_proxy_adds_boot_files_to_what_the_site_says(site: Site, other: Container) -> None:
    assert "4011" in site.reconfigure(dhcp="proxy")
    files = {kind: file for kind, file in BOOT_FILES.items() if kind != "uefi-http"}
    with site_dnsmasq(other):
        for kind, file in files.items():
            answer = site.boots(kind)
            assert answer.offers == {SITE: True, SERVER: False}, kind
            assert (answer.router, answer.server, answer.file) == ("10.77.0.254", SERVER, file), kind
        with Neighbour(site.network, SIGNED_MAC) as signed:
            assert Site(site.folder, site.network, site.box, signed).boots("uefi").file == "shimx64.efi"


def test_proxy_boots_firmware(site: Site, other: Container) -> None:
    macs = {"uefi": "52:54:00:12:34:11", "bios": "52:54:00:12:34:12"}

    def fetched(mac: str) -> bool:
        return f"/netboot/{mac.replace(':', '-')}.ipxe" in site.http_log()

    with site_dnsmasq(other):
        for firmware, mac in macs.items():
            kind: t.Literal["uefi", "bios"] = "uefi" if firmware == "uefi" else "bios"
            with DisklessMachine(f"tap-{firmware}", kind, site.folder, site.network, mac) as machine:
                try:
                    until(lambda mac=mac: fetched(mac), f"{firmware} fetches its boot file", 120)  # type: ignore[misc]
                except AssertionError as error:
                    raise AssertionError(site.dhcp_log()[-3000:] + machine.console()[-2000:]) from error
    assert f"sent /srv/golden/tftp/snponly.efi to {SITE.rpartition('.')[0]}." in site.dhcp_log()


@pytest.mark.parametrize(
    ("heading", "start"), [("ISC Kea", site_kea), ("dnsmasq", site_dnsmasq), ("ISC dhcpd", site_dhcpd)]
)
def test_settings_for_the_sites_own_server(
    site: Site, other: Container, heading: str, start: t.Callable[[Container, str], Dhcp]
) -> None:
    said = site.reconfigure(dhcp="none")
    assert all(file in said for file in (*BOOT_FILES.values(), "shimx64.efi"))
    with start(other, example(heading)):
        for kind, file in BOOT_FILES.items():
            answer = site.boots(kind)
            assert answer.offers == {SITE: True}
            assert (answer.router, answer.server, answer.file) == ("10.77.0.254", SERVER, file), kind
        assert site.boots("uefi-http").vendor == "HTTPClient"
        with Neighbour(site.network, SIGNED_MAC) as signed:
            assert Site(site.folder, site.network, site.box, signed).boots("uefi").file == "shimx64.efi"
        assert site.fetch(f"tftp://{SERVER}/snponly.efi").body[:2] == b"MZ"


def test_another_dhcp_server_may_run_beside_it_if_it_offers_none(site: Site) -> None:
    """Last but one, as the server offers none now."""
    code = "import socket, time; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('', 67)); time.sleep(999)"
    site.box.run("systemd-run", "--quiet", "--unit=rival", "python3", "-c", code)
    assert site.play(parts=["preflight"], dhcp="none").returncode == 0
    done = site.play(parts=["preflight"])
    site.box.run("systemctl", "stop", "rival.service")
    assert done.returncode != 0
    assert "another program has ports that the imaging server needs (UDP 67, 69 for DHCP and TFTP" in done.stdout


def test_expired_entries_go_by_themselves(site: Site) -> None:
    """Last, since the timer comes once a minute."""
    mac = "52:54:00:12:34:ff"
    until(lambda: site.entry_state(mac) == "expired", "the timer has withdrawn the entry", 80)
    assert site.fetch(f"http://{SERVER}/netboot/{mac.replace(':', '-')}.ipxe").status == "404"
    assert f"the entry of pc-late ({mac}) has expired" in site.journal()
