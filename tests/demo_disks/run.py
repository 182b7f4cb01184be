# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo: build a computer, capture it, put it on two others, boot one, and say what moved."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._units import show_duration, show_size

from ..support import debian
from ..support.nginx import Nginx
from ..support.qemu import BootFailed, Firmware, Machine, accelerator
from . import report

_HERE = Path(__file__).parent
_COLLECTIONS = _HERE.parents[4]  # not resolved: the tree may be linked to its place among the collections
_BIGGER = 1 << 30
_BOOT_DEADLINE = 480
_STOP_DEADLINE = 60
_FIRMWARE: dict[Firmware, str] = {"uefi": "UEFI", "bios": "BIOS"}
# What a computer says on its serial console on the way to its login prompt, and what that means.
_MILESTONES = (
    ("Welcome to GRUB", "the boot loader runs"),
    ("Linux version", "the kernel starts"),
    ("Welcome to Debian", "the root filesystem is mounted, systemd starts"),
    (debian.LOGIN_PROMPT, "somebody may log in"),
)


def main() -> None:
    """Run the demo and end the program."""
    arguments = _arguments()
    if os.geteuid() != 0:
        sys.exit("demo: it mounts disk files, so run it as root.")
    signal.signal(signal.SIGTERM, _leave)
    began = time.monotonic()
    try:
        with _workspace(arguments.keep) as folder:
            _demo(folder, arguments.firmware)
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; everything is cleaned up.")
    except (debian.BuildFailed, BootFailed) as failed:
        sys.exit(f"\ndemo: {failed}")
    print(f"\nAll of it took {show_duration(time.monotonic() - began)}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo-disks", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave disks, store and logs behind, and say where")
    parser.add_argument("--firmware", nargs="+", choices=_FIRMWARE, default=["uefi"], help="what to boot with")
    return parser.parse_args()


def _leave(_signum: int, _frame: t.Any) -> None:
    sys.exit("demo: asked to stop; everything is cleaned up.")


@contextlib.contextmanager
def _workspace(keep: bool) -> t.Iterator[Path]:
    """A folder on a real disk: the usual temporary one may be in memory, which knows no direct I/O."""
    cache = debian.default_cache()
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=cache, prefix="demo-"))
    try:
        yield folder
    finally:
        if keep:
            print(f"\nKept: {folder}")
        else:
            shutil.rmtree(folder)


def _demo(folder: Path, firmwares: t.Sequence[Firmware]) -> None:
    _prepare(folder)
    rows = report.playbook_rows(_play(folder))
    for firmware in firmwares:
        seconds = _boot(folder / "computer_a.img", firmware, folder)
        rows.append(report.booted(f"boot computer_a with {_FIRMWARE[firmware]}", seconds))
    print(f"\n=== What moved\n\n{report.table(rows)}")


def _heading(title: str, text: str) -> None:
    print(f"\n=== {title}\n\n{report.paragraph(text)}\n", flush=True)


def _say(text: str) -> None:
    print(f"  {text}", flush=True)


def _prepare(folder: Path) -> None:
    _heading(
        "Three computers",
        """The reference computer runs a small Debian 12 that boots with UEFI and with BIOS, and was updated this
        month. computer_a has a bigger, blank disk. computer_b still is as it was last month. Their disks are
        files here; everything else is real.""",
    )
    if not debian.are_built():
        _say(f"building the system, once: it is kept in {debian.default_cache()}")
    states = debian.disks(say=_say)
    disks = {name: folder / f"{name}.img" for name in ("reference", "computer_a", "computer_b")}
    debian.copy_disk(states.this_month, disks["reference"])
    debian.blank_disk(disks["computer_a"], debian.DISK_SIZE + _BIGGER)
    debian.copy_disk(states.last_month, disks["computer_b"])
    for name, what in (("reference", "this month's"), ("computer_a", "blank"), ("computer_b", "last month's")):
        _say(f"{name:<11} {show_size(disks[name].stat().st_size):>7}  {what}")


def _play(folder: Path) -> dict[str, t.Any]:
    """Run the playbook against a store of its own; what its modules returned, by step."""
    _heading(
        "The playbook: tests/demo_disks/demo.yml",
        """ansible-playbook captures the reference computer into a store behind nginx (HTTPS, with credentials),
        checks the image there, and applies it: in full to computer_a, only the differences to computer_b, and
        then nothing more to computer_b, because it is up to date.""",
    )
    results = folder / "results.json"
    with Nginx(folder / "nginx") as server:
        environment = {
            "ANSIBLE_CONFIG": str(_HERE / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(_COLLECTIONS),
            "GOLDEN_STORE": server.url,
            "GOLDEN_STORE_CA": str(server.ca),
            "GOLDEN_STORE_USERNAME": server.writer.name,
            "GOLDEN_STORE_PASSWORD": server.writer.password,
        }
        _run_playbook({"disks": str(folder), "results_file": str(results)}, environment)
    return t.cast("dict[str, t.Any]", json.loads(results.read_text()))


def _run_playbook(variables: dict[str, str], environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "ansible", "playbook", str(_HERE / "demo.yml")]
    play = subprocess.Popen(
        [*command, "--extra-vars", json.dumps(variables)],
        env={**os.environ, **environment},
        # Ctrl-C is for us; we pass it on once, and wait until the playbook has stopped what it started.
        start_new_session=True,
    )
    try:
        code = play.wait()
    finally:
        if play.poll() is None:
            os.killpg(play.pid, signal.SIGINT)
            play.wait(_STOP_DEADLINE)
    if code:
        sys.exit(f"demo: the playbook failed with exit code {code}; see above what it said.")


def _boot(disk: Path, firmware: Firmware, folder: Path) -> float:
    """Boot the disk, and say how far it has come; the seconds until its login prompt."""
    speed = "with KVM" if accelerator() == "kvm" else "without KVM, which takes many times as long"
    _heading(
        f"Booting {disk.stem} with {_FIRMWARE[firmware]}",
        f"Does the disk that was blank start the system of the reference computer? It is booted in QEMU, {speed}.",
    )
    with Machine(disk, firmware, folder) as machine:
        for pattern, meaning in _MILESTONES:
            seconds = machine.wait_for(pattern, _BOOT_DEADLINE)
            _say(f"{seconds:5.1f} s  {meaning}")
        machine.wait_for(debian.THIS_MONTH, seconds)
        print("\n" + "\n".join(f"  | {line}" for line in machine.console().split("\n")[-3:] if line))
    return seconds
