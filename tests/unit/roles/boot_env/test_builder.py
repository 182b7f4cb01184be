# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that builds a boot environment: its parts, without a mirror."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.roles.boot_env.files.builder import archive, drivers, mirrors, overlay, packages
from ansible_collections.golden.fleet.roles.boot_env.files.builder.publish import is_current, publish
from ansible_collections.golden.fleet.roles.boot_env.files.builder.settings import Settings
from ansible_collections.golden.fleet.roles.boot_env.files.builder.tools import BuildFailed, call
from ansible_collections.golden.fleet.tests.support.boot_env import defaults

TRANSCRIPTS = Path(__file__).with_name("transcripts")
MODULES = (TRANSCRIPTS / "modules.dep-6.1.txt").read_text()


def settings(**changed: t.Any) -> Settings:
    return Settings.of({**defaults(), "ca": "CA\n", "authorized_keys": ["ssh-ed25519 AAAA me"], **changed})


# settings


@pytest.mark.parametrize(
    ("name", "value"),
    [("idle", "soon"), ("idle", True), ("packages", "udev"), ("modules", [1]), ("console_shell", 2), ("suite", None)],
)
def test_wrong_variable_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"boot_env_{name} is"):
        settings(**{name: value})


def test_variables_from_the_command_line_are_text() -> None:
    found = settings(idle="60", console_shell="True")
    assert (found.idle, found.console_shell) == (60, True)


@pytest.mark.parametrize("value", ["", "de;reboot", "de nodeadkeys x", "$(id)"])
def test_keyboard_is_a_layout(value: str) -> None:
    with pytest.raises(ValueError, match="boot_env_keyboard"):
        settings(keyboard=value)


def test_missing_variable() -> None:
    with pytest.raises(ValueError, match="settings must be"):
        Settings.of({"suite": "bookworm"})


def test_keys_and_certificates_do_not_touch_the_packages() -> None:
    one, other = settings(), settings(ca="other", authorized_keys=["k"], idle=5, consoles=["tty0"], parameters=["x=1"])
    assert one.of_packages() == other.of_packages()
    assert one.of_packages() != settings(modules=["nbd"]).of_packages()


def test_kernel_is_told_what_belongs_to_it() -> None:
    found = settings(consoles=["tty0", "ttyS1,9600"], parameters=["mitigations=off"]).cmdline()
    assert found == "console=tty0 console=ttyS1,9600 panic=30 oops=panic quiet mitigations=off"


# packages


def test_versions_from_a_simulation() -> None:
    found = packages.installs((TRANSCRIPTS / "apt-2.6.1-simulate.txt").read_text())
    assert found == {
        "dpkg": "1.21.23",
        "libc6": "2.36-9+deb12u14",
        "openssh-server": "1:9.2p1-2+deb12u10",
        "perl-base": "5.36.0-7+deb12u4",
    }


def test_installed_must_be_what_was_resolved() -> None:
    resolved = {"libc6": "1", "usrmerge": "37"}
    assert packages.agree(resolved, {"libc6": "1", "usr-is-merged": "37"})
    assert not packages.agree(resolved, {"libc6": "2"})
    assert not packages.agree(resolved, {"libc6": "1", "less": "1"})


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_mirrors_of_the_host(suite: str) -> None:
    listing = (TRANSCRIPTS / "apt-2.6.1-indextargets.txt").read_text()
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert mirrors.sources_of(listing, suite, ["main", "contrib"]) == [
        f"deb {key} http://mirror.example/debian/ {suite} main contrib",
        f"deb {key} http://mirror.example/debian/ {suite}-updates main contrib",
        f"deb {key} http://mirror.example/debian-security/ {suite}-security main contrib",
    ]


def test_mirrors_that_were_given_are_taken_as_they_are() -> None:
    line = "deb http://mirror.example/debian bookworm main"
    assert mirrors.sources(settings(mirrors=[line])) == [line]


