# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab in which computers boot over the network: virtual machines and an imaging server, apart from other networks."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._units import show_duration

from ..support.container import ContainerFailed
from ..support.debian import BuildFailed
from .lab import RUN, TREE, Lab, LabFailed
from .machines import machines_of

_MACHINES = Path(__file__).with_name("machines.yml")
_WHAT_NOW = """\

Machines, imaging server and inventory are in {folder}. From here:

  {run} ansible-inventory --graph
  {run} ansible-playbook golden.fleet.capture -l reference -e golden_version=1 -e '{{"capture_tags": ["stable"]}}'
  {run} ansible-playbook golden.fleet.deploy -l lab_a
  {run} virsh list --all
  tail -f {folder}/pc-1.console

{run} alone is a shell in there. The end of it all: make lab-down"""


def main() -> None:
    """Do what the command line says, and end the program."""
    arguments = _arguments()
    if os.geteuid() != 0:
        sys.exit("lab: it makes a network and mounts disk files, so run it as root.")
    signal.signal(signal.SIGTERM, _leave)
    try:
        _down() if arguments.what == "down" else _up(arguments.machines)
    except KeyboardInterrupt:
        sys.exit("\nlab: interrupted; nothing is left of it.")
    except (LabFailed, BuildFailed, ContainerFailed, OSError, RuntimeError, ValueError) as failed:
        sys.exit(f"lab: {failed}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("what", choices=["up", "down"])
    parser.add_argument("--machines", type=Path, default=_MACHINES, help="what machines it has; by default %(default)s")
    return parser.parse_args()


def _leave(_signum: int, _frame: t.Any) -> None:
    sys.exit("lab: asked to stop; nothing is left of it.")


def _up(description: Path) -> None:
    lab = Lab()
    if lab.is_up:
        print("The lab is up already.")
    else:
        try:
            machines = machines_of(description.read_text("utf-8"))
        except ValueError as error:
            sys.exit(f"lab: {description}: {error}")
        began = time.monotonic()
        lab.up(machines, lambda text: print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True))
        print(f"The lab is up after {show_duration(time.monotonic() - began)}.")
    print(_WHAT_NOW.format(run=RUN.relative_to(TREE), folder=lab.folder.relative_to(TREE)))


def _down() -> None:
    lab = Lab()
    lab.down()
    print(f"The lab is down. Its logs are in {lab.folder.relative_to(TREE)}.")
