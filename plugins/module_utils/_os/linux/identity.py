# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Takes from a deployed Linux what makes it, to others, the same computer as the one that it is a copy of."""

from __future__ import annotations

import fnmatch
import re
import secrets
import stat
import typing as t
import uuid

from ..beneath import Root
from ..tree import Tree
from . import cloud_init
from .host_keys import KeyPlan, make_keys, plan_keys, public_keys
from .hostname import hostname_in
from .made import remember, was_made_here
from .selinux import needs_relabel, order_relabel

MACHINE_ID, SSH_HOST_KEYS, STORAGE_NAMES = "machine_id", "ssh_host_keys", "storage_names"
NETWORK_BINDINGS, LOGS = "network_bindings", "logs"
# What is taken away, and made anew by its owner where it is needed. The last part is a pattern; folders go with all
# that is in them.
LEFTOVERS: dict[str, tuple[str, ...]] = {
    "random_seed": (
        "/var/lib/systemd/random-seed",
        "/var/lib/systemd/credential.secret",
        "/var/lib/random-seed",
        "/var/lib/urandom/random-seed",
        "/boot/loader/random-seed",
        "/boot/efi/loader/random-seed",
        "/efi/loader/random-seed",
    ),
    "dhcp_leases": (
        "/var/lib/dhcp/*.lease*",
        "/var/lib/dhclient/*.lease*",
        "/var/lib/dhcpcd/*",
        "/etc/dhcpcd.duid",
        "/etc/dhcpcd.secret",
        "/var/lib/NetworkManager/*.lease",
        "/var/lib/NetworkManager/secret_key",
        "/var/lib/NetworkManager/timestamps",
        "/var/lib/NetworkManager/seen-bssids",
        "/var/lib/systemd/network/*",
        "/var/lib/wicked/*.xml",
    ),
    NETWORK_BINDINGS: (
        "/etc/udev/rules.d/*persistent-net*.rules",
        "/etc/udev/rules.d/*persistent-cd*.rules",
    ),
    "lvm_devices": (
        "/etc/lvm/devices/system.devices",
        "/etc/lvm/devices/backup",
    ),
    "cloud_init": (
        "/var/lib/cloud/data",
        "/var/lib/cloud/handlers",
        "/var/lib/cloud/instance",
        "/var/lib/cloud/instances",
        "/var/lib/cloud/sem",
    ),
    "domain": (
        "/etc/krb5.keytab",
        "/var/lib/sss/db/*",
        "/var/lib/sss/gpo_cache/*",
        "/var/lib/sss/mc/*",
        # Not the folder of includes: without it, nobody could read /etc/krb5.conf.
        "/var/lib/sss/pubconf/kdcinfo.*",
        "/var/lib/sss/pubconf/kpasswdinfo.*",
        "/var/lib/sss/pubconf/krb5.include.d/*",
        "/var/lib/sss/secrets/*",
        # Not passdb.tdb and the like: those are the users and shares of a file server.
        "/var/lib/samba/secrets.tdb",
        "/var/lib/samba/private/secrets.?db",
        "/var/lib/samba/private/schannel_store.tdb",
        "/var/lib/samba/private/netlogon_creds_cli.tdb",
        "/var/lib/samba/winbindd_*.tdb",
        "/var/lib/samba/netsamlogon_cache.tdb",
        "/var/lib/samba/gencache*.tdb",
        "/var/cache/samba/*.tdb",
        "/var/lib/gssproxy/clients/*",
    ),
    LOGS: (
        "/var/log/journal/*",
        "/var/log/cloud-init*.log",
        "/var/log/*.[0-9]",
        "/var/log/*.[0-9].gz",
        "/var/log/*.[0-9][0-9]",
        "/var/log/*.[0-9][0-9].gz",
        "/var/log/*-20[0-9][0-9][01][0-9][0-3][0-9]*",
        "/var/log/installer",
        "/var/log/anaconda",
    ),
}
PARTS = (MACHINE_ID, SSH_HOST_KEYS, STORAGE_NAMES, *LEFTOVERS)
_EMPTIED_LOGS = ("/var/log/*log", "/var/log/[bw]tmp", "/var/log/messages", "/var/log/secure")
_MACHINE_ID, _DBUS_ID = "/etc/machine-id", "/var/lib/dbus/machine-id"
_NAME_OF_STORAGE: dict[
    str, re.Pattern[bytes]
] = {  # by which a server of disks knows the computer: what is before it, and what it is
    "/etc/iscsi/initiatorname.iscsi": re.compile(rb"^(InitiatorName=iqn\..*?:)([^:\n]+)$", re.MULTILINE),
    "/etc/nvme/hostid": re.compile(rb"^()([0-9A-Fa-f-]{36})$", re.MULTILINE),
    "/etc/nvme/hostnqn": re.compile(rb"^(nqn\..*:uuid:)([0-9A-Fa-f-]{36})$", re.MULTILINE),
}
_NAME = re.compile(r"[A-Za-z0-9.-]{1,64}")
_PROFILES = ("/etc/NetworkManager/system-connections/*", "/etc/sysconfig/network-scripts/ifcfg-*")
_BINDING = re.compile(r"^[ \t]*(?:mac-address|HWADDR)[ \t]*=.*\n?", re.MULTILINE)
_OTHER_PROFILES = ("/etc/netplan/*.yaml", "/etc/systemd/network/*.link", "/etc/systemd/network/*.network")
_OTHER_BINDING = re.compile(
    r"^[ \t-]*(?:macaddress[ \t]*:|(?:Permanent)?MACAddress[ \t]*=).*[0-9a-f]{2}[:-]", re.M | re.I
)


