# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The slow part of a build: packages, installed, trimmed and packed; kept for every build that needs the same."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .archive import pack
from .drivers import trim_modules
from .mirrors import sources
from .packages import agree, install, resolve
from .settings import Settings
from .tools import BuildFailed, call

_KEPT = 2
_PROGRAM = ("archive", "base", "drivers", "mirrors", "packages", "tools")
_CLIENT = Path(__file__).resolve().parent.parent / "client"
# What is of use while packages are installed, or differs from one build to the next.
_REMOVED = (
    "boot",
    "etc/*-",
    "etc/.pwd.lock",
    "etc/apt",
    "etc/cron.*",
    "etc/fstab",
    "etc/init.d",
    "etc/initramfs-tools",
    "etc/machine-id",
    "etc/rc?.d",
    "etc/resolv.conf",
    "etc/ssh/ssh_host_*",
    "etc/systemd/system/*.wants",
    "initrd.img*",
    "usr/lib/*/gconv/[!CIUg]*",  # stays: code pages of DOS, ISO 8859, Unicode
    "usr/lib/python3*/dist-packages/netaddr/eui/*.[it]*",  # makers of network cards
    "usr/lib/python3*/ensurepip",
    "usr/lib/python3*/idlelib",
    "usr/lib/python3*/lib2to3",
    "usr/lib/python3*/pydoc_data",
    "usr/lib/python3*/test",
    "usr/lib/python3*/turtledemo",
    "usr/lib/systemd/system-generators",
    "usr/lib/udev/hwdb.*",
    "usr/share/X11/xkb",
    "usr/share/consolefonts",
    "usr/share/consoletrans",
    "usr/share/initramfs-tools",
    "var/cache/*",
    "var/lib/apt",
    "var/lib/dpkg",
    "var/lib/systemd",
    "var/lib/ucf",
    "var/log/*",
    "vmlinuz*",
)
# Seats, screens, sound and the like; and the rule that would activate whatever LVM finds on the machine's disks.
_REMOVED_RULES = (
    "60-autosuspend",
    "60-drm",
    "60-evdev",
    "60-fido-id",
    "60-infiniband",
    "60-input-id",
    "60-persistent-alsa",
    "60-persistent-input",
    "60-persistent-v4l",
    "60-sensor",
    "69-lvm",
    "70-camera",
    "70-joystick",
    "70-memory",
    "70-mouse",
    "70-power-switch",
    "70-touchpad",
    "70-uaccess",
    "71-seat",
    "73-seat-late",
    "75-probe_mtd",
    "78-sound-card",
    "80-debian-compat",
    "81-net-dhcp",
    "85-hwclock",
    "96-e2scrub",
)


@dataclass(frozen=True)
class Base:
    """A folder with ``vmlinuz``, ``base.img`` and ``packages.txt``, finished as soon as it is there.

    :ivar versions: what is to be installed, if it has to be built.
    """

    path: Path
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.path.name


def newest_base(settings: Settings, cache: Path) -> Base | None:
    """The last one built from the same variables, however old its packages have become."""
    found = sorted(cache.glob(f"base-{_recipe(settings)}-*"), key=lambda path: path.stat().st_mtime)
    return Base(found[-1]) if found else None


def current_base(settings: Settings, cache: Path) -> Base:
    """One with the packages that are the newest now; its path may not be there yet."""
    versions = resolve(settings, sources(settings))
    return Base(cache / f"base-{_recipe(settings)}-{_digest(versions)}", versions)


