# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Private. The bench: golden.fleet beside Clonezilla's and FOG's pipelines and dd, in one run.

docs/performance.md says what is measured and how. Ends with 1 where a requirement is missed, with 2 where the
bench itself could not be done.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from . import disk, machine, ours, peers, report
from .measure import BenchError, program
from .scenarios import Bench, Figures

_ROOM = 6.7  # times the bytes of files: three disks, one of them without holes, two stores and three images


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is cleaned up
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    try:
        with machine.alone(work):
            figures = _measure(options, work)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    rows = report.judge(figures)
    _publish(options, work, figures, rows)
    return 0 if all(row.passed for row in rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description="Measures speed and memory.")
    say = parser.add_argument
    say("--runs", type=int, default=3, help="runs of each contender; the median counts (3)")
    say("--size", choices=sorted(disk.SIZES), default="full", help="small is only for trying the bench")
    say("--change", choices=disk.PATTERNS, default=disk.PATTERNS[0], help="which files change")
    say("--only", choices=report.SCENARIOS, nargs="+", default=report.SCENARIOS, help="only these scenarios")
    say("--work", type=Path, default=ours.TREE / "build" / "bench", help="folder for everything big")
    say("--publish", action="store_true", help="write figures and picture to docs/")
    return parser.parse_args()


def _measure(options: argparse.Namespace, work: Path) -> Figures:
    peers.check_programs()
    machine.check_fitness(work, round(disk.SIZES[options.size].files * _ROOM))
    ours.make_importable()
    disks = disk.build(work, options.size, options.change)
    figures: Figures = {
        "machine": machine.facts(work),
        "disk": {"pattern": options.change, **asdict(disks), "before": "", "after": ""},
        "runs": options.runs,
    }
    scratch = work / "run"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        bench = Bench(scratch, disks, options.runs)
        for name in report.SCENARIOS:
            if name in options.only:
                print(name.replace("_", " "), flush=True)
                figures[name] = getattr(bench, name)()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return figures


def _publish(options: argparse.Namespace, work: Path, figures: Figures, rows: list[report.Row]) -> None:
    folder = ours.TREE / "docs" if options.publish else work
    text = report.table(rows, figures)
    report.write_json(folder / "bench.json", figures, rows)
    subprocess.run([*program("picture"), str(folder / "bench.json"), str(folder / "bench.svg")], check=True)
    if options.publish:
        report.write_page(folder / "performance.md", text)
    print(f"\n{text}\nFigures and picture: {folder}/bench.json, bench.svg")


if __name__ == "__main__":
    sys.exit(main())
