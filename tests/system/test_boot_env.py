# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot environment, booted: DHCP by dnsmasq, nginx with the real check-in server behind it, SSH, Ansible."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import BOOT_ENV, new_entry
from ansible_collections.golden.fleet.plugins.module_utils._netboot.entry import BootEnv as Instructions
from ansible_collections.golden.fleet.plugins.module_utils._netboot.folder import Checkin
from ansible_collections.golden.fleet.tests.support.boot_env import BootEnv, boot_env
from ansible_collections.golden.fleet.tests.support.checkins import CheckinServer
from ansible_collections.golden.fleet.tests.support.network import Network
from ansible_collections.golden.fleet.tests.support.nginx import make_certificate
from ansible_collections.golden.fleet.tests.support.playbook import ansible_environment
from ansible_collections.golden.fleet.tests.support.qemu import NetworkMachine
from ansible_collections.golden.fleet.tests.support.service import Service

pytestmark = pytest.mark.slow

MAC = "52:54:00:77:00:01"
IDLE = 10
LARGEST = 110_000_000  # bytes that a machine has to fetch
PATIENCE = 180.0

NGINX = """\
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ }}
http {{
    access_log {folder}/nginx-access.log;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-unused;
    fastcgi_temp_path {folder}/nginx-unused;
    uwsgi_temp_path {folder}/nginx-unused;
    scgi_temp_path {folder}/nginx-unused;
    server {{
        listen {address}:443 ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        location = /checkin {{
            limit_except POST {{ deny all; }}
            proxy_pass http://unix:{socket}:;
            proxy_set_header X-Real-IP $remote_addr;
        }}
    }}
}}
"""


