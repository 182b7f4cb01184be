# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boots a disk file in QEMU and watches its serial console."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import tempfile
import time
import types
import typing as t
from pathlib import Path

from .network import Network

Firmware = t.Literal["uefi", "bios"]
Accelerator = t.Literal["kvm", "tcg"]

_OVMF = Path("/usr/share/OVMF")
PROCESSORS: dict[Accelerator, tuple[str, ...]] = {
    "kvm": ("-accel", "kvm", "-cpu", "host", "-machine", "q35", "-smp", "2"),
    "tcg": ("-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-machine", "q35", "-smp", "2"),
}
_MEMORY_MB = "768"
# mov dx, 0x501; mov al, 0x10; out dx, al; then halt: ends QEMU with exit code (0x10 << 1) | 1
_PROBE_CODE = b"\xba\x01\x05\xb0\x10\xee\xf4\xeb\xfd"
_PROBE_EXIT = 33
_CONTROL = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[c()78]|[^\x20-\x7e\n]")


class BootFailed(Exception):
    """The machine did not say what it should have said. The message ends with its last words."""


@functools.cache
def accelerator() -> Accelerator:
    """The fastest processor that really works here.

    Where /dev/kvm exists a guest may still hang: a boot sector must run to its end before KVM is believed.
    """
    return "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and runs_code(PROCESSORS["kvm"]) else "tcg"


def runs_code(processor: t.Sequence[str], deadline: float = 10) -> bool:
    """Whether a virtual machine executes its boot sector to the end.

    :param processor: QEMU's options for the very machine that is meant: KVM may run one model and not another.
    """
    with tempfile.NamedTemporaryFile(suffix=".img") as sector:
        sector.write(_PROBE_CODE.ljust(510, b"\0") + b"\x55\xaa")
        sector.truncate(1 << 20)  # firmware sees no AHCI disk in less
        probe = ["qemu-system-x86_64", *processor, "-display", "none", "-nic", "none"]
        probe += ["-device", "isa-debug-exit,iobase=0x501"]
        probe += ["-drive", f"file={sector.name},format=raw,snapshot=on"]
        try:
            ended = subprocess.run(probe, capture_output=True, timeout=deadline, check=False).returncode
        except subprocess.TimeoutExpired:
            return False
        return ended == _PROBE_EXIT


class Machine:
    """A virtual computer with one disk, running from ``with`` to its end. The disk file is never altered."""

    def __init__(self, disk: Path, firmware: Firmware, folder: Path) -> None:
        """:param folder: where console log, firmware variables and the disk's overlay are kept."""
        self.disk = disk
        self.firmware = firmware
        self.folder = folder
        self.log = folder / f"{disk.stem}-{firmware}.log"
        self._errors = folder / f"{disk.stem}-{firmware}.stderr"
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def __enter__(self) -> Machine:
        self.log.write_bytes(b"")
        self._started = time.monotonic()
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                # snapshot=on puts the overlay into TMPDIR
                env={**os.environ, "TMPDIR": str(self.folder)},
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _command(self) -> list[str]:
        disk = str(self.disk).replace(",", ",,")
        command = ["qemu-system-x86_64", *PROCESSORS[accelerator()], "-m", _MEMORY_MB]
        # GRUB finds no video mode under UEFI without a graphics card
        command += ["-nodefaults", "-vga", "std", "-display", "none", "-no-reboot"]
        command += ["-device", "virtio-rng-pci", "-serial", f"file:{self.log}"]
        command += ["-drive", f"file={disk},format=raw,if=virtio,snapshot=on"]
        return command + (self._uefi() if self.firmware == "uefi" else [])

    def _uefi(self) -> list[str]:
        variables = self.folder / f"{self.disk.stem}-vars.fd"
        shutil.copyfile(_OVMF / "OVMF_VARS_4M.fd", variables)
        code = f"if=pflash,format=raw,readonly=on,file={_OVMF / 'OVMF_CODE_4M.fd'}"
        return ["-drive", code, "-drive", f"if=pflash,format=raw,file={variables}"]

    def console(self) -> str:
        """What the machine has said so far, without terminal control codes."""
        return _CONTROL.sub("", self.log.read_text("utf-8", "replace"))

    def wait_for(self, pattern: str, deadline: float) -> float:
        """Wait until the console shows the pattern.

        :param deadline: seconds since the machine was switched on.
        :returns: after how many seconds since it was switched on that was.
        :raises BootFailed: it did not come in time, or the machine ended.
        """
        assert self._process is not None
        wanted = re.compile(pattern)
        while True:
            ended = self._process.poll()
            seconds = time.monotonic() - self._started
            if wanted.search(self.console()):
                return seconds
            if ended is not None:
                raise BootFailed(f"QEMU ended with {ended} before {pattern!r}: {self._last_words()}")
            if seconds > deadline:
                raise BootFailed(f"no {pattern!r} within {deadline:.0f} s: {self._last_words()}")
            time.sleep(0.2)

    def _last_words(self) -> str:
        return f"{self._errors.read_text()}\n{self.console()[-3000:]}"


