# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the kernel's modules and of the firmware stay: network, storage, filesystems, keyboards, EFI."""

from __future__ import annotations

import fnmatch
import typing as t
from pathlib import Path

from .tools import BuildFailed, call

# Folders below kernel/, or modules by their name. What these need of others is kept too. Consoles need no module:
# firmware's framebuffer, VGA text and serial ports are built in.
_KEPT = (
    "arch",
    "block",
    "crypto",
    "lib",
    "drivers/ata",
    "drivers/block",
    "drivers/cdrom",
    "drivers/char/hw_random",
    "drivers/char/ipmi",
    "drivers/crypto",
    "drivers/firmware",
    "drivers/hv",
    "drivers/input/keyboard",
    "drivers/md",
    "drivers/message/fusion",
    "drivers/mmc",
    "drivers/net/ethernet",
    "drivers/net/hyperv",
    "drivers/net/mdio",
    "drivers/net/pcs",
    "drivers/net/phy",
    "drivers/net/usb",
    "drivers/net/vmxnet3",
    "drivers/nvdimm",
    "drivers/nvme/host",
    "drivers/pci",
    "drivers/scsi",
    "drivers/thunderbolt",
    "drivers/ufs",
    "drivers/usb/common",
    "drivers/usb/core",
    "drivers/usb/host",
    "drivers/usb/storage",
    "drivers/virtio",
    "fs/autofs",
    "fs/btrfs",
    "fs/efivarfs",
    "fs/exfat",
    "fs/ext4",
    "fs/f2fs",
    "fs/fat",
    "fs/fuse",
    "fs/hfs",
    "fs/hfsplus",
    "fs/isofs",
    "fs/nls",
    "fs/ntfs3",
    "fs/overlayfs",
    "fs/squashfs",
    "fs/udf",
    "fs/xfs",
    "virtio_net",
    "xen_netfront",
    "thunderbolt_net",
    "hid_apple",
    "hid_generic",
    "hid_logitech_dj",
    "hid_logitech_hidpp",
    "hyperv_keyboard",
    "usbhid",
)
# Networks of storage, such as Fibre Channel, and what serves to test drivers.
_LEFT_OUT = (
    "drivers/scsi/be2iscsi",
    "drivers/scsi/bfa",
    "drivers/scsi/bnx2fc",
    "drivers/scsi/bnx2i",
    "drivers/scsi/csiostor",
    "drivers/scsi/cxgbi",
    "drivers/scsi/elx",
    "drivers/scsi/fcoe",
    "drivers/scsi/fnic",
    "drivers/scsi/lpfc",
    "drivers/scsi/pcmcia",
    "drivers/scsi/qedf",
    "drivers/scsi/qedi",
    "drivers/scsi/qla2xxx",
    "drivers/scsi/qla4xxx",
    "drivers/scsi/snic",
    "scsi_debug",
    "drivers/block/drbd",
    "drivers/block/rnbd",
    "rbd",
    "nvme_rdma",
    "nvme_fc",
    "md_cluster",
    "bcache",
)


def select(dependencies: str, extra: t.Sequence[str]) -> list[str]:
    """Paths of the modules that stay.

    :param dependencies: modules.dep, which names for each module all that it needs, directly or not.
    :param extra: more modules, or folders below kernel/.
    :raises BuildFailed: the kernel has no such module or folder.
    """
    needs = {path: names.split() for path, _colon, names in (each.partition(":") for each in dependencies.splitlines())}
    kept: set[str] = set()
    for wanted in (*_KEPT, *extra):
        left_out = () if wanted in extra else _LEFT_OUT
        found = [path for path in needs if _is(path, wanted) and not any(_is(path, each) for each in left_out)]
        if not found and wanted in extra:
            raise BuildFailed(f"boot_env_modules: the kernel has no driver or folder of drivers named {wanted!r}.")
        kept.update(found, *(needs[path] for path in found))
    return sorted(kept)


def trim_modules(root: Path, kernel: str, extra: t.Sequence[str]) -> None:
    """Remove all others."""
    folder = root / "usr/lib/modules" / kernel
    kept = set(select((folder / "modules.dep").read_text("utf-8"), extra))
    for path in folder.rglob("*.ko*"):
        if str(path.relative_to(folder)) not in kept:
            path.unlink()
    call("chroot", root, "depmod", kernel)
    trim_firmware(root, kernel)


def trim_firmware(root: Path, kernel: str) -> None:
    """Remove the firmware that none of the modules asks for."""
    firmware = root / "usr/lib/firmware"
    if not firmware.is_dir():
        return
    modules = [str(path.relative_to(root)) for path in (root / "usr/lib/modules" / kernel).rglob("*.ko*")]
    wanted = call("chroot", root, "modinfo", "--field", "firmware", *modules).split()
    kept: set[Path] = set()
    for path in firmware.rglob("*"):
        if path.is_file() and asked_for(str(path.relative_to(firmware)), wanted):
            kept |= {path, path.resolve()}
    for path in firmware.rglob("*"):
        if not path.is_dir() and path not in kept:
            path.unlink()


def asked_for(name: str, wanted: t.Sequence[str]) -> bool:
    """Whether a file is one of those that drivers name, some of them by a pattern."""
    return any(fnmatch.fnmatchcase(name, each) for each in wanted)


def _is(path: str, wanted: str) -> bool:
    name = Path(path).name.partition(".")[0]
    return path.startswith(f"kernel/{wanted}/") or name.replace("-", "_") == wanted.replace("-", "_")