class Imaging:
    """An imaging server in a network of its own, and the boot environment that trusts it."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder = folder
        self.network = network
        self.key = folder / "id_ed25519"
        self._checkins = CheckinServer(folder)
        self.netboot = self._checkins.netboot
        self._services: list[Service] = []

    def start(self) -> None:
        self._checkins.start()
        make_certificate(self.folder, [self.network.server])
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self._start_dhcp()
        self._start_nginx()

    def stop(self) -> None:
        for service in (*self._services, self._checkins):
            service.stop()

    def build(self) -> BootEnv:
        return boot_env(
            self.folder / "http" / "boot-env",
            ca=(self.folder / "ca.pem").read_text(),
            authorized_keys=[self.key.with_suffix(".pub").read_text()],
            idle=IDLE,
            parameters=["mitigations=off"],  # an emulated processor has nothing to protect
        )

    def ssh(self, *options: str) -> list[str]:
        """A command that accepts only the host key of the check-in."""
        own = ["-F", "none", "-o", f"UserKnownHostsFile={self.folder}/known_hosts", "-o", "StrictHostKeyChecking=yes"]
        return self.network.inside("ssh", *own, "-o", "BatchMode=yes", "-i", self.key, *options)

    def _run(self, name: str, command: t.Sequence[str | Path], answers: t.Callable[[], bool]) -> None:
        service = Service(self.folder, name)
        self._services.append(service)
        service.start(self.network.inside(*command), answers)

    def _start_dhcp(self) -> None:
        first = self.network.server.rpartition(".")[0]
        options = [
            "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--pid-file=", "--user=root",
            f"--interface={self.network.bridge}", "--bind-interfaces", f"--dhcp-range={first}.50,{first}.99,1h",
            f"--dhcp-leasefile={self.folder}/leases", f"--log-facility={self.folder}/dnsmasq.log",
        ]  # fmt: skip
        self._run("dnsmasq", ["dnsmasq", *options], lambda: "started" in _text(self.folder / "dnsmasq.log"))

    def _start_nginx(self) -> None:
        config = self.folder / "nginx.conf"
        config.write_text(NGINX.format(folder=self.folder, address=self.network.server, socket=self._checkins.socket))
        self._run("nginx", ["nginx", "-c", config], (self.folder / "nginx.pid").exists)


class Booted(t.NamedTuple):
    imaging: Imaging
    env: BootEnv
    machine: NetworkMachine
    token: str
    checkin: Checkin
    seconds: float
    session: subprocess.Popen[bytes]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.imaging.ssh(), f"root@{self.checkin.address}", command], capture_output=True, text=True, check=False
        )


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def machine_of(imaging: Imaging, env: BootEnv, name: str, token: str) -> NetworkMachine:
    machine = NetworkMachine(name, imaging.folder, imaging.network, MAC, env.kernel, env.initrd)
    url = f"https://{imaging.network.server}/checkin"
    bootif = f"BOOTIF=01-{MAC.replace(':', '-')}"
    machine.cmdline = f"{env.cmdline} golden.checkin={url} golden.token={token} {bootif}"
    return machine


@pytest.fixture(scope="module")
def imaging() -> t.Iterator[Imaging]:
    # Sockets have short names, and the folder of a socket is nginx's to enter.
    folder = Path(f"/tmp/golden-{os.getpid()}")
    folder.mkdir(mode=0o755)
    try:
        with Network() as network:
            server = Imaging(folder, network)
            try:
                server.start()
                yield server
            finally:
                server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def booted(imaging: Imaging) -> t.Iterator[Booted]:
    """A machine that has checked in, with somebody logged in, so that it stays."""
    env = imaging.build()
    entry = new_entry(MAC, "pc-1", BOOT_ENV, int(time.time()), 600, {})
    imaging.netboot.put(entry, Instructions(env.digest, "", "", ""))
    with machine_of(imaging, env, "tap1", entry.token) as machine:
        started = time.monotonic()
        while not (checkin := imaging.netboot.checkin(entry.id)):
            assert not machine.ended(), machine.console()
            assert time.monotonic() - started < PATIENCE, machine.console()
            time.sleep(0.1)
        seconds = time.monotonic() - started
        (imaging.folder / "known_hosts").write_text(f"{checkin.address} {checkin.report.ssh_host_key}\n")
        login = [*imaging.ssh(), f"root@{checkin.address}", "exec sleep 1d"]
        with subprocess.Popen(login, stdin=subprocess.DEVNULL) as session:
            try:
                yield Booted(imaging, env, machine, entry.token, checkin, seconds, session)
            finally:
                session.terminate()


def test_is_small(booted: Booted) -> None:
    assert booted.env.kernel.stat().st_size + booted.env.initrd.stat().st_size < LARGEST


def test_tells_what_machine_it_is(booted: Booted, record_property: t.Callable[[str, object], None]) -> None:
    record_property("seconds to the check-in", booted.seconds)
    report = booted.checkin.report
    assert report.macs == (MAC,)
    assert report.addresses == (booted.checkin.address,)
    assert report.dmi == {
        "vendor": "Example Inc.",
        "model": "Desktop 7",
        "serial": "S-1234",
        "uuid": report.dmi["uuid"],
    }
    assert (report.firmware, report.secure_boot, report.boot_env) == ("bios", None, booted.env.digest)
    assert 1.8 < report.memory / 2**30 < 2
    assert [(disk["path"], disk["serial"], disk["size"]) for disk in report.disks] == [("/dev/vda", "D-1", 1 << 30)]


def test_has_the_time_of_the_server(booted: Booted) -> None:
    assert "the clock of this machine was wrong" in booted.machine.console()
    assert abs(int(booted.run("date +%s").stdout) - time.time()) < 10


def test_controller_gets_in_by_the_key_of_the_check_in(booted: Booted) -> None:
    done = booted.run("id -un")
    assert (done.returncode, done.stdout) == (0, "root\n"), done.stderr


def test_nobody_else_gets_in(booted: Booted) -> None:
    stranger = booted.imaging.folder / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    keyless = ["-o", "IdentityFile=none", "-o", "IdentitiesOnly=yes"]
    for options in (
        [*keyless, "-o", "PreferredAuthentications=password,keyboard-interactive"],
        ["-i", str(stranger), *keyless],
    ):
        command = [each for each in booted.imaging.ssh() if each not in {"-i", str(booted.imaging.key)}]
        done = subprocess.run(
            [*command, *options, f"root@{booted.checkin.address}", "true"], capture_output=True, text=True, check=False
        )
        assert "Permission denied (publickey)" in done.stderr


def test_only_ssh_listens(booted: Booted) -> None:
    listening = booted.run("ss --no-header --listening --numeric --tcp --udp | awk '{print $5}'").stdout.split()
    others = [each for each in listening if not each.startswith(("127.", "[::1]"))]
    assert {each.rpartition(":")[2] for each in others} <= {"22", "68"}  # 68: the DHCP client


def test_libraries_and_programs_are_there(booted: Booted) -> None:
    imports = "import blake3, bz2, ctypes, lzma, netaddr, packaging, requests, tzlocal, zstandard"
    registry = 'ctypes.CDLL("libhivex.so.0")'
    probe = f"/usr/bin/python3 -c '{imports}; {registry}; print(blake3.__version__)'"
    assert booted.run(probe).stdout.startswith("1.")
    programs = (
        "blkid btrfs btrfstune cryptsetup dmidecode e2fsck efibootmgr fatlabel fsck.exfat fsck.f2fs losetup lsblk lvm "
        "mcopy mkfs.vfat mount mshowfat ntfsclone ntfslabel partclone.ext4 sfdisk swaplabel tune2fs wimlib-imagex "
        "xfs_admin xfs_repair"
    )
    assert booted.run(f"for each in {programs}; do command -v $each >/dev/null || echo $each; done").stdout == ""


def test_drivers_of_file_systems_are_there(booted: Booted) -> None:
    done = booted.run("modprobe --all btrfs ext4 xfs vfat nls_cp437 nls_ascii exfat f2fs hfsplus fuse loop dm_crypt")
    assert done.returncode == 0, done.stderr


def test_nothing_failed_and_nobody_has_a_shell(booted: Booted) -> None:
    assert booted.run("systemctl --failed --quiet").stdout == ""
    assert booted.run("ps -o comm= -C agetty,login,sulogin").stdout == ""
    assert booted.run("pgrep --terminal tty1,tty2,ttyS0").stdout == ""


def test_command_line_has_no_secret_but_the_token(booted: Booted) -> None:
    assert booted.run("cat /proc/cmdline").stdout.split() == [*booted.machine.cmdline.split()]


def inventory_of(booted: Booted) -> Path:
    folder = booted.imaging.folder
    inventory = folder / "inventory.json"
    host = {
        "ansible_host": booted.checkin.address,
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(booted.imaging.key),
        "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={folder}/known_hosts -o StrictHostKeyChecking=yes",
        "ansible_ssh_args": "-o ControlMaster=no",
    }
    inventory.write_text(json.dumps({"all": {"hosts": {"pc-1": host}}}))
    return inventory


def ansible(booted: Booted, *command: str | Path) -> str:
    done = subprocess.run(
        booted.imaging.network.inside(*command),
        env=ansible_environment(booted.imaging.folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_modules_run_there(booted: Booted) -> None:
    module = ["-m", "golden.fleet.disk_info", "-a", "contents=true"]
    said = ansible(booted, "ansible", "pc-1", "-i", inventory_of(booted), *module)
    (disk,) = json.loads(said.partition("=>")[2])["disks"]
    assert (disk["serial"], disk["eligible"], disk["contents"]) == ("D-1", True, [])


LOGICAL_VOLUMES = r"""
set -e
sfdisk --quiet /dev/vda <<END
label: gpt
size=40MiB, type=uefi
size=64MiB, name=boot
type=lvm
END
udevadm settle
mkfs.vfat -i BADDCAFE /dev/vda1 >/dev/null
mkfs.ext4 -q /dev/vda2
pvcreate -q /dev/vda3
vgcreate -q vg-0 /dev/vda3
lvcreate -q -n root -L 96m vg-0
lvcreate -q -n home -L 320m vg-0
lvcreate -q --type thin-pool -n pool -L 64m vg-0
lvcreate -q --thin -n data -V 128m --thinpool pool vg-0
mkfs.ext4 -q /dev/vg-0/root
mkfs.xfs -q -L home /dev/vg-0/home
mkfs.ext4 -q /dev/vg-0/data
mount /dev/vg-0/root /mnt
mkdir -p /mnt/etc /mnt/boot
echo 'ID=debian' >/mnt/etc/os-release
cat >/mnt/etc/fstab <<END
/dev/mapper/vg--0-root / ext4 errors=remount-ro 0 1
PARTLABEL=boot /boot ext4 defaults 0 2
UUID=BADD-CAFE /boot/efi vfat umask=0077 0 1
LABEL=home /home xfs defaults 0 2
/dev/vg-0/data /srv ext4 defaults 0 2
END
umount /mnt
vgchange -q --activate n vg-0
"""

DEPLOYED = """
- hosts: pc-1
  gather_facts: false
  tasks:
    - golden.fleet.os_mount:
        state: probed
      register: probed
    - golden.fleet.os_mount:
      register: mounted
    - golden.fleet.os_mount:
      register: again
    - ansible.builtin.raw: touch /run/golden.fleet/os/home/note /run/golden.fleet/os/boot/efi/note && findmnt --real
    - golden.fleet.os_mount:
        state: unmounted
      register: unmounted
    - ansible.builtin.raw: dmsetup ls; losetup --list --noheadings; grep golden.fleet /proc/self/mountinfo
      register: left
      failed_when: false
    - golden.fleet.deployed_marker:
        disk: auto
        image: lab-a:2026.11
        digest: "{{ 'a' * 64 }}"
        deploy: 5f0c9d6f8a0d1b7f
        at: "2026-11-01T12:00:00Z"
      register: marked
    - golden.fleet.deployed_info:
        disk: auto
      register: info
    - ansible.builtin.assert:
        that:
          - probed.mounts | map(attribute='source') | sort == ['2', 'vg-0/root']
          - probed.skipped | map(attribute='path') | sort == ['/boot/efi', '/home', '/srv']
          - mounted is changed and again is not changed and unmounted is changed
          - mounted.firmware == ['uefi'] and mounted.partition == 'vg-0/root' and mounted.skipped == []
          - mounted.mounts | map(attribute='path') | sort == ['/', '/boot', '/boot/efi', '/home', '/srv']
          - mounted.mounts == again.mounts
          - left.stdout_lines | reject('match', 'No devices found') | list == []
          - marked is changed and info.marker.image == 'lab-a:2026.11' and info.release.id == 'debian'
        fail_msg: "{{ [probed, mounted, again, unmounted, left, marked, info] | to_nice_json }}"
