# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Called by the role; prints one JSON object.

build: builds what the settings on standard input describe, and publishes it below --root.
publish: publishes a folder that was built elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import shutil
import sys
import tempfile
import typing as t
from pathlib import Path

from .archive import join, pack
from .base import Base, build_base, current_base, newest_base
from .overlay import lay_out
from .publish import is_current, publish
from .settings import Settings
from .tools import BuildFailed


def build(
    settings: Settings, cache: Path, root: Path, upgrade: bool, check: bool, say: t.Callable[[str], None]
) -> dict[str, t.Any]:
    """Build what is not there yet, and publish it.

    :param upgrade: take the newest packages; otherwise what was built before from the same variables will do.
    :param check: only say what would change.
    :raises BuildFailed: and nothing has changed.
    """
    base = (None if upgrade else newest_base(settings, cache)) or current_base(settings, cache)
    with tempfile.TemporaryDirectory(prefix="boot-env-") as scratch:
        overlay, result = Path(scratch, "overlay"), Path(scratch, "result")
        digest = lay_out(settings, base.key, overlay)
        found = {"digest": digest, "path": str(root / digest), "changed": not is_current(root, digest)}
        if found["changed"] and not check:
            with _locked(cache):
                if not base.path.exists():
                    build_base(settings, base, say)
                say("adding the files of this site")
                _assemble(settings, base, overlay, result)
                publish(result, root, digest)
        return found


def _assemble(settings: Settings, base: Base, overlay: Path, result: Path) -> None:
    result.mkdir()
    added = result.with_name("overlay.img")
    pack(overlay, added)
    join([base.path / "base.img", added], result / "initrd.img")
    shutil.copyfile(base.path / "vmlinuz", result / "vmlinuz")
    shutil.copyfile(base.path / "packages.txt", result / "packages.txt")
    (result / "cmdline").write_text(settings.cmdline() + "\n", "utf-8")


@contextlib.contextmanager
def _locked(cache: Path) -> t.Iterator[None]:
    """One build at a time."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(prog="builder", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("--cache", type=Path, required=True)
    building.add_argument("--root", type=Path, required=True)
    building.add_argument("--upgrade", action="store_true", help="look for newer packages")
    building.add_argument("--check", action="store_true", help="only say what would change")
    publishing = commands.add_parser("publish")
    publishing.add_argument("source", type=Path, help="a folder named by its digest")
    publishing.add_argument("--root", type=Path, required=True)
    chosen = parser.parse_args()
    try:
        if chosen.command == "publish":
            result = {"changed": publish(chosen.source, chosen.root, chosen.source.name)}
        else:
            settings = Settings.of(json.load(sys.stdin))
            result = build(settings, chosen.cache, chosen.root, chosen.upgrade, chosen.check, _say)
    except (BuildFailed, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
