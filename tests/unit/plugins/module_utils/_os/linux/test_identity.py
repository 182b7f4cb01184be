# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError
from ansible_collections.golden.fleet.plugins.module_utils._os.beneath import Root
from ansible_collections.golden.fleet.plugins.module_utils._os.linux import made
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.identity import LOGS, PARTS, apply
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import LINUX, Tree
from ansible_collections.golden.fleet.tests.support.disks import call

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files are given to root")

USUAL = tuple(part for part in PARTS if part != LOGS)
UUID = "0d5ba5c4-4b0c-4a41-9f39-3b8c4f6f2f11"
PROFILE = "[connection]\nid=office\n\n[ethernet]\n{}mac-address-blacklist=\n\n[ipv4]\nmethod=auto\n"
BOUND = "mac-address=52:54:00:12:34:56\n"
# What goes.
LEFTOVERS = (
    "var/lib/systemd/random-seed",
    "var/lib/systemd/credential.secret",
    "boot/efi/loader/random-seed",
    "var/lib/dhcp/dhclient.eth0.leases",
    "var/lib/NetworkManager/internal-1-eth0.lease",
    "var/lib/NetworkManager/secret_key",
    "etc/udev/rules.d/70-persistent-net.rules",
    "etc/lvm/devices/system.devices",
    "etc/lvm/devices/backup/system.devices-1",
    "var/lib/cloud/instances/i-1/user-data.txt",
    "var/lib/cloud/sem/x",
    "etc/krb5.keytab",
    "var/lib/sss/db/cache_lab.example.ldb",
    "var/lib/sss/secrets/.secrets.mkey",
    "var/lib/sss/pubconf/kdcinfo.LAB.EXAMPLE",
    "var/lib/sss/pubconf/krb5.include.d/domain_realm_lab",
    "var/lib/samba/private/secrets.tdb",
    "etc/ssh/ssh_host_dsa_key",
    "etc/ssh/ssh_host_ed25519_key-cert.pub",
)
# What stays.
OTHERS = (
    "etc/udev/rules.d/10-local.rules",
    "var/lib/cloud/seed/nocloud/user-data",
    "var/lib/samba/private/passdb.tdb",
    "var/lib/NetworkManager/NetworkManager.state",
    "var/log/syslog",
    "var/log/syslog.1",
    "etc/ssh/sshd_config",
    "etc/ssh/ssh_config",
)


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(made, "_FILE", tmp_path / "run/made")
    return tmp_path / "run/made"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    files = {
        "etc/hostname": "pc-1\n",
        "etc/group": "root:x:0:\nssh_keys:x:101:\n",
        "etc/machine-id": f"{'0f' * 16}\n",
        "var/lib/dbus/machine-id": f"{'0f' * 16}\n",
        "etc/ssh/ssh_host_rsa_key": "old",
        "etc/ssh/ssh_host_ed25519_key": "old",
        "etc/ssh/ssh_host_ed25519_key.pub": "old",
        "etc/NetworkManager/system-connections/office.nmconnection": PROFILE.format(BOUND),
        "etc/iscsi/initiatorname.iscsi": "## DO NOT EDIT\nInitiatorName=iqn.1993-08.org.debian:01:abcdef012345\n",
        "etc/nvme/hostid": f"{UUID}\n",
        "etc/nvme/hostnqn": f"nqn.2014-08.org.nvmexpress:uuid:{UUID}\n",
        "etc/netplan/50-cloud-init.yaml": "ethernets:\n  a:\n    match:\n      macaddress: 52:54:00:1:2:3\n",
        **dict.fromkeys((*LEFTOVERS, *OTHERS), "content"),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "etc/NetworkManager/system-connections/office.nmconnection").chmod(0o600)
    os.chown(root / "etc/ssh/ssh_host_rsa_key", 0, 101)
    (root / "etc/ssh/ssh_host_rsa_key").chmod(0o640)
    os.chown(root / "etc/ssh/ssh_host_ed25519_key", 1000, 1000)
    (root / "etc/ssh/ssh_host_ed25519_key").chmod(0o644)
    return root