"""


def test_systems_on_logical_volumes(booted: Booted) -> None:
    """Here, because where the tests run, the kernel may have no device mapper."""
    done = booted.run(LOGICAL_VOLUMES)
    assert done.returncode == 0, done.stderr
    playbook = booted.imaging.folder / "deployed.yml"
    playbook.write_text(DEPLOYED)
    ansible(booted, "ansible-playbook", "-i", inventory_of(booted), playbook)
    look = "vgchange --activate y vg-0 >/dev/null && mount /dev/vg-0/home /mnt && ls /mnt && umount /mnt"
    assert booted.run(f"{look} && vgchange --activate n vg-0 >/dev/null").stdout == "note\n"


def test_console_tells_how_things_stand(booted: Booted) -> None:
    console = booted.machine.console()
    assert "Example Inc. Desktop 7, serial S-1234" in console
    assert f"{booted.checkin.address}; network cards: " in console
    assert MAC in console
    assert f"{booted.imaging.network.server} accepted this machine at" in console
    assert "Waiting for the controller." in console
    assert booted.token not in console


def test_goes_back_to_its_disk_when_nobody_needs_it(booted: Booted) -> None:
    booted.session.terminate()
    booted.machine.wait_for_end(IDLE + 40)
    assert "nobody needs this machine" in booted.machine.console()


def test_token_counts_once(booted: Booted) -> None:
    """Another machine, or this one once more, shows a token that was used: it is told on its screen."""
    with machine_of(booted.imaging, booted.env, "tap2", booted.token) as machine:
        machine.wait_for("the server refused this machine", PATIENCE)
        machine.wait_for("This machine restarts in 60 seconds and then boots from its disk", PATIENCE)
    assert [each["reason"] for each in booted.imaging.netboot.refusals()] == [
        "the token of pc-1 was used already, by another machine or boot"
    ]
