# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A libvirt of its own, whose virtual machines management controllers can switch.

    with Network() as network, Libvirt(folder, network.name) as libvirt:
        libvirt.define(Machine("pc-07", mac="52:54:00:12:34:56", disk=disk, bridge="lan0"))
        libvirt.virsh("start", "pc-07")

It runs in a network namespace, with private /run, /etc and /var of its own, and in a process namespace: when it ends,
its machines end. Nothing of the host's own libvirt, if there is one, is seen or changed.
"""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
import uuid
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from .service import Service, Startable

Firmware = t.Literal["uefi", "bios"]
BootDevice = t.Literal["network", "disk"]

_OVMF = Path("/usr/share/OVMF")
_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
namespaces = []
cgroup_controllers = []
remember_owner = 0
stdio_handler = "file"
"""
_LIBVIRTD_CONF = """\
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "2:stderr"
"""
# libvirtd looks for the user that Debian's libvirt-daemon-system would make, even where its machines run as root.
# The shell stays as process 1 of the namespace and reaps QEMU; libvirtd would wait for ever for what nobody reaps.
_START = """\
for name in run etc var/lib var/log var/cache; do
    mkdir -p "$0/$name" "/$name/libvirt"
    mount --bind "$0/$name" "/$name/libvirt"
done
for name in passwd group; do
    { grep -v '^libvirt-qemu:' "/etc/$name"; echo "$1"; } >"$0/$name"
    mount --bind "$0/$name" "/etc/$name"
    shift
done
libvirtd --pid-file /run/libvirt/libvirtd.pid &
wait
"""

_USER = ("libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin", "libvirt-qemu:x:64055:")  # passwd, group


@dataclass(frozen=True)
class Machine:
    """A virtual PC.

    :ivar disk: a raw disk image; its only disk.
    :ivar bridge: that its network card is plugged into; by default it is alone, behind QEMU's own address translation.
    :ivar memory: bytes.
    :ivar console: file that receives what its serial port says.
    :ivar ipxe: whether a UEFI machine's network card brings iPXE along; else it boots from the network with the
        firmware's own client. Under iPXE, shim does not start. A BIOS has no client of its own.
    :ivar serial: serial number that its firmware tells.
    """

    name: str
    mac: str
    disk: Path
    firmware: Firmware = "uefi"
    secure_boot: bool = False
    memory: int = 1 << 30
    processors: int = 2
    bridge: str | None = None
    console: Path | None = None
    serial: str = ""
    ipxe: bool = False

    @property
    def uuid(self) -> str:
        """What Redfish calls it."""
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, self.name))

    def xml(self, kind: str = "qemu", first: BootDevice = "disk") -> str:
        """Its libvirt domain.

        :param kind: ``kvm``, or ``qemu`` for emulation.
        :param first: what it boots from; the other one if that fails.
        """
        network, disk = (1, 2) if first == "network" else (2, 1)
        model = "<cpu mode='host-passthrough'/>" if kind == "kvm" else "<cpu mode='custom'><model>Nehalem</model></cpu>"
        return f"""\
<domain type='{kind}'>
  <name>{self.name}</name>
  <uuid>{self.uuid}</uuid>
  <memory unit='bytes'>{self.memory}</memory>
  <vcpu>{self.processors}</vcpu>
  {model}
  <sysinfo type='smbios'>
    <system>
      <entry name='manufacturer'>golden.fleet</entry>
      <entry name='product'>Virtual PC</entry>
      <entry name='serial'>{self.serial or self.name}</entry>
    </system>
  </sysinfo>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    {self._firmware()}
    <smbios mode='sysinfo'/>
  </os>
  <features><acpi/><apic/>{"<smm state='on'/>" if self.secure_boot else ""}</features>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='unsafe' discard='unmap'/>
      <source file={quoteattr(str(self.disk))}/>
      <target dev='vda' bus='virtio'/>
      <serial>{self.name}</serial>
      <boot order='{disk}'/>
    </disk>
    <interface type='{"bridge" if self.bridge else "user"}'>
      {f"<source bridge='{self.bridge}'/>" if self.bridge else ""}
      <mac address='{self.mac}'/>
      <model type='virtio'/>
      <boot order='{network}'/>
      {"<rom enabled='no'/>" if self.firmware == "uefi" and not self.ipxe else ""}
    </interface>
    {self._serial_port()}
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <video><model type='vga'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"""

    def _firmware(self) -> str:
        if self.firmware == "bios":
            return "<bios useserial='yes'/>"
        kind, secure = ("_4M.ms", "secure='yes'") if self.secure_boot else ("_4M", "")
        loader = f"<loader readonly='yes' type='pflash' {secure}>{_OVMF}/OVMF_CODE{kind}.fd</loader>"
        return f"{loader}<nvram template='{_OVMF}/OVMF_VARS{kind}.fd'/>"

    def _serial_port(self) -> str:
        if self.console is None:
            return "<serial type='null'/>"
        return f"<serial type='file'><source path={quoteattr(str(self.console))} append='on'/></serial>"


class Libvirt(Startable):
    """start() and stop() may be called by different processes.

    :param folder: for all that it keeps.
    :param network: name of a network namespace to live in; by default one of its own, with nothing in it.
    :param kind: ``kvm`` where that works.
    """

    def __init__(self, folder: Path, network: str | None = None, kind: str = "qemu") -> None:
        self.folder = folder.resolve()
        self.network = network
        self.kind = kind
        self._service = Service(self.folder, "libvirtd")

    @property
    def uri(self) -> str:
        """Where it is reached, from any namespace."""
        return f"qemu:///system?socket={self.folder}/run/libvirt-sock"

    def start(self) -> None:
        (self.folder / "etc").mkdir(parents=True, exist_ok=True)
        (self.folder / "etc" / "qemu.conf").write_text(_QEMU_CONF)
        (self.folder / "etc" / "libvirtd.conf").write_text(_LIBVIRTD_CONF)
        network = ["ip", "netns", "exec", self.network] if self.network else ["unshare", "--net"]
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        start = ["sh", "-eu", "-c", _START, str(self.folder), *_USER]
        self._service.start([*network, *apart, *start], self._answers)

    def stop(self) -> None:
        """End it and its machines, as a power cut does."""
        self._service.stop()

    def define(self, machine: Machine, first: BootDevice = "disk") -> None:
        """Make a machine, or change it from its next start on."""
        description = self.folder / f"{machine.name}.xml"
        description.write_text(machine.xml(self.kind, first), "utf-8")
        self.virsh("define", str(description))

    def is_on(self, name: str) -> bool:
        return self.virsh("domstate", name) != "shut off"

    def boots_first(self, name: str) -> BootDevice:
        """What it tries first from its next start on."""
        before = self.virsh("dumpxml", "--inactive", name).partition("<boot order='1'/>")[0]
        return "network" if before.rfind("<interface") > before.rfind("<disk") else "disk"

    def virsh(self, *words: str) -> str:
        """What virsh says."""
        done = subprocess.run(["virsh", "--connect", self.uri, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"virsh {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _answers(self) -> bool:
        with contextlib.suppress(RuntimeError):
            self.virsh("version")
            return True
        return False