class _Plan(t.NamedTuple):
    """What there is to do.

    :ivar remove: paths.
    :ivar texts: files, and what shall be in them.
    :ivar link: the machine id of D-Bus becomes one.
    """

    remove: list[str]
    texts: dict[str, bytes]
    link: bool
    keys: KeyPlan
    relabel: bool

    @property
    def shown(self) -> list[str]:
        """For people: what is done, a line for each."""
        lines = [f"{path} is taken away" for path in self.remove]
        lines += [f"{path} is {'changed' if data else 'emptied'}" for path, data in self.texts.items()]
        lines += [f"{_DBUS_ID} becomes a link"] if self.link else []
        lines += [f"SSH host key ({kind}) is made" for kind in self.keys.make]
        lines += [f"SSH host key file {name} is taken away" for name in self.keys.drop]
        lines += ["all files get new SELinux labels at the next boot"] if self.relabel else []
        return lines


def apply(tree: Tree, parts: t.Collection[str], check: bool) -> dict[str, t.Any]:
    """Take it away, or make it anew.

    :param parts: of PARTS: what is meant.
    :returns: changed, diff, ssh_host_keys (the public ones, as they are now), notes.
    """
    root = tree.root
    plan = _plan(root, parts)
    if plan.shown and not check:
        _carry_out(root, plan)
    return {
        "changed": bool(plan.shown),
        "diff": {"before": "", "after": "".join(f"{line}\n" for line in plan.shown)},
        "ssh_host_keys": list(public_keys(root)),
        "notes": list(_notes(root)) if NETWORK_BINDINGS in parts else [],
    }


def _plan(root: Root, parts: t.Collection[str]) -> _Plan:
    patterns = [pattern for part, patterns in LEFTOVERS.items() if part in parts for pattern in patterns]
    remove = [path for pattern in patterns for path in _found(root, pattern)]
    texts: dict[str, bytes] = {}
    if NETWORK_BINDINGS in parts:
        texts.update(_unbound(root))
    if LOGS in parts:
        texts.update(_emptied_logs(root, remove))
    if STORAGE_NAMES in parts:
        texts.update(_renamed_storage(root))
    if MACHINE_ID in parts and (root.read(_MACHINE_ID) or b"").strip() not in {b"", b"uninitialized"}:
        texts[_MACHINE_ID] = b""
    if SSH_HOST_KEYS in parts:
        orders = cloud_init.order(root, cloud_init.KEEP_HOST_KEYS)
        texts.update({path: text.encode() for path, text in orders.items() if root.read(path) != text.encode()})
    link = MACHINE_ID in parts and root.link_target(_DBUS_ID) is None and root.exists(_DBUS_ID)
    keys = plan_keys(root) if SSH_HOST_KEYS in parts else KeyPlan([], [])
    return _Plan(remove, texts, link, keys, needs_relabel(root))


def _carry_out(root: Root, plan: _Plan) -> None:
    for path in plan.remove:
        root.remove_all(path)
    for path, data in plan.texts.items():
        if path in _NAME_OF_STORAGE:
            remember(data)
        root.write(path, data)
    if plan.link:
        root.link(_DBUS_ID, _MACHINE_ID)
    name = hostname_in((root.read("/etc/hostname") or b"").decode("ascii", "replace")) or ""
    make_keys(root, plan.keys, f"root@{name if _NAME.fullmatch(name) else 'localhost'}")
    order_relabel(root)


def _found(root: Root, pattern: str) -> list[str]:
    folder, _slash, name = pattern.rpartition("/")
    return [f"{folder}/{each}" for each in root.names(folder) if fnmatch.fnmatchcase(each, name)]


def _files(root: Root, patterns: t.Iterable[str]) -> list[str]:
    """Of what is found, the plain files."""
    paths = (path for pattern in patterns for path in _found(root, pattern))
    return [path for path in paths if (info := root.info(path)) and stat.S_ISREG(info.st_mode)]


def _renamed_storage(root: Root) -> dict[str, bytes]:
    found = {}
    uid = str(uuid.uuid4()).encode()  # both names of a computer at NVMe have the same one
    for path, pattern in _NAME_OF_STORAGE.items():
        before = root.read(path)
        new = uid if "nvme" in path else secrets.token_hex(6).encode()
        if before and pattern.search(before) and not was_made_here(before):
            found[path] = pattern.sub(rb"\g<1>" + new, before)
    return found


def _unbound(root: Root) -> dict[str, bytes]:
    """Network profiles that are for one card, as they are for any; what else they say stays."""
    found = {}
    for path in _files(root, _PROFILES):
        before = (root.read(path) or b"").decode("utf-8", "surrogateescape")
        after = _BINDING.sub("", before)
        if after != before:
            found[path] = after.encode("utf-8", "surrogateescape")
    return found


def _emptied_logs(root: Root, removed: t.Collection[str]) -> dict[str, bytes]:
    """Those that services expect to be there."""
    paths = set(_files(root, _EMPTIED_LOGS)) - set(removed)
    return {path: b"" for path in sorted(paths) if (info := root.info(path)) and info.st_size}


def _notes(root: Root) -> t.Iterator[str]:
    """What is bound to a network card in a way that only its author can undo."""
    for path in _files(root, _OTHER_PROFILES):
        if _OTHER_BINDING.search((root.read(path) or b"").decode("utf-8", "replace")):
            yield f"{path} of the deployed system names a network card by its address; another computer has another."
