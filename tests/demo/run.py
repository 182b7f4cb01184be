# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo: a lab of virtual machines that images itself over the network, with the playbooks that users run."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._units import show_duration

from ..lab.lab import RUN, Lab, LabFailed
from ..lab.machines import machines_of
from ..support.container import ContainerFailed
from ..support.debian import BuildFailed
from ..support.qemu import BootFailed
from . import report
from .baseline import seconds_to_check_in

_MACHINES = Path(__file__).parents[1] / "lab" / "machines.yml"
_RECORDS = Path(__file__).with_name("records.yml")


class DemoFailed(Exception):
    """A playbook failed. Its output has said why."""


def main() -> None:
    """Run the demo and end the program."""
    arguments = _arguments()
    if os.geteuid() != 0:
        sys.exit("demo: it makes a network and virtual machines, so run it as root.")
    signal.signal(signal.SIGTERM, _leave)
    began = time.monotonic()
    try:
        with _lab(arguments.keep) as lab:
            kernel, steps = _demo(lab)
            _show(steps, _records(lab), kernel)
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; nothing is left of it but logs.")
    except (LabFailed, BuildFailed, ContainerFailed, BootFailed, DemoFailed) as failed:
        sys.exit(f"\ndemo: {failed}")
    print(f"\nAll of it took {show_duration(int(time.monotonic() - began))}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the lab up; 'make lab-down' ends it")
    return parser.parse_args()


def _leave(_signum: int, _frame: t.Any) -> None:
    sys.exit("demo: asked to stop; nothing is left of it but logs.")


@contextlib.contextmanager
def _lab(keep: bool) -> t.Iterator[Lab]:
    _heading("The lab: virtual machines with real firmware and management controllers, and a Debian for the server")
    lab = Lab()
    lab.up(machines_of(_MACHINES.read_text("utf-8")), lambda text: print(f"  {text}", flush=True))
    try:
        yield lab
    finally:
        if keep:
            print(f"\nThe lab is up: {RUN} is a shell in it, make lab-down ends it.")
        else:
            lab.down()


def _demo(lab: Lab) -> tuple[float, list[report.Step]]:
    release = ["-e", "golden_version=2026.11", "-e", '{"capture_tags": ["stable"]}']
    server = _play(lab, "golden.fleet.server")
    _heading("To compare with: the boot environment started by QEMU itself, without firmware and network")
    kernel = seconds_to_check_in(lab)
    print(f"  It checked in after {kernel:.0f} s.")
    return kernel, [
        server,
        _play(lab, "golden.fleet.capture", "-l", "reference", *release),
        _play(lab, "golden.fleet.deploy", "-l", "lab_a", machines=2),
        _play(lab, "golden.fleet.deploy", "-l", "lab_a", machines=2),
    ]


def _show(steps: list[report.Step], records: list[dict[str, t.Any]], kernel: float) -> None:
    _heading("What was done")
    print(report.table(steps, records))
    captures = [record for record in records if record["purpose"] == "capture"]
    print("\n".join(report.compared(record, kernel) for record in captures))


def _play(lab: Lab, *arguments: str, machines: int = 1) -> report.Step:
    """Run a playbook as its users do, before their eyes.

    :raises DemoFailed: it failed.
    """
    _heading(f"ansible-playbook {' '.join(arguments)}")
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(RUN), "ansible-playbook", *arguments], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise DemoFailed(f"ansible-playbook {' '.join(arguments)} failed. Consoles and logs are in {lab.folder}.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return report.Step(arguments[0], time.monotonic() - began, processor, machines)


def _records(lab: Lab) -> list[dict[str, t.Any]]:
    """What the imaging server has on record, in order of time."""
    folder = lab.folder / "records"
    lab.run("ansible-playbook", str(_RECORDS), "-e", f"folder={folder}", log=lab.folder / "records.log")
    found = [json.loads(path.read_text("utf-8")) for path in folder.rglob("*.json")]
    return sorted(found, key=lambda record: (record["began"], record["host"]))


def _heading(text: str) -> None:
    print(f"\n=== {text}\n", flush=True)
