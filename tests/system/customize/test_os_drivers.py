# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""os_drivers: a folder of the controller comes into a Debian, whose own tools install it, and into a Windows."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import OsError, UsageError
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.chroot import run_there
from ansible_collections.golden.fleet.plugins.module_utils._os.linux.drivers import apply
from ansible_collections.golden.fleet.plugins.module_utils._os.models import this_model
from ansible_collections.golden.fleet.plugins.module_utils._os.tree import open_tree

from tests.support.deployed import deployed_debian, play
from tests.support.disks import call
from tests.support.windows import deployed_windows

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and installs")

KERNEL = "6.1.0-golden"
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def make_deb(folder: Path, name: str, version: str, script: str = "") -> None:
    """A package with one file, and a script that runs when it is installed."""
    control = folder / "build/DEBIAN"
    control.mkdir(parents=True)
    fields = {"Package": name, "Version": version, "Architecture": "all", "Maintainer": "nobody <nobody@example>"}
    (control / "control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()) + "Description: x\n")
    (control / "postinst").write_text(f"#!/bin/sh\nset -e\n{script}\n")
    (control / "postinst").chmod(0o755)
    (folder / "build/usr/share").mkdir(parents=True)
    (folder / f"build/usr/share/{name}").write_text(version)
    call("dpkg-deb", "--build", "--root-owner-group", folder / "build", folder / f"{name}.deb")
    call("rm", "-r", folder / "build")


def kernel_module(kernel: str) -> bytes:
    """An object file that has nothing but what modinfo wants to know."""
    info = f"vermagic={kernel} SMP mod_unload \0license=GPL\0".encode()
    names = b"\0.modinfo\0.shstrtab\0"
    at = 64
    sections = [(0, 0, 0, 0), (1, 1, at, len(info)), (10, 3, at + len(info), len(names))]
    table = at + len(info) + len(names)
    table += -table % 8
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = ident + struct.pack("<HHIQQQIHHHHHH", 1, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, len(sections), 2)
    body = (header + info + names).ljust(table, b"\0")
    for name, kind, offset, size in sections:
        body += struct.pack("<IIQQQQIIQQ", name, kind, 2 if kind == 1 else 0, 0, offset, size, 0, 0, 1, 0)
    return body


@pytest.fixture
def drivers(tmp_path: Path) -> Path:
    folder = tmp_path / "drivers"
    (folder / "firmware/golden").mkdir(parents=True)
    (folder / "firmware/golden/nic.bin").write_bytes(b"firmware")
    return folder


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Path]:
    """With a kernel of which there is hardly anything, but an initramfs can be made."""
    with deployed_debian(tmp_path_factory.mktemp("tree"), installed=["initramfs-tools", "kmod"]) as tree:
        (tree / f"usr/lib/modules/{KERNEL}").mkdir(parents=True)
        for name in ("modules.builtin", "modules.order"):
            (tree / f"usr/lib/modules/{KERNEL}" / name).touch()
        (tree / f"boot/config-{KERNEL}").write_text("CONFIG_RD_ZSTD=y\nCONFIG_RD_GZIP=y\n")
        for name in ("vmlinuz", "initrd.img"):
            (tree / f"boot/{name}-{KERNEL}").touch()
        (tree / "var/lib/initramfs-tools").mkdir(exist_ok=True)
        (tree / f"var/lib/initramfs-tools/{KERNEL}").write_text(f"{'0' * 40}  /boot/initrd.img-{KERNEL}\n")
        (tree / "etc/initramfs-tools/modules").write_text("golden\n")
        yield tree


@contextlib.contextmanager
def runnable(tree: Path) -> t.Iterator[Path]:
    """With what os_mount lends it for its option exec."""
    names = ("dev", "proc", "sys")
    for name in names:
        call("mount", "-o", "bind,private", f"/{name}", tree / name)
    try:
        yield tree
    finally:
        for name in names:
            call("umount", tree / name)


def test_a_debian_gets_firmware_modules_and_packages(debian: Path, drivers: Path) -> None:
    (drivers / "net").mkdir()
    (drivers / "net/golden.ko").write_bytes(kernel_module(KERNEL))
    make_deb(drivers, "golden-tool", "1.0", "systemctl start ssh; invoke-rc.d ssh start || true")
    with runnable(debian):
        tree = open_tree(str(debian))
        would = apply(tree, str(drivers), check=True)
        assert not (debian / "usr/lib/firmware/golden/nic.bin").exists()
        done = apply(tree, str(drivers), check=False)
        assert done == would
        assert done["changed"]
        assert done["drivers"] == [
            "/lib/firmware/golden/nic.bin",
            f"/lib/modules/{KERNEL}/updates/golden.fleet/golden.ko",
            "golden-tool.deb",
        ]
        assert (debian / "usr/lib/firmware/golden/nic.bin").read_bytes() == b"firmware"
        assert (debian / "usr/share/golden-tool").read_text() == "1.0"
        assert "golden.ko" in (debian / f"usr/lib/modules/{KERNEL}/modules.dep").read_text()
        listed = call("chroot", debian, "lsinitramfs", f"/boot/initrd.img-{KERNEL}")
        assert "updates/golden.fleet/golden.ko" in listed
        for check in (True, False):
            assert not apply(tree, str(drivers), check=check)["changed"]
        make_deb(drivers, "golden-tool", "2.0")
        assert apply(tree, str(drivers), check=False)["changed"]
        assert (debian / "usr/share/golden-tool").read_text() == "2.0"
    assert [path.name for path in (debian / "run").iterdir()] == ["lock"]


