# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The quick part of a build: files of this role and of the user, on top of the packages."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

from .settings import Settings

_FILES = Path(__file__).resolve().parent.parent
_UNITS = "etc/systemd/system"
_WANTED = ("golden-boot-env.service", "golden-host-key.service", "golden-sshd.service", "systemd-networkd.service")
_SCREEN_OF_SHELL = "tty2"
# Nothing here outlives a boot, has users, or starts anything that lies on a disk; and every unit takes its time.
_MASKED = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "blk-availability.service",
    "dbus.service",
    "dbus.socket",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "dm-event.socket",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "emergency.service",
    "fstrim.timer",
    "getty.target",
    "ldconfig.service",
    "lvm2-lvmpolld.socket",
    "lvm2-monitor.service",
    "nvmf-autoconnect.service",
    "proc-sys-fs-binfmt_misc.automount",
    "rescue.service",
    "ssh.service",
    "ssh.socket",
    "sys-fs-fuse-connections.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "systemd-ask-password-console.path",
    "systemd-ask-password-wall.path",
    "systemd-binfmt.service",
    "systemd-boot-system-token.service",
    "systemd-firstboot.service",
    "systemd-hwdb-update.service",
    "systemd-initctl.socket",
    "systemd-journal-catalog-update.service",
    "systemd-journal-flush.service",
    "systemd-logind.service",
    "systemd-machine-id-commit.service",
    "systemd-modules-load.service",
    "systemd-networkd-wait-online.service",
    "systemd-pcrphase-sysinit.service",
    "systemd-pcrphase.service",
    "systemd-pstore.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-repart.service",
    "systemd-sysctl.service",
    "systemd-sysusers.service",
    "systemd-tmpfiles-clean.timer",
    "systemd-update-done.service",
    "systemd-update-utmp-runlevel.service",
    "systemd-update-utmp.service",
    "systemd-user-sessions.service",
)


def lay_out(settings: Settings, base: str, folder: Path) -> str:
    """Write the files.

    :param base: key of the packages beneath.
    :returns: a digest of the whole boot environment.
    """
    shutil.copytree(_FILES / "image", folder, symlinks=True)
    _write(folder / "etc/hostname", "boot-env\n")
    _write(folder / "etc/hosts", "127.0.0.1 localhost boot-env\n::1 localhost\n")
    _link(folder / "etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
    _write(folder / "etc/golden.fleet/authorized_keys", "".join(f"{key.strip()}\n" for key in settings.authorized_keys))
    _write(folder / "etc/golden.fleet/ca.pem", settings.ca)
    _units(settings, folder / _UNITS)
    _permit(folder)
    digest = _digest(folder, base, settings)
    _write(folder / "etc/golden.fleet/boot-env.json", json.dumps({"digest": digest, "idle": settings.idle}) + "\n")
    return digest


def _units(settings: Settings, folder: Path) -> None:
    _link(folder / "default.target", "/usr/lib/systemd/system/multi-user.target")
    for name in _MASKED:
        _link(folder / name, "/dev/null")
    for name in (*_WANTED, *_wanted_by_variables(settings)):
        unit = f"{name.partition('@')[0]}@.service" if "@" in name else name
        home = "/etc/systemd/system" if (folder / unit).exists() else "/usr/lib/systemd/system"
        _link(folder / "multi-user.target.wants" / name, f"{home}/{unit}")


def _wanted_by_variables(settings: Settings) -> list[str]:
    wanted = ["keyboard-setup.service"] if settings.keyboard != "us" else []
    if settings.console_shell:
        serial = [each.partition(",")[0] for each in settings.consoles if not each.startswith("tty0")]
        wanted += [f"golden-shell@{each}.service" for each in (_SCREEN_OF_SHELL, *serial)]
    return wanted


def _permit(folder: Path) -> None:
    """Whatever umask and rights the copies of this role have."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def _digest(folder: Path, base: str, settings: Settings) -> str:
    found = hashlib.sha256(json.dumps([base, asdict(settings)]).encode())
    for path in sorted(folder.rglob("*")):
        content = str(path.readlink()) if path.is_symlink() else path.read_text("utf-8") if path.is_file() else ""
        found.update(json.dumps([str(path.relative_to(folder)), content]).encode())
    return found.hexdigest()[:32]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
