# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection deployed_root: modules and roles in a Debian that is mounted in a boot environment."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from tests.support.container import Container
from tests.support.deployed import ROOT, boot_environment, deployed_debian, play
from tests.support.network import Network

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="containers need root")


class Bench(t.NamedTuple):
    folder: Path
    tree: Path
    network: Network
    box: Container

    def play(self, *tasks: dict[str, t.Any], options: t.Sequence[str] = (), **variables: t.Any) -> str:
        done = play(self.folder, self.network, {**self.connection, **variables}, list(tasks), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def connection(self) -> dict[str, t.Any]:
        ssh = self.box.connection_vars(self.network.server)
        return {**ssh, "ansible_connection": "golden.fleet.deployed_root", "ansible_remote_tmp": "/tmp/.ansible"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Bench]:
    folder = tmp_path_factory.mktemp("deployed-root")
    with (
        deployed_debian(folder, ["nginx-light"]) as tree,
        Network() as network,
        boot_environment(folder, tree, network) as box,
    ):
        yield Bench(folder, tree, network, box)


def test_a_package_a_file_a_user_a_service_and_a_role(bench: Bench) -> None:
    role = bench.folder / "roles/kiosk"
    for part in ("tasks", "templates"):
        (role / part).mkdir(parents=True)
    (role / "templates/kiosk.conf.j2").write_text("# {{ inventory_hostname }}, {{ ansible_facts['distribution'] }}\n")
    (role / "tasks/main.yml").write_text(
        "- ansible.builtin.setup:\n"
        "- ansible.builtin.template: {src: kiosk.conf.j2, dest: /etc/kiosk.conf, mode: '0600', owner: kiosk}\n"
    )
    tasks: list[dict[str, t.Any]] = [
        {"ansible.builtin.apt": {"name": "nginx-light"}},
        {"ansible.builtin.user": {"name": "kiosk", "uid": 4711}},
        {"ansible.builtin.include_role": {"name": "kiosk"}},
        {"ansible.builtin.service": {"name": "nginx", "enabled": False}},
        {"ansible.builtin.service": {"name": "nginx", "enabled": True}},
        {"ansible.builtin.copy": {"dest": "/root/large", "content": "x" * 200_000, "mode": "0644"}},
        {"ansible.builtin.copy": {"dest": "/root/empty", "content": "", "mode": "0644"}},
        {"ansible.builtin.fetch": {"src": "/root/large", "dest": f"{bench.folder}/fetched", "flat": True}},
    ]
    first = bench.play(*tasks)
    assert "failed=0" in first
    assert (bench.tree / "usr/sbin/nginx").exists()
    assert (bench.tree / "etc/kiosk.conf").read_text() == "# pc-07, Debian\n"
    assert (bench.tree / "etc/kiosk.conf").stat().st_uid == 4711
    assert (bench.tree / "etc/systemd/system/multi-user.target.wants/nginx.service").is_symlink()
    assert (bench.folder / "fetched").read_text() == "x" * 200_000
    assert (bench.tree / "root/empty").read_bytes() == b""
    assert bench.box.run("pgrep", "nginx", check=False).returncode == 1, "a service was started"
    assert "changed=2" in bench.play(*tasks), "the service that is disabled and enabled again"
    assert not (bench.tree / "usr/sbin/policy-rc.d").exists()
    assert [path.name for path in (bench.tree / "run").iterdir()] == ["lock"], "something is left of a mount"
    assert not list((bench.tree / "tmp").glob("**/ansible-tmp*"))
    assert bench.box.run("systemctl", "is-system-running").stdout.strip() == "running"


def test_what_is_written_is_in_the_tree_alone(bench: Bench) -> None:
    bench.play({"ansible.builtin.copy": {"dest": "/etc/only-there", "content": "x", "mode": "0600"}})
    assert (bench.tree / "etc/only-there").exists()
    assert bench.box.run("test", "-e", "/etc/only-there", check=False).returncode == 1


def test_links_of_the_image_lead_no_file_out(bench: Bench) -> None:
    """A file is sent to the temporary folder of the tree, which may be a link."""
    bench.box.run("mkdir", "-p", "/root/outside")
    (bench.tree / "srv/link").symlink_to("/root/outside")
    (bench.tree / "root/outside").mkdir()
    bench.play(
        {"ansible.builtin.copy": {"dest": "/srv/link/file", "content": "x", "mode": "0600"}},
        ansible_remote_tmp="/srv/link/tmp",
        ansible_pipelining=False,
    )
    assert (bench.tree / "root/outside/file").exists()
    assert bench.box.run("ls", "-A", "/root/outside").stdout == ""


@pytest.mark.parametrize("pipelining", [True, False])
def test_another_user(bench: Bench, pipelining: bool) -> None:
    said = bench.play(
        {"ansible.builtin.user": {"name": "pupil", "uid": 4712}},
        {
            "ansible.builtin.command": "id -un",
            "become": True,
            "become_user": "pupil",
            "become_method": "ansible.builtin.su",
            "register": "who",
        },
        {"ansible.builtin.assert": {"that": "who.stdout == 'pupil'"}},
        ansible_pipelining=pipelining,
        ansible_remote_tmp="/tmp",
    )
    assert "failed=0" in said


def test_names_are_resolved_as_outside(bench: Bench) -> None:
    bench.box.write("/etc/resolv.conf", "nameserver 192.0.2.53\n")
    look = (
        {"ansible.builtin.command": "cat /etc/resolv.conf", "register": "said"},
        {"ansible.builtin.assert": {"that": "said.stdout == 'nameserver 192.0.2.53'"}},
    )
    file = bench.tree / "etc/resolv.conf"
    file.write_text("")
    bench.play(*look)
    assert file.read_text() == ""
    for target in ("/run/systemd/resolve/stub-resolv.conf", "../run/resolvconf/resolv.conf"):
        file.unlink()
        file.symlink_to(target)
        bench.play(*look)
    file.unlink()
    file.symlink_to("/run/../../../etc/hostile")
    bench.play({"ansible.builtin.command": "true"})
    assert bench.box.run("test", "-e", "/etc/hostile", check=False).returncode == 1


def test_nothing_mounted_is_a_failure_with_a_remedy_and_no_lost_connection(bench: Bench) -> None:
    variables = {**bench.connection, "ansible_deployed_root": "/srv/nothing"}
    done = play(bench.folder, bench.network, variables, [{"ansible.builtin.raw": "true"}])
    assert done.returncode == 2
    assert "No program can be run in the Linux at /srv/nothing. Mount it with golden.fleet.os_mount" in done.stdout
    assert "unreachable=0" in done.stdout
    bench.box.run("mount", "-o", "remount,bind,noexec", ROOT)
    try:
        done = play(bench.folder, bench.network, bench.connection, [{"ansible.builtin.raw": "true"}])
        assert "and its option exec" in done.stdout
    finally:
        bench.box.run("mount", "-o", "remount,bind,exec", ROOT)