@pytest.fixture
def tree(folder: Path) -> Tree:
    return Tree(Root(str(folder)), LINUX, {})


def texts(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_computer_of_its_own(tree: Tree, folder: Path, memory: Path) -> None:
    before = texts(folder)
    would = apply(tree, USUAL, check=True)
    assert would["changed"]
    assert texts(folder) == before
    assert not memory.exists()
    done = apply(tree, USUAL, check=False)
    assert done["diff"] == would["diff"]
    for name in LEFTOVERS:
        assert not (folder / name).exists(), name
    for name in OTHERS:
        assert (folder / name).read_text() == "content", name
    assert (folder / "var/lib/sss/pubconf/krb5.include.d").is_dir(), "krb5.conf includes it"
    assert (folder / "etc/machine-id").read_bytes() == b""
    assert os.readlink(folder / "var/lib/dbus/machine-id") == "/etc/machine-id"
    profile = folder / "etc/NetworkManager/system-connections/office.nmconnection"
    assert profile.read_text() == PROFILE.format("")
    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    assert len(done["notes"]) == 1
    assert "50-cloud-init.yaml" in done["notes"][0]
    after = texts(folder)
    again = apply(tree, USUAL, check=False)
    assert (again["changed"], again["ssh_host_keys"]) == (False, done["ssh_host_keys"])
    assert texts(folder) == after


def test_names_at_servers_of_disks(tree: Tree, folder: Path) -> None:
    apply(tree, ["storage_names"], check=False)
    iscsi = (folder / "etc/iscsi/initiatorname.iscsi").read_text()
    assert iscsi.startswith("## DO NOT EDIT\nInitiatorName=iqn.1993-08.org.debian:01:")
    assert "abcdef012345" not in iscsi
    host = (folder / "etc/nvme/hostid").read_text()
    assert host != f"{UUID}\n"
    assert (folder / "etc/nvme/hostnqn").read_text() == f"nqn.2014-08.org.nvmexpress:uuid:{host}"


def test_host_keys(tree: Tree, folder: Path, memory: Path, tmp_path: Path) -> None:
    found = apply(tree, ["ssh_host_keys"], check=False)
    assert [key.split()[0] for key in found["ssh_host_keys"]] == ["ssh-ed25519", "ssh-rsa"]
    for kind in ("rsa", "ed25519"):
        private, public = folder / f"etc/ssh/ssh_host_{kind}_key", folder / f"etc/ssh/ssh_host_{kind}_key.pub"
        (tmp_path / "copy").write_bytes(private.read_bytes())
        (tmp_path / "copy").chmod(0o600)
        said = call("ssh-keygen", "-y", "-f", tmp_path / "copy")
        assert said.split()[:2] == public.read_text().split()[:2]
        assert public.read_text().endswith(" root@pc-1\n")
    info = (folder / "etc/ssh/ssh_host_rsa_key").stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (0, 101, 0o640)
    info = (folder / "etc/ssh/ssh_host_ed25519_key").stat()
    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (0, 0, 0o600)
    (folder / "etc/ssh/ssh_host_rsa_key.pub").write_text("another's")
    found = apply(tree, ["ssh_host_keys"], check=False)
    assert found["diff"]["after"] == "SSH host key (rsa) is made\n"
    memory.unlink()
    assert apply(tree, ["ssh_host_keys"], check=True)["changed"], "an image that we have made keys for is captured"


def test_a_server_without_keys(tmp_path: Path) -> None:
    (tmp_path / "usr/sbin").mkdir(parents=True)
    tree = Tree(Root(str(tmp_path)), LINUX, {})
    assert apply(tree, USUAL, check=False)["ssh_host_keys"] == []
    (tmp_path / "usr/sbin/sshd").touch()
    assert len(apply(tree, USUAL, check=False)["ssh_host_keys"]) == 3
    assert not apply(tree, USUAL, check=False)["changed"]


def test_what_is_kept(tree: Tree, folder: Path) -> None:
    before = texts(folder)
    found = apply(tree, [], check=False)
    assert (found["changed"], found["notes"]) == (False, [])
    assert texts(folder) == before


def test_an_image_that_was_prepared_keeps_its_machine_id(tree: Tree, folder: Path) -> None:
    (folder / "etc/machine-id").write_text("uninitialized\n")
    (folder / "var/lib/dbus/machine-id").unlink()
    assert not apply(tree, ["machine_id"], check=False)["changed"]


def test_logs(tree: Tree, folder: Path) -> None:
    (folder / "var/log/journal/0f").mkdir(parents=True)
    (folder / "var/log/journal/0f/system.journal").write_text("x")
    (folder / "var/log/oddlog").mkdir()
    os.mkfifo(folder / "var/log/fifolog")
    (folder / "var/log/wtmp").write_text("x")
    assert apply(tree, [LOGS], check=False)["changed"]
    assert sorted(os.listdir(folder / "var/log")) == ["fifolog", "journal", "oddlog", "syslog", "wtmp"]
    assert os.listdir(folder / "var/log/journal") == []
    assert (folder / "var/log/syslog").read_bytes() == b""
    assert not apply(tree, [LOGS], check=False)["changed"]


def test_links_are_taken_away_and_not_what_they_lead_to(tree: Tree, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/system.devices").write_text("the host's")
    (folder / "etc/lvm/devices/system.devices").unlink()
    (folder / "etc/lvm/devices/system.devices").symlink_to(tmp_path / "outside/system.devices")
    (folder / "var/lib/dhcp/dhclient.eth0.leases").unlink()
    (folder / "var/lib/dhcp").rmdir()
    (folder / "var/lib/dhcp").symlink_to(f"../../..{tmp_path}/outside")
    apply(tree, USUAL, check=False)
    assert (tmp_path / "outside/system.devices").read_text() == "the host's"
    assert not (folder / "etc/lvm/devices/system.devices").is_symlink()


def test_a_trap(tree: Tree, folder: Path) -> None:
    (folder / "etc/machine-id").unlink()
    os.mkfifo(folder / "etc/machine-id")
    with pytest.raises(OsError, match="/etc/machine-id of the deployed system is no plain file"):
        apply(tree, USUAL, check=False)
    assert (folder / "etc/krb5.keytab").exists(), "nothing is done by halves"


def test_labels_are_renewed(tree: Tree, folder: Path) -> None:
    (folder / "etc/selinux").mkdir()
    (folder / "etc/selinux/config").write_text("SELINUX=permissive\n")
    assert "labels" in apply(tree, ["domain"], check=False)["diff"]["after"]
    assert (folder / ".autorelabel").exists()
    assert not apply(tree, ["domain"], check=False)["changed"]


def test_cloud_init_does_not_replace_the_keys(tree: Tree, folder: Path) -> None:
    order = folder / "etc/cloud/cloud.cfg.d/zz-golden-ssh.cfg"
    apply(tree, USUAL, check=False)
    assert not order.exists(), "there is no cloud-init"
    (folder / "etc/cloud").mkdir()
    (folder / "etc/cloud/cloud.cfg").write_text("ssh_deletekeys: true\n")
    assert not apply(tree, (), check=False)["changed"]
    assert apply(tree, USUAL, check=False)["changed"]
    assert order.read_text().splitlines()[-1] == "ssh_deletekeys: false"
    assert not apply(tree, USUAL, check=False)["changed"]


@pytest.mark.parametrize("name", [b"a\0b\n", b"two words\n", b"\xff\n"])
def test_keys_of_a_computer_whose_name_is_none(tree: Tree, folder: Path, name: bytes) -> None:
    (folder / "etc/hostname").write_bytes(name)
    keys = apply(tree, USUAL, check=False)["ssh_host_keys"]
    assert [key.split()[0] for key in keys] == ["ssh-ed25519", "ssh-rsa"]
    assert (folder / "etc/ssh/ssh_host_rsa_key.pub").read_text().split()[2:] == ["root@localhost"]
