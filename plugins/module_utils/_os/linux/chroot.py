# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Programs of a deployed Linux, run in its tree, where os_mount has mounted it for that.

They see a system in which systemd runs and takes no orders: so maintainers' scripts enable services, and start none.
What that takes is mounted for the one program alone, and nothing of it is left in the tree.
"""

from __future__ import annotations

import typing as t

from ..._errors import OsError
from ..._run import Result, run

NOT_READY: t.Final = 250  # the exit code, where nothing can be run there
SHOWN: t.Final = "/run/golden.fleet"  # in the tree
HINT: t.Final = "Mount it with golden.fleet.os_mount and its option exec."
_ENVIRONMENT = (
    "HOME=/root",
    "USER=root",
    "LOGNAME=root",
    "SHELL=/bin/sh",
    "LANG=C.UTF-8",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "DEBIAN_FRONTEND=noninteractive",
    "SYSTEMD_OFFLINE=1",
)
# Links of the tree may lead the mounts anywhere, and nobody else would notice: they are this program's own. The one
# file that is written is in a folder that is new and empty.
_SCRIPT = f"""
root=$1
show=$2
shift 2
if ! mountpoint -q "$root/proc" || ! chroot "$root" /bin/sh -c :; then
    echo "No program can be run in the Linux at $root. {HINT}" >&2
    exit {NOT_READY}
fi
mount -t tmpfs -o mode=755,nosuid,nodev golden.fleet "$root/run"
mkdir -p "$root/run/systemd/system" "$root/run/lock"
chmod 1777 "$root/run/lock"
if [ -n "$show" ]; then
    mkdir "$root{SHOWN}"
    mount --bind "$show" "$root{SHOWN}"
fi
if [ -s /etc/resolv.conf ]; then
    link=$(readlink "$root/etc/resolv.conf" || :)
    place=${{link#/}}
    place=${{place#../}}
    case "$place" in
    *..*) ;;
    run/*)
        mkdir -p "$root/${{place%/*}}"
        cat /etc/resolv.conf >"$root/$place"
        ;;
    "") [ ! -f "$root/etc/resolv.conf" ] || mount --bind /etc/resolv.conf "$root/etc/resolv.conf" ;;
    esac
fi
exec env -i {" ".join(_ENVIRONMENT)} chroot "$root" "$@"
"""


def command(root: str, argv: t.Sequence[str], show: str = "") -> list[str]:
    """What runs a program of the tree, for root.

    :param show: a folder that it sees as ``SHOWN``.
    """
    return ["unshare", "--mount", "sh", "-euc", _SCRIPT, "sh", root, show, *argv]


def run_there(root: str, argv: t.Sequence[str], show: str = "") -> Result:
    """Run a program of the tree to its end.

    :param show: a folder that it sees as ``SHOWN``.
    :raises OsError: it failed, or nothing can be run there.
    """
    done = run(command(root, argv, show), ok=range(256))
    said = (done.stderr.strip() or done.stdout.strip())[-2000:]
    if done.rc == NOT_READY:
        raise OsError(said or HINT, path=root)
    if done.rc:
        raise OsError(
            f"{argv[0]} failed in the Linux at {root}, with exit code {done.rc}: {said}", path=root, rc=done.rc
        )
    return done
