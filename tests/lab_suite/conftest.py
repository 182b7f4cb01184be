# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One lab for all of these tests. One that is up already is used as it stands and stays up, to try a single test."""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.lab.lab import TREE, Lab
from tests.lab.machines import machines_of
from tests.lab_suite.fleet import Fleet, Record

_MACHINES = Path(__file__).parents[1] / "lab" / "machines.yml"


@pytest.fixture(scope="session")
def fleet() -> t.Iterator[Fleet]:
    machines = machines_of(_MACHINES.read_text("utf-8"))
    lab = Lab()
    was_up = lab.is_up
    if not was_up:
        _lab("up")
    fleet = Fleet(lab, machines)
    try:
        yield fleet
    finally:
        fleet.close()
        if not was_up:
            _lab("down")


def _lab(what: str) -> None:
    """As make does: what is started there is nobody's child here, and outlives the tests if need be."""
    subprocess.run([sys.executable, "-m", "tests.lab", what], cwd=TREE, check=True)


@pytest.fixture(scope="session")
def image(fleet: Fleet) -> Record:
    """The record of the capture of the reference computer, as lab-a:1 and lab-a:stable."""
    if not fleet.records("ref-pc", "capture"):
        fleet.play("capture", "-l", "reference", golden_version="1", capture_tags=["stable"])
        fleet.cut_power("ref-pc")
    return fleet.record("ref-pc", "capture")