class NetworkMachine(Machine):
    """One that starts a kernel as if a boot loader had fetched it, with a network card and a blank disk.

    Its clock is wrong, as that of a computer with an empty battery.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        network: Network,
        mac: str,
        kernel: Path,
        initrd: Path,
        *,
        processors: int = 1,
    ) -> None:
        disk = folder / f"{name}.img"
        with disk.open("wb") as file:
            file.truncate(1 << 30)
        super().__init__(disk, "bios", folder)
        self.mac = mac
        self.cmdline = ""
        self._network = network
        self._tap = network.tap(name)
        self._boot = ["-kernel", str(kernel), "-initrd", str(initrd), "-smp", str(processors)]

    def _command(self) -> list[str]:
        command = ["qemu-system-x86_64", *PROCESSORS[accelerator()], "-m", "2048", "-rtc", "base=2001-02-03"]
        command += ["-nodefaults", "-vga", "std", "-display", "none", "-no-reboot", "-serial", f"file:{self.log}"]
        command += ["-smbios", "type=1,manufacturer=Example Inc.,product=Desktop 7,serial=S-1234"]
        command += [
            "-drive",
            f"file={self.disk},format=raw,if=none,id=disk",
            "-device",
            "virtio-blk-pci,drive=disk,serial=D-1",
        ]
        command += ["-netdev", f"tap,id=lan,ifname={self._tap},script=no,downscript=no"]
        command += ["-device", f"virtio-net-pci,netdev=lan,mac={self.mac},romfile="]
        return self._network.inside(*command, *self._boot, "-append", self.cmdline)

    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def wait_for_end(self, deadline: float) -> None:
        """:raises BootFailed: it still runs after so many seconds from now."""
        assert self._process is not None
        try:
            self._process.wait(deadline)
        except subprocess.TimeoutExpired as error:
            raise BootFailed(f"it still runs after {deadline:.0f} s: {self._last_words()}") from error


class DisklessMachine(Machine):
    """One with nothing but a network card, which it boots from: with UEFI by the firmware's own PXE client, with a BIOS
    by the card's, which is iPXE.
    """

    def __init__(self, name: str, firmware: Firmware, folder: Path, network: Network, mac: str) -> None:
        super().__init__(folder / name, firmware, folder)
        self._mac = mac
        self._network = network
        self._tap = network.tap(name)

    def _command(self) -> list[str]:
        command = ["qemu-system-x86_64", *PROCESSORS[accelerator()], "-m", "512"]
        command += ["-nodefaults", "-vga", "std", "-display", "none", "-no-reboot", "-serial", f"file:{self.log}"]
        command += ["-netdev", f"tap,id=lan,ifname={self._tap},script=no,downscript=no"]
        card = f"virtio-net-pci,netdev=lan,mac={self._mac},bootindex=0"
        if self.firmware == "bios":
            # Without graphics the BIOS writes to the serial port.
            return self._network.inside(*command, "-machine", "graphics=off", "-device", card)
        # UEFI refuses an image from a network where it has no source of random numbers.
        command += ["-device", "virtio-rng-pci", "-device", f"{card},romfile="]
        return self._network.inside(*command, *self._uefi())
