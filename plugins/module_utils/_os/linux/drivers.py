# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Firmware, kernel modules and packages for a deployed Linux, and its initramfs after that.

Packages are installed by the system's own tools, and with nothing but what is in the folder: there is no network.
"""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ..._errors import OsError, UsageError
from ..beneath import Root
from ..tree import LINUX, Tree
from .chroot import SHOWN, run_there
from .initramfs import remake
from .selinux import order_relabel

_FIRMWARE = "/lib/firmware"
_MODULES = "/lib/modules"
_OURS = "updates/golden.fleet"  # depmod prefers what is in updates
# The initramfs is older than what it is made of. Stays where its making failed, so that it is tried again.
_STALE = "/etc/golden.fleet/initramfs-is-stale"
_MODULE_ENDINGS = (".ko", ".ko.xz", ".ko.zst", ".ko.gz")
_PIECE = 1 << 20


class _Plan(t.NamedTuple):
    """What is not there yet.

    :ivar files: path in the tree, and file here.
    :ivar debs: packages, by their path in the folder; so are rpms.
    :ivar kernels: whose modules are new.
    """

    files: dict[str, Path]
    debs: list[str]
    rpms: list[str]
    kernels: list[str]

    def __bool__(self) -> bool:
        return bool(self.files or self.debs or self.rpms)


def apply(tree: Tree, folder: str, check: bool) -> dict[str, t.Any]:
    """Bring what is in a folder of this machine into the tree.

    :param folder: ``firmware`` in it becomes /lib/firmware; .ko files, .deb and .rpm packages are elsewhere in it.
    :returns: changed, diff, drivers: all that is installed by now, firmware and modules by their path in the tree.
    :raises UsageError: nothing of that is in the folder.
    :raises OsError: it cannot be installed.
    """
    tree.need(LINUX, "Firmware and packages")
    wanted = _wanted(tree, Path(folder))
    plan = _missing(tree, Path(folder), wanted)
    rebuild = remake(tree.root) if plan or tree.root.exists(_STALE) else None
    changed = bool(plan or rebuild)
    if changed and not check:
        if rebuild:
            run_there(tree.root.path, ["true"])  # before anything is written
            tree.root.write(_STALE, b"")
        _install(tree, folder, plan)
        if rebuild:
            run_there(tree.root.path, rebuild)
            tree.root.remove(_STALE)
        order_relabel(tree.root)
    new = sorted([*plan.files, *plan.debs, *plan.rpms])
    every = sorted([*wanted.files, *wanted.debs, *wanted.rpms])
    diff = {"before": {"drivers": [each for each in every if each not in new]}, "after": {"drivers": every}}
    return {"changed": changed, "diff": diff, "drivers": every}


def _wanted(tree: Tree, folder: Path) -> _Plan:
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder} on this machine.")
    plan = _Plan({}, [], [], [])
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        if name.startswith("firmware/"):
            plan.files[f"{_FIRMWARE}/{name.partition('/')[2]}"] = path
        elif name.endswith(_MODULE_ENDINGS):
            kernel = _kernel_of(tree, folder, name)
            plan.kernels.append(kernel)
            plan.files[f"{_MODULES}/{kernel}/{_OURS}/{path.name}"] = path
        elif name.endswith(".deb"):
            plan.debs.append(name)
        elif name.endswith(".rpm"):
            plan.rpms.append(name)
    if not plan:
        raise UsageError(f"{folder} holds neither a folder called firmware, nor any .ko, .deb or .rpm file.")
    return plan


def _kernel_of(tree: Tree, folder: Path, name: str) -> str:
    """The version of the kernel that a module is for."""
    said = run_there(tree.root.path, ["modinfo", "--field=vermagic", f"{SHOWN}/{name}"], show=str(folder)).stdout
    kernel = (said.split() or [""])[0]
    there = tree.root.names(_MODULES)
    if kernel not in there:
        raise OsError(
            f"{name} is for the kernel {kernel or '(none)'}, and the deployed system has {', '.join(there) or 'none'}.",
            path=f"{_MODULES}/{kernel}",
        )
    return kernel


def _missing(tree: Tree, folder: Path, wanted: _Plan) -> _Plan:
    files = {path: source for path, source in wanted.files.items() if not _same(tree.root, path, source)}
    kernels = [kernel for kernel in wanted.kernels if any(path.startswith(f"{_MODULES}/{kernel}/") for path in files)]
    debs, rpms = wanted.debs, wanted.rpms
    if debs:
        shape = "${Package} ${Version} ${Architecture}"
        there = _said(tree, folder, ["dpkg-query", "--show", f"--showformat={shape} ${{db:Status-Status}}\\n"])
        debs = [
            each
            for each in debs
            if f"{_said(tree, folder, ['dpkg-deb', '--show', f'--showformat={shape}', _shown(each)])[0]} installed"
            not in there
        ]
    if rpms:
        shape = "%{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH}\\n"
        there = _said(tree, folder, ["rpm", "--query", "--all", f"--queryformat={shape}"])
        query = ["rpm", "--query", "--nosignature", f"--queryformat={shape}", "--package"]
        rpms = [each for each in rpms if _said(tree, folder, [*query, _shown(each)])[0] not in there]
    return _Plan(files, debs, rpms, sorted(set(kernels)))


def _install(tree: Tree, folder: str, plan: _Plan) -> None:
    for path, source in plan.files.items():
        with source.open("rb") as file:
            tree.root.put(path, file, 0o644, (0, 0))
    if plan.debs:
        argv = ["dpkg", "--force-confold", "--install", *map(_shown, plan.debs)]
        run_there(tree.root.path, argv, show=folder)
    if plan.rpms:
        argv = ["rpm", "--upgrade", "--oldpackage", *map(_shown, plan.rpms)]
        run_there(tree.root.path, argv, show=folder)
    for kernel in plan.kernels:
        run_there(tree.root.path, ["depmod", kernel])


def _said(tree: Tree, folder: Path, argv: list[str]) -> list[str]:
    return run_there(tree.root.path, argv, show=str(folder)).stdout.splitlines()


def _shown(name: str) -> str:
    return f"{SHOWN}/{name}"


def _same(root: Root, path: str, source: Path) -> bool:
    with root.opened(path) as there, source.open("rb") as here:
        if there is None or os.fstat(there.fileno()).st_size != os.fstat(here.fileno()).st_size:
            return False
        return all(piece == there.read(_PIECE) for piece in iter(lambda: here.read(_PIECE), b""))
