# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Debian server with systemd and sshd in a container, to run roles on: systemd-nspawn, nothing else needed.

    tree = debian_tree(["nginx-light"])             # built once; packages lie there for apt, not installed
    with Network() as network, Container(folder, tree, network=network.name) as box:
        box.run("systemctl", "is-active", "ssh")
        inventory = {"all": {"hosts": {"imaging": box.connection_vars(network.server)}}}
        subprocess.run(network.inside("ansible-playbook", ...))

It lives in a network namespace that exists already, as its only inhabitant on port 22. Its files are a layer over the
tree, kept in a folder: they survive stop() and start(), which is what a power cut is to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import types
import typing as t
from pathlib import Path

from .debian import default_cache, locked
from .disks import call

_PATIENCE = 60.0  # seconds until it is up
_UNUSED = 30 * 86400  # seconds after which a tree is removed from the cache
_CGROUPS = Path("/sys/fs/cgroup")

_PACKAGES = ("dbus", "iproute2", "openssh-server", "procps", "python3", "python3-apt", "systemd-sysv", "udev")
_ARCHIVE = "var/lib/golden-archive"  # the packages that can be installed inside, without a network
_APT_SOURCE = f"deb [trusted=yes] file:/{_ARCHIVE} ./\n"


class ContainerFailed(Exception):
    """It does not come up, or a command in it failed. The message has the last words."""


def debian_tree(
    packages: t.Sequence[str] = (),
    *,
    installed: t.Sequence[str] = (),
    suite: str = "bookworm",
    cache: Path | None = None,
    say: t.Callable[[str], None] = lambda _text: None,
) -> Path:
    """The files of a small Debian; inside, these packages and what they need can be installed without a network.

    :param installed: packages that it has from the start, as if somebody had installed them before.

    Built when this cache has none of this recipe. Never change it: start containers on it.
    """
    cache = cache or default_cache()
    recipe = repr(
        [inspect.getsource(_build), _PACKAGES, _ARCHIVE, _APT_SOURCE, suite, sorted(packages), sorted(installed)]
    )
    tree = cache / f"container-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    with locked(cache):
        if not tree.exists():
            say(f"installing Debian ({suite}) with mmdebstrap")
            with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as folder:
                Path(folder).chmod(0o755)
                _build(Path(folder), suite, packages, installed)
                Path(folder, "root").rename(tree)
        tree.touch()
        for other in cache.glob("container-*"):
            if other.stat().st_mtime < time.time() - _UNUSED:
                shutil.rmtree(other)
    return tree


def archive_of(tree: Path) -> Path:
    """The folder of a tree in which the packages lie that can be installed inside."""
    return tree / _ARCHIVE


def _build(folder: Path, suite: str, packages: t.Sequence[str], installed: t.Sequence[str]) -> None:
    root, debs = folder / "root", folder / "debs"
    (debs / "partial").mkdir(parents=True)
    fetch = (
        'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes --no-install-recommends --download-only '
        f"-o Dir::Cache::Archives='{debs}' install {' '.join(packages)}"
    )
    hooks = [f"--customize-hook={fetch}"] if packages else []
    call("mmdebstrap", "--variant=minbase", f"--include={','.join([*_PACKAGES, *installed])}", *hooks, suite, root)
    archive = root / _ARCHIVE
    shutil.copytree(debs, archive, ignore=shutil.ignore_patterns("partial", "lock"))
    index = call("sh", "-c", 'cd "$1" && dpkg-scanpackages --multiversion . 2>/dev/null', "sh", archive)
    (archive / "Packages").write_text(index, "utf-8")
    for source in (root / "etc/apt").glob("sources.list*"):
        shutil.rmtree(source) if source.is_dir() else source.unlink()
    (root / "etc/apt/sources.list").write_text(_APT_SOURCE)
    call("chroot", root, "apt-get", "-qq", "update")
    (root / "etc/dpkg/dpkg.cfg.d/quick").write_text("force-unsafe-io\n")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").touch()
    (root / "etc/machine-id").write_text("")  # each container gets one of its own


