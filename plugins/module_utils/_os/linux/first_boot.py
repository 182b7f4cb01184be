# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. Commands that a deployed Linux runs once, at its next boot: a unit of systemd that takes itself away.

Each command is a file, and goes when it has succeeded. So whatever ends the boot in the middle, the next one goes on
with the command that was running.
"""

from __future__ import annotations

import json
import re
import typing as t

from ..._errors import OsError, UsageError
from ..tree import LINUX, Tree
from .selinux import order_relabel

FOLDER: t.Final = "/etc/golden.fleet/first-boot"  # not beneath /var, which may be another filesystem
# A local fact of Ansible: ansible_local.golden_first_boot.
STATE: t.Final = "/etc/ansible/facts.d/golden_first_boot.fact"
_NAME = "golden-first-boot.service"
_UNITS = "/etc/systemd/system"
_WANTED = "multi-user.target.wants"
_SYSTEMD = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
_MOST = 999
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")
_LONGEST = 1 << 20

_UNIT = f"""\
[Unit]
Description=Commands of the first boot
ConditionPathExists={FOLDER}/run
After=golden-join.service golden-locale.service
{{network}}
[Service]
Type=oneshot
ExecStart=/bin/sh {FOLDER}/run
TimeoutStartSec=infinity
UMask=0022

[Install]
WantedBy=multi-user.target
"""
_NETWORK = "Wants=network-online.target\nAfter=network-online.target\n"

# A command may end the boot itself. Where it does so again and again, somebody has to look: hence the tries.
_RUN = f"""\
#!/bin/sh
# The commands of the first boot, in order; golden.fleet.os_first_boot has put them here.
cd {FOLDER} || exit 1
total=$(cat total)
export HOME=/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() {{
    printf '{{"state": "%s", "total": %d, "done": %d, "rc": %s}}\\n' "$1" "$total" "$2" "$3" >{STATE}.new &&
        mv {STATE}.new {STATE} && sync
}}

for command in commands/*; do
    [ -e "$command" ] || continue
    number=$(basename "$command")
    number=${{number#${{number%%[!0]*}}}}
    if [ "$(wc -c <tries)" -ge 3 ]; then
        echo "Command $number of $total has ended the boot three times. It is not run again."
        say failed $((number - 1)) null
        exit 1
    fi
    printf . >>tries
    say running $((number - 1)) null
    echo "Command $number of $total"
    /bin/sh "$command" </dev/null
    rc=$?
    : >tries
    if [ "$rc" -ne 0 ]; then
        echo "Command $number of $total has failed with exit code $rc. The next boot tries it again."
        say failed $((number - 1)) "$rc"
        exit 1
    fi
    rm -f "$command"
    sync
done
say done "$total" 0
after=$(cat after)
rm -f {_UNITS}/{_WANTED}/{_NAME} {_UNITS}/{_NAME}
rm -rf {FOLDER}
sync
echo "All commands of the first boot have succeeded."
[ "$after" != reboot ] || systemctl --no-block reboot
"""


class _File(t.NamedTuple):
    content: bytes
    mode: int


def apply(
    tree: Tree, commands: t.Sequence[str], check: bool, network: bool = False, reboot: bool = False
) -> dict[str, t.Any]:
    """Leave commands for the next boot; none: take those away that are there.

    :param commands: for ``/bin/sh``; they may hold secrets.
    :param network: wait until the network is up.
    :param reboot: start the machine again after the last one.
    :returns: changed, diff, commands (their number), unit.
    :raises OsError: the system has no systemd.
    """
    tree.need(LINUX, "A unit of systemd")
    if commands:
        _refuse(tree, commands)
    wanted = _files(commands, network, reboot) if commands else {}
    staged = _staged(tree)
    changed = staged != wanted or bool(wanted) != _is_enabled(tree)
    if changed and not check:
        _take_away(tree)
        if wanted:
            _put(tree, wanted)
    before = sum(_is_command(path) for path in staged)
    return {
        "changed": changed,
        "commands": len(commands),
        "unit": _NAME,
        "diff": {"before": _shown(before, staged), "after": _shown(len(commands), wanted)},
    }


def _refuse(tree: Tree, commands: t.Sequence[str]) -> None:
    if not any(tree.root.exists(path) for path in _SYSTEMD):
        raise OsError(
            f"The Linux at {tree.root.path} does not start with systemd, which would run commands at its first boot. "
            "Run them before, over the connection golden.fleet.deployed_root, or after, in tasks of their own."
        )
    if len(commands) > _MOST:
        raise UsageError(f"There are {len(commands)} commands for the first boot; at most {_MOST} are possible.")
    for number, command in enumerate(commands, 1):
        if not command.strip() or _NO_TEXT.search(command) or len(command.encode()) >= _LONGEST:
            raise UsageError(f"Command {number} of the first boot is empty, is no text, or has {_LONGEST} bytes.")


def _files(commands: t.Sequence[str], network: bool, reboot: bool) -> dict[str, _File]:
    """All that is put there, but for the link."""
    parts = {f"commands/{number:03d}": f"{command}\n" for number, command in enumerate(commands, 1)}
    parts.update({"total": f"{len(commands)}\n", "after": "reboot\n" if reboot else "\n", "tries": "", "run": _RUN})
    found = {f"{FOLDER}/{name}": _File(text.encode(), 0o600) for name, text in parts.items()}
    found[f"{_UNITS}/{_NAME}"] = _File(_UNIT.format(network=_NETWORK if network else "").encode(), 0o644)
    state = {"state": "pending", "total": len(commands), "done": 0, "rc": None}
    found[STATE] = _File(f"{json.dumps(state)}\n".encode(), 0o644)
    return found


def _staged(tree: Tree) -> dict[str, _File]:
    """What is there of it already."""
    names = [*tree.root.names(FOLDER), *(f"commands/{name}" for name in tree.root.names(f"{FOLDER}/commands"))]
    paths = [f"{FOLDER}/{name}" for name in names if name != "commands"]
    found = {}
    for path in (*paths, f"{_UNITS}/{_NAME}", STATE):
        content, info = tree.root.read(path, _LONGEST), tree.root.info(path)
        if content is not None and info:
            found[path] = _File(content, info.st_mode & 0o7777)
    return found


def _is_command(path: str) -> bool:
    return path.startswith(f"{FOLDER}/commands/")


def _is_enabled(tree: Tree) -> bool:
    return tree.root.link_target(f"{_UNITS}/{_WANTED}/{_NAME}") is not None


def _take_away(tree: Tree) -> None:
    """What is enabled last goes first."""
    for path in (f"{_UNITS}/{_WANTED}/{_NAME}", f"{_UNITS}/{_NAME}", FOLDER, STATE):
        tree.root.remove_all(path)


def _put(tree: Tree, files: dict[str, _File]) -> None:
    for folder in (FOLDER, f"{FOLDER}/commands"):
        tree.root.folder(folder, 0o700)
    for path, file in files.items():
        tree.root.write(path, file.content, file.mode, (0, 0))
    tree.root.link(f"{_UNITS}/{_WANTED}/{_NAME}", f"{_UNITS}/{_NAME}")
    order_relabel(tree.root)


def _shown(commands: int, files: dict[str, _File]) -> dict[str, t.Any]:
    """For people: never what a command says."""
    if not files:
        return {}
    return {"commands": commands, "files": sorted(files)}