def test_what_fails_is_tried_again(debian: Path, drivers: Path) -> None:
    (drivers / "firmware/golden/again.bin").write_bytes(b"again")
    hook = debian / "etc/initramfs-tools/hooks/broken"
    hook.write_text('#!/bin/sh\n[ "$1" = prereqs ] || exit 1\n')
    hook.chmod(0o755)
    with runnable(debian):
        tree = open_tree(str(debian))
        with pytest.raises(OsError, match="update-initramfs failed in the Linux at"):
            apply(tree, str(drivers), check=False)
        hook.unlink()
        assert apply(tree, str(drivers), check=True)["changed"]
        assert apply(tree, str(drivers), check=False)["changed"]
        assert not apply(tree, str(drivers), check=False)["changed"]


def test_a_package_that_needs_more_is_an_error(debian: Path, drivers: Path) -> None:
    make_deb(drivers, "golden-broken", "1.0", "echo no such device >&2; exit 3")
    with runnable(debian), pytest.raises(OsError, match="dpkg failed in the Linux at"):
        apply(open_tree(str(debian)), str(drivers), check=False)


def test_packages_of_rpm(tmp_path: Path, drivers: Path) -> None:
    """rpm runs on a Debian, too; its own distributions cannot be had here."""
    spec = (
        "Name: golden-tool\nVersion: {0}\nRelease: 1\nSummary: x\nLicense: GPL\nBuildArch: noarch\n"
        "%description\nx\n%install\nmkdir -p %{{buildroot}}/usr/share\necho {0} >%{{buildroot}}/usr/share/golden-tool\n"
        "%files\n/usr/share/golden-tool\n"
    )
    with deployed_debian(tmp_path, installed=["rpm"]) as debian, runnable(debian):
        tree = open_tree(str(debian))
        for version in ("1.0", "2.0"):
            (debian / "root/tool.spec").write_text(spec.format(version))
            run_there(str(debian), ["rpmbuild", "-bb", "--define=_rpmdir /root", "/root/tool.spec"])
            (drivers / "tool.rpm").write_bytes(
                (debian / f"root/noarch/golden-tool-{version}-1.noarch.rpm").read_bytes()
            )
            assert apply(tree, str(drivers), check=True)["changed"]
            assert apply(tree, str(drivers), check=False)["drivers"][1:] == ["tool.rpm"]
            assert (debian / "usr/share/golden-tool").read_text() == f"{version}\n"
            assert not apply(tree, str(drivers), check=False)["changed"]


def test_what_cannot_be(debian: Path, drivers: Path, tmp_path: Path) -> None:
    tree = open_tree(str(debian))
    (drivers / "firmware/golden/new.bin").write_bytes(b"new")
    with pytest.raises(OsError, match="No program can be run .* Mount it with golden.fleet.os_mount"):
        apply(tree, str(drivers), check=False)
    assert not (debian / "usr/lib/firmware/golden/new.bin").exists(), "nothing half-done"
    with pytest.raises(UsageError, match="There is no folder"):
        apply(tree, str(tmp_path / "none"), check=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="neither a folder called firmware"):
        apply(tree, str(tmp_path / "empty"), check=True)
    (drivers / "other.ko").write_bytes(kernel_module("6.9.9-other"))
    with runnable(debian), pytest.raises(OsError, match=rf"for the kernel 6.9.9-other, .* has {KERNEL}"):
        apply(tree, str(drivers), check=True)


def placed(folder: Path, root: str, *options: str, **args: t.Any) -> dict[str, t.Any]:
    """The result of the module, through Ansible."""
    keep = {"content": "{{ kept | to_json }}", "dest": f"{folder}/result.json", "mode": "0600"}
    tasks: list[dict[str, t.Any]] = [
        {"golden.fleet.os_drivers": {"root": root, **args}, "register": "kept", "ignore_errors": True},
        {"ansible.builtin.copy": keep, "check_mode": False, "diff": False},
    ]
    variables = {**HERE, "ansible_remote_tmp": str(folder / "remote")}
    done = play(folder, None, variables, tasks, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list((folder / "remote").glob("*")), "temporary files are left"
    assert not list((folder / "home/tmp").glob("*")), "bundles are left"
    found: dict[str, t.Any] = json.loads((folder / "result.json").read_text())
    return found


def test_a_windows_gets_them_from_the_controller(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    (folder / "files/drivers/net").mkdir(parents=True)
    (folder / "files/drivers/net/e1d.inf").write_text("[Version]\n")
    (folder / "files/drivers/net/e1d.sys").write_bytes(os.urandom(3 << 20))
    machine = this_model()
    choices = {"ACME/Anvil": "none", f"{machine.vendor}/*": "drivers"}
    with deployed_windows(tmp_path) as tree:
        root = tree.root.path
        assert placed(folder, root, "--check", drivers=choices)["changed"]
        assert not tree.root.exists("/Windows/golden.fleet")
        done = placed(folder, root, drivers=choices)
        assert (done["changed"], done["match"], done["drivers"]) == (True, f"{machine.vendor}/*", ["net/e1d.inf"])
        assert not placed(folder, root, drivers=choices)["changed"]
        there = Path(root, "Windows/golden.fleet/drivers/net/e1d.sys")
        assert there.read_bytes() == (folder / "files/drivers/net/e1d.sys").read_bytes()
        at_hand = {"*/*": str(folder / "files/drivers")}
        assert not placed(folder, root, drivers=at_hand, remote_src=True)["changed"]
        skipped = placed(folder, root, drivers={"ACME/Anvil": "none"})
        assert not skipped["changed"]
        assert skipped["msg"].startswith("There are no drivers for ")
        assert placed(folder, root, drivers={"ACME/Anvil": "none"}, no_match="fail")["failed"]
        assert "Could not find or access 'none'" in placed(folder, root, drivers={"*/*": "none"})["msg"]