class Container:
    """Up from ``with`` to its end, and gone at the latest when this process is; or from start() to destroy(), also by
    different processes.

    :param folder: for what it writes, and for the key to log in with.
    :param network: name of the network namespace that it lives in.
    :param name: its host name; no two of a name at the same time.
    :param binds: paths inside, and the folders that are to be seen there.
    """

    def __init__(
        self,
        folder: Path,
        tree: Path,
        *,
        network: str,
        name: str | None = None,
        binds: t.Mapping[str, Path] | None = None,
    ) -> None:
        self.folder = folder
        self.name = name or f"golden-{secrets.token_hex(4)}"
        self.key = folder / "id_ed25519"
        self.written = folder / "written"  # the root of what differs from the tree
        self._tree = tree
        self._network = network
        self._binds = binds or {}
        self._log = folder / "container.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Container:
        try:
            self.start(outlive=False)
        except BaseException:
            self.destroy()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.destroy()

    def start(self, *, outlive: bool = True) -> None:
        """:param outlive: it goes on when this process ends."""
        self.stop()
        self._prepare()
        for cgroup in self._own_cgroups():
            cgroup.mkdir()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(outlive), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ContainerFailed(
                    f"{self.name} does not come up: {self._log.read_text('utf-8', 'replace')[-2000:]}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Cut its power. Nothing if it is not up."""
        deadline = time.monotonic() + _PATIENCE
        while pids := self._pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise ContainerFailed(f"{self.name} cannot be killed: processes {pids}")
            time.sleep(0.02)
        if self._process:
            self._process.wait()
            self._process = None
        for cgroup in self._own_cgroups():
            for below in sorted(cgroup.glob("**/"), reverse=True):
                below.rmdir()

    def destroy(self) -> None:
        """Cut its power, and remove what it has written."""
        self.stop()
        shutil.rmtree(self.written, ignore_errors=True)
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def run(self, *argv: str, stdin: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program inside, as root.

        :raises ContainerFailed: it ended with something else than 0, and check is set.
        """
        command = ["nsenter", "--all", f"--target={self.leader()}", "env", "-i", "LC_ALL=C.UTF-8"]
        command += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *argv]
        done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, errors="replace", check=False)
        if check and done.returncode:
            raise ContainerFailed(f"{' '.join(argv)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def write(self, path: str, text: str) -> None:
        """Put a file there, with the folders that it needs."""
        self.run("mkdir", "-p", str(Path(path).parent))
        self.run("tee", path, stdin=text)

    def leader(self) -> int:
        """The systemd of the container, by its number out here."""
        for cgroup in self._own_cgroups():
            with contextlib.suppress(OSError):
                pids = (cgroup / "payload/init.scope/cgroup.procs").read_text().split()
                if pids:
                    return int(pids[0])
        raise ContainerFailed(f"{self.name} is not up")

    def connection_vars(self, address: str = "127.0.0.1") -> dict[str, t.Any]:
        """For an inventory: over ssh, with its host key pinned, from within its network namespace."""
        known = self.folder / "known_hosts"
        host_key = (self._tree / "etc/ssh/ssh_host_ed25519_key.pub").read_text("ascii")
        known.write_text(f"{address} {host_key}", "ascii")
        return {
            "ansible_host": address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes "
            f"-o HostKeyAlgorithms=ssh-ed25519 -o IdentitiesOnly=yes -o ControlPath={self.folder}/ssh",
            "ansible_python_interpreter": "/usr/bin/python3",
        }

    def _prepare(self) -> None:
        for folder in (self.folder / "root", self.written / "etc", self.folder / "work"):
            folder.mkdir(parents=True, exist_ok=True)
        if not self.key.exists():
            call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", self.key)
        login = self.written / "root/.ssh"
        login.mkdir(mode=0o700, parents=True, exist_ok=True)
        login.parent.chmod(0o700)
        shutil.copy(self.key.with_suffix(".pub"), login / "authorized_keys")
        (self.written / "etc/hostname").write_text(f"{self.name}\n")
        (self.written / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n")

    def _command(self, outlive: bool) -> list[str]:
        """Layers and container in namespaces of their own: nothing is mounted outside, and all dies with the first."""
        procs = " ".join(str(cgroup / "cgroup.procs") for cgroup in self._own_cgroups())
        layers = f"lowerdir={self._tree},upperdir={self.written},workdir={self.folder}/work"
        script = f"""
            set -e
            for procs in {procs}; do echo 0 >$procs; done
            exec unshare --mount --pid --fork --kill-child --mount-proc sh -ec '
                mount -t overlay overlay -o "{layers}" "{self.folder}/root"
                exec "$@"' sh "$@"
        """
        # Its own option for network namespaces would leave it with the host's /sys, where Ansible looks for interfaces.
        nspawn = ["nsenter", f"--net=/run/netns/{self._network}", "systemd-nspawn", "--capability=CAP_NET_ADMIN"]
        nspawn += ["--quiet", "--boot", "--keep-unit", "--register=no", "--console=pipe"]
        nspawn += [f"--directory={self.folder}/root", f"--machine={self.name}"]
        nspawn += ["--resolv-conf=off", "--timezone=off", "--link-journal=no"]
        nspawn += [f"--bind={folder}:{path}" for path, folder in self._binds.items()]
        fate = [] if outlive else ["setpriv", "--pdeathsig", "KILL"]
        return [*fate, "sh", "-c", script, "sh", *nspawn]

    def _is_up(self) -> bool:
        try:
            state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        except ContainerFailed:
            return False
        return state in {"running", "degraded"}

    def _own_cgroups(self) -> list[Path]:
        """Where its processes are counted together, so that none is forgotten; two where the kernel has two kinds."""
        kinds = [_CGROUPS / "systemd", _CGROUPS / "unified"] if (_CGROUPS / "systemd").is_dir() else [_CGROUPS]
        return [kind / f"container-{self.name}" for kind in kinds if (kind / "cgroup.procs").exists()]

    def _pids(self) -> set[int]:
        found: set[int] = set()
        for cgroup in self._own_cgroups():
            for procs in cgroup.glob("**/cgroup.procs"):
                with contextlib.suppress(OSError):
                    found.update(map(int, procs.read_text().split()))
        return found