def build_base(settings: Settings, base: Base, say: t.Callable[[str], None]) -> None:
    """:raises BuildFailed: and nothing is left behind."""
    with tempfile.TemporaryDirectory(dir=base.path.parent, prefix="building-") as scratch:
        root, result = Path(scratch, "root"), Path(scratch, "result")
        result.mkdir()
        say("installing packages")
        installed = install(settings, sources(settings), root)
        if not agree(base.versions, installed):
            raise BuildFailed("The packages of the mirror changed while they were installed. Run this again.")
        say("libraries, drivers")
        _add_libraries(settings, root)
        _add_client(root)
        kernel = _kernel(root)
        shutil.copyfile(root / "boot" / f"vmlinuz-{kernel}", result / "vmlinuz")
        trim_modules(root, kernel, settings.modules)
        _set_keyboard(settings, root)
        _tidy(root)
        say("packing")
        pack(root, result / "base.img")
        _list(installed, settings, result / "packages.txt")
        result.rename(base.path)
    _sweep(base.path.parent, base)


def _recipe(settings: Settings) -> str:
    """A digest of the variables and of all programs that matter."""
    files = [*(Path(__file__).with_name(f"{name}.py") for name in _PROGRAM), *sorted(_CLIENT.glob("*.py"))]
    program = [path.read_text("utf-8") for path in files]
    return _digest([settings.of_packages(), program])


def _digest(value: t.Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _add_libraries(settings: Settings, root: Path) -> None:
    """With this host's pip, but for the Python inside."""
    if not settings.libraries:
        return
    python = max(root.glob("usr/lib/python3.*")).name.replace("python", "")
    meant = ("--python-version", python, "--implementation", "cp", "--platform", "manylinux2014_x86_64")
    options = ("--quiet", "--no-deps", "--no-compile", "--only-binary=:all:", "--disable-pip-version-check")
    target = root / "usr/lib/python3/dist-packages"
    call(sys.executable, "-m", "pip", "install", *options, *meant, "--target", target, *settings.libraries)


def _add_client(root: Path) -> None:
    """Here and not with the other files of this role: so that it is compiled, which saves slow machines a second."""
    target = root / "usr/lib/python3/dist-packages/golden_boot_env"
    shutil.copytree(_CLIENT, target, ignore=shutil.ignore_patterns("__pycache__"))


def _kernel(root: Path) -> str:
    found = [path.name for path in (root / "usr/lib/modules").glob("*")]
    if len(found) != 1:
        raise BuildFailed(f"boot_env_packages must bring exactly one kernel; these bring {', '.join(found) or 'none'}.")
    return found[0]


def _set_keyboard(settings: Settings, root: Path) -> None:
    if settings.keyboard == "us":
        return
    layout, _space, variant = settings.keyboard.partition(" ")
    text = f'XKBMODEL="pc105"\nXKBLAYOUT="{layout}"\nXKBVARIANT="{variant}"\n'
    (root / "etc/default/keyboard").write_text(text, "utf-8")
    call("chroot", root, "setupcon", "--keyboard-only", "--save-only", "--force")


def _tidy(root: Path) -> None:
    rules = [f"usr/lib/udev/rules.d/{name}.rules" for name in _REMOVED_RULES]
    for pattern in (*_REMOVED, *rules):
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for cache in list(root.rglob("__pycache__")):
        shutil.rmtree(cache)
    # Python would compare the age of sources, which is all one here.
    compiler = ("python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash")
    call("chroot", root, *compiler, "/usr/lib/python3", *(f"/usr/lib/{each.name}" for each in _pythons(root)))
    (root / "init").symlink_to("usr/lib/systemd/systemd")
    (root / "etc/machine-id").touch()  # systemd makes one for each boot


def _pythons(root: Path) -> list[Path]:
    return [path for path in (root / "usr/lib").iterdir() if re.fullmatch(r"python3\.\d+", path.name)]


def _list(versions: dict[str, str], settings: Settings, target: Path) -> None:
    libraries = [each.replace("==", " ") for each in settings.libraries]
    target.write_text("\n".join([*(f"{name} {version}" for name, version in versions.items()), *libraries]) + "\n")


def _sweep(cache: Path, base: Base) -> None:
    """Keep this one and the one before it."""
    others = [path for path in cache.glob("base-*") if path != base.path]
    for path in sorted(others, key=lambda path: path.stat().st_mtime)[: -(_KEPT - 1)]:
        shutil.rmtree(path)