def test_package_that_no_mirror_has_is_named(tmp_path: Path) -> None:
    (tmp_path / "Packages").touch()
    line = f"deb [trusted=yes] copy:{tmp_path} ./"
    with pytest.raises(BuildFailed, match="mmdebstrap failed"):
        packages.resolve(settings(packages=["no-such-package"]), [line])


# drivers


def test_drivers_that_stay_come_with_what_they_need() -> None:
    kept = drivers.select(MODULES, [])
    assert "kernel/fs/ext4/ext4.ko" in kept
    assert "kernel/fs/jbd2/jbd2.ko" in kept
    assert "kernel/net/core/failover.ko" in kept
    assert "kernel/drivers/hid/hid.ko" in kept
    assert not [path for path in kept if "lpfc" in path or "iwlwifi" in path or "sound" in path]


@pytest.mark.parametrize("wanted", ["drivers/net/wireless", "iwlwifi"])
def test_more_drivers(wanted: str) -> None:
    kept = drivers.select(MODULES, [wanted])
    assert "kernel/drivers/net/wireless/intel/iwlwifi/iwlwifi.ko" in kept
    assert "kernel/net/wireless/cfg80211.ko" in kept


@pytest.mark.parametrize("wanted", ["lpfc", "drivers/scsi/lpfc"])
def test_drivers_that_are_left_out_can_be_had(wanted: str) -> None:
    assert "kernel/drivers/scsi/lpfc/lpfc.ko" in drivers.select(MODULES, [wanted])


def test_driver_that_is_none() -> None:
    with pytest.raises(BuildFailed, match="boot_env_modules: .*'nfvb'"):
        drivers.select(MODULES, ["nfvb"])


def test_firmware_that_is_asked_for() -> None:
    wanted = ["rtl_nic/rtl8168h-2.fw", "bnx2x/bnx2x-e2-*.fw"]
    assert drivers.asked_for("rtl_nic/rtl8168h-2.fw", wanted)
    assert drivers.asked_for("bnx2x/bnx2x-e2-7.13.21.0.fw", wanted)
    assert not drivers.asked_for("rtl_nic/rtl8125a-3.fw", wanted)


# the files of this site


def unpack(image: Path, folder: Path) -> None:
    folder.mkdir()
    subprocess.run(f"zstd -dcq --long=27 {image} | cpio -idm --quiet", shell=True, cwd=folder, check=True)


def test_same_files_are_the_same_archive(tmp_path: Path) -> None:
    for name, order in (("one", ["b", "a"]), ("two", ["a", "b"])):
        for each in order:
            (tmp_path / name / each).mkdir(parents=True)
            (tmp_path / name / each / "file").write_text(each)
        (tmp_path / name / "link").symlink_to("a")
        os.utime(tmp_path / name / "a" / "file", (len(order), 1 if name == "one" else 2))
        archive.pack(tmp_path / name, tmp_path / f"{name}.img")
    assert (tmp_path / "one.img").read_bytes() == (tmp_path / "two.img").read_bytes()
    unpack(tmp_path / "one.img", tmp_path / "back")
    assert (tmp_path / "back" / "link" / "file").read_text() == "a"
    assert stat.S_IMODE((tmp_path / "back").stat().st_mode) == 0o755


def test_files_of_a_site(tmp_path: Path) -> None:
    digest = overlay.lay_out(settings(), "base-1", tmp_path / "files")
    root = tmp_path / "files"
    config = json.loads((root / "etc/golden.fleet/boot-env.json").read_text())
    assert config == {"digest": digest, "idle": 3600}
    assert (root / "etc/golden.fleet/authorized_keys").read_text() == "ssh-ed25519 AAAA me\n"
    assert (root / "etc/golden.fleet/ca.pem").read_text() == "CA\n"
    assert not list(root.glob("etc/systemd/system/*.wants/golden-shell*"))
    assert os.readlink(root / "etc/systemd/system/getty.target") == "/dev/null"
    wanted = {path.name for path in (root / "etc/systemd/system/multi-user.target.wants").iterdir()}
    for name in wanted - {"systemd-networkd.service"}:
        assert (root / "etc/systemd/system" / name).exists()


