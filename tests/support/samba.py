# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Active Directory domain: Samba's domain controller with its DNS, in a network namespace.

    with Network() as network, SambaDomain(folder, network) as domain:
        subprocess.run(domain.inside("getent", "hosts", DC))    # a computer of the network, which asks this DNS
        domain.tool("computer", "list")
        domain.entry("PC-17$")["dn"]

What is made once, is kept in the user's cache: the domain, an organizational unit, somebody who may make computers in
there and nothing else, somebody who may not, and a teacher. All that Samba writes is bound over its usual places, for
its own processes only.
"""

from __future__ import annotations

import hashlib
import inspect
import shutil
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._ad import ldif

from .container import Container
from .debian import default_cache, locked
from .disks import call
from .network import Neighbour, Network
from .service import Service, Startable

DOMAIN, REALM, SHORT = "lab.example", "LAB.EXAMPLE", "LAB"
DC = f"dc1.{DOMAIN}"
OU = "OU=Lab A,DC=lab,DC=example"
CLIENT = ("adcli", "libnss-sss", "libpam-sss", "sssd-ad")  # packages of a Debian that is to join
ONLINE_CLIENT = (*CLIENT, "realmd")  # and of one that joins when it runs
FORBIDDEN_OU = "OU=Servers,DC=lab,DC=example"  # where the joiner may do nothing


class Person(t.NamedTuple):
    """An account of the domain."""

    name: str
    password: str


ADMINISTRATOR = Person("Administrator", "adm-Domain-7")
JOINER = Person("joiner", "join-Domain-7")
VISITOR = Person("visitor", "visit-Domain-7")
TEACHER = Person("teacher", "teach-Domain-7")

_COMPUTER = "bf967a86-0de6-11d0-a285-00aa003049e2"  # the class, in Microsoft's schema
# Make and delete computers in the folder, and everything on those in it.
_RIGHTS = "(OA;CI;CCDC;{computer};;{sid})(OA;CIIO;GA;;{computer};{sid})"
_PLACES = {"etc": "/etc/samba", "lib": "/var/lib/samba", "cache": "/var/cache/samba", "run": "/run/samba"}


class SambaDomain(Startable):
    """There from ``with`` to its end.

    :param folder: for what it writes.
    :param place: where it runs; nothing else may have port 53 there.
    :param address: its own, in that place.
    """

    def __init__(self, folder: Path, place: Network | Neighbour, address: str = "10.77.0.1") -> None:
        self.folder = folder
        self.address = address
        self._place = place
        self._state = folder / "state"
        self._service = Service(folder, "samba")

    def start(self) -> None:
        if not self._state.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            call("cp", "-a", _template(self.address), self._state)
            (self.folder / "resolv.conf").write_text(f"nameserver {self.address}\nsearch {DOMAIN}\n")
        command = ["samba", "--foreground", "--no-process-group", "--debug-stdout"]
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._service.start(self._place.inside(*apart, *_bound(self._state), *command), self._answers)

    def stop(self) -> None:
        self._service.stop()

    def inside(self, *command: str | Path) -> list[str]:
        """The command, so that it runs on its network and asks its DNS."""
        mount = f'mount --bind "{self.folder}/resolv.conf" /etc/resolv.conf; exec "$@"'
        return self._place.inside("unshare", "--mount", "sh", "-ec", mount, "sh", *command)

    def tool(self, *words: str) -> str:
        """What samba-tool says."""
        return call("unshare", "--mount", *_bound(self._state), "samba-tool", *words)

    def entry(self, account: str) -> dict[str, list[str]]:
        """What the domain knows of an account; its attributes in lower case. Nothing if there is none."""
        database = f"{_PLACES['lib']}/private/sam.ldb"
        words = ["ldbsearch", "-H", database, f"(sAMAccountName={account})"]
        found = ldif.parse(call("unshare", "--mount", *_bound(self._state), *words))
        return next((each for each in found if "samaccountname" in each), {})

    def _answers(self) -> bool:
        """By which clients find it, and the last thing that does."""
        asked = self.inside("adcli", "info", f"--domain={DOMAIN}")
        said = subprocess.run(asked, capture_output=True, check=False, timeout=60).stdout
        if b"domain-short" not in said:
            return False
        who = f"{JOINER.name}%{JOINER.password}"
        called = self.inside("rpcclient", "-U", who, DC, "-c", "getusername")
        return subprocess.run(called, capture_output=True, check=False, timeout=60).returncode == 0


def is_member(box: Container) -> bool:
    return box.run("adcli", "testjoin", "--domain", DOMAIN, check=False).returncode == 0


def knows_users(box: Container) -> None:
    """A user of the domain is known, and can log in with the right password only."""
    deadline = time.monotonic() + 30
    while box.run("getent", "passwd", TEACHER.name, check=False).returncode and time.monotonic() < deadline:
        time.sleep(0.5)
    assert f":/home/{TEACHER.name}:" in box.run("getent", "passwd", TEACHER.name).stdout
    login = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    login += ["su", "-c", "id -un; pwd", "-", TEACHER.name]
    said = box.run(*login, stdin=f"{TEACHER.password}\n").stdout.split()
    assert said[-2:] == [TEACHER.name, f"/home/{TEACHER.name}"]
    assert box.run(*login, stdin="wrong\n", check=False).returncode


def _template(address: str) -> Path:
    version = call("dpkg-query", "--show", "samba-ad-dc")
    recipe = repr([inspect.getsource(_provision), _RIGHTS, version, address, ADMINISTRATOR, JOINER, VISITOR, TEACHER])
    cache = default_cache()
    home = cache / f"samba-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    with locked(cache):
        if not home.exists():
            for outdated in cache.glob("samba-*"):
                shutil.rmtree(outdated)
            with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as folder:
                Path(folder).chmod(0o755)
                _provision(Path(folder, "state"), address)
                Path(folder, "state").rename(home)
    return home


def _provision(state: Path, address: str) -> None:
    for name in _PLACES:
        (state / name).mkdir(parents=True)
    (state / "lib/private").mkdir()

    def tool(*words: str) -> str:
        # Without a network, since it would take the addresses of this computer into its DNS.
        return call("unshare", "--mount", "--net", *_bound(state), "samba-tool", *words)

    names = [f"--realm={REALM}", f"--domain={SHORT}", "--host-name=dc1", f"--host-ip={address}"]
    quiet = "--option=dns update command = /bin/true"  # the names are there from the start
    kind = ["--server-role=dc", "--dns-backend=SAMBA_INTERNAL", f"--adminpass={ADMINISTRATOR.password}", quiet]
    tool("domain", "provision", *names, *kind)
    for ou in (OU, FORBIDDEN_OU):
        tool("ou", "create", ou)
    for person in (JOINER, VISITOR, TEACHER):
        tool("user", "create", person.name, person.password)
    shown = tool("user", "show", JOINER.name, "--attributes=objectSid")
    sid = shown.partition("objectSid: ")[2].split()[0]
    tool("dsacl", "set", f"--objectdn={OU}", f"--sddl={_RIGHTS.format(computer=_COMPUTER, sid=sid)}")


def _bound(state: Path) -> list[str]:
    """What a command is started by, in a mount namespace of its own, to find Samba's places filled with these."""
    lines = [f'mkdir -p "{place}"; mount --bind "{state}/{name}" "{place}"' for name, place in _PLACES.items()]
    return ["sh", "-ec", "; ".join([*lines, 'exec "$@"']), "sh"]