def test_shell_only_for_those_who_ask(tmp_path: Path) -> None:
    overlay.lay_out(settings(console_shell=True), "base-1", tmp_path / "files")
    wanted = sorted((tmp_path / "files/etc/systemd/system/multi-user.target.wants").glob("golden-shell*"))
    assert [path.name for path in wanted] == ["golden-shell@tty2.service", "golden-shell@ttyS0.service"]
    assert {os.readlink(path) for path in wanted} == {"/etc/systemd/system/golden-shell@.service"}


def test_keyboard_is_set_where_it_is_another(tmp_path: Path) -> None:
    overlay.lay_out(settings(keyboard="de"), "base-1", tmp_path / "files")
    link = tmp_path / "files/etc/systemd/system/multi-user.target.wants/keyboard-setup.service"
    assert os.readlink(link) == "/usr/lib/systemd/system/keyboard-setup.service"


@pytest.mark.parametrize(
    "change",
    [{"ca": "x"}, {"authorized_keys": ["k"]}, {"idle": 5}, {"consoles": ["tty0"]}, {"console_shell": True}],
)
def test_whatever_changes_has_another_digest(tmp_path: Path, change: dict[str, t.Any]) -> None:
    one = overlay.lay_out(settings(), "base-1", tmp_path / "one")
    assert overlay.lay_out(settings(), "base-1", tmp_path / "again") == one
    assert overlay.lay_out(settings(), "base-2", tmp_path / "two") != one
    assert overlay.lay_out(replace(settings(), **change), "base-1", tmp_path / "three") != one


# publishing


def built(folder: Path, digest: str) -> Path:
    (folder / digest).mkdir(parents=True)
    (folder / digest / "vmlinuz").write_text(digest)
    (folder / digest / "vmlinuz").chmod(0o600)
    return folder / digest


def test_current_one_and_the_last_two(tmp_path: Path) -> None:
    root = tmp_path / "http" / "boot-env"
    for number, digest in enumerate(["a1", "b2", "c3", "d4"]):
        assert publish(built(tmp_path / "built", digest), root, digest)
        os.utime(root / digest, (number, number))
        assert os.readlink(root / "current") == digest
    assert sorted(path.name for path in root.iterdir()) == ["b2", "c3", "current", "d4"]
    assert stat.S_IMODE((root / "d4" / "vmlinuz").stat().st_mode) == 0o644
    assert not publish(tmp_path / "built" / "d4", root, "d4")
    assert is_current(root, "d4")
    assert not is_current(root, "c3")


def test_back_to_an_older_one(tmp_path: Path) -> None:
    for digest in ("a1", "b2"):
        publish(built(tmp_path / "built", digest), tmp_path, digest)
    assert publish(tmp_path / "built" / "a1", tmp_path, "a1")
    assert (tmp_path / "current" / "vmlinuz").read_text() == "a1"


def test_what_a_killed_run_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".new-a1").mkdir()
    (tmp_path / ".new-a1" / "half").touch()
    (tmp_path / ".new-current").symlink_to("nowhere")
    assert publish(built(tmp_path / "built", "a1"), tmp_path, "a1")
    assert [path.name for path in (tmp_path / "a1").iterdir()] == ["vmlinuz"]


# programs


def test_failure_of_a_program_says_what_it_said() -> None:
    with pytest.raises(BuildFailed, match="sh failed with exit code 3:\nbecause"):
        call("sh", "-c", "echo because >&2; exit 3")
    with pytest.raises(BuildFailed, match="no-such-program is missing"):
        call("no-such-program")
