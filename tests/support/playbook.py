# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs real playbooks, and watches them while they run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

from ansible_collections.golden.fleet.plugins.module_utils._job.files import default_root

_TREE = Path(__file__).resolve().parent.parent.parent
_COLLECTIONS = Path(__file__).resolve().parent / "collections"


def until(condition: t.Callable[[], t.Any], what: str, seconds: float = 30.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def ansible_environment(folder: Path) -> dict[str, str]:
    """For programs of Ansible: with the collection of this tree, and nothing that whoever runs the tests has set.

    :param folder: for what they keep.
    """
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "GOLDEN_"))}
    return {
        **mine,
        "ANSIBLE_COLLECTIONS_PATH": str(_TREE / ".cache"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
    }


def alive(pid: int) -> bool:
    """A process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def descendants(pid: int) -> list[int]:
    """All processes below this one."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [below for child in children for below in (int(child), *descendants(int(child)))]


class Play:
    """One run of ansible-playbook."""

    def __init__(self, argv: list[str], env: dict[str, str], folder: Path) -> None:
        self._lines: list[str] = []
        self.process = subprocess.Popen(
            # Whoever runs the tests in the background ignores the signal, and core before 2.19 would go on doing so.
            ["env", "--default-signal=INT", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=folder,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self._lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def output(self) -> str:
        return "".join(list(self._lines))

    def sees(self, pattern: str, seconds: float = 40.0) -> None:
        """Wait for a line while the play still runs."""
        until(lambda: re.search(pattern, self.output), f"{pattern!r} in\n{self.output}", seconds)
        assert self.process.poll() is None, f"the play was over when {pattern!r} was seen"

    def kill(self, signum: signal.Signals) -> None:
        """Send a signal: SIGINT as a terminal does, to all processes of its group."""
        if signum == signal.SIGINT:
            os.killpg(self.process.pid, signum)
        else:
            self.process.send_signal(signum)

    def ends(self, seconds: float = 60.0) -> int:
        """Wait for its end; its exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the play was not over within {seconds:.0f} s:\n{self.output}") from None
        self._reader.join(seconds)
        return code

    def stop(self) -> None:
        for pid in (*descendants(self.process.pid), self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


class Bench:
    """A folder with a playbook about test.long.slow, and everything that its runs leave behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.marks = folder / "marks"
        self.cut = folder / "cut"
        self.swallow = folder / "swallow"
        self._plays: list[Play] = []

    def play(
        self,
        args: t.Mapping[str, t.Any],
        *options: str,
        task: t.Mapping[str, t.Any] | None = None,
        hosts: t.Sequence[str] = ("web1",),
        variables: t.Mapping[str, t.Any] | None = None,
        env: t.Mapping[str, str] | None = None,
    ) -> Play:
        """Begin a play of one task, whose result is kept for each host."""
        tasks = [
            {"test.long.slow": {"marks": str(self.marks), "store": "/srv", **args}, "register": "kept", **(task or {})},
            {
                "ansible.builtin.copy": {
                    "content": "{{ kept | to_json }}",
                    "dest": f"{self.folder}/result-{{{{ inventory_hostname }}}}.json",
                    "mode": "0600",
                },
                "check_mode": False,
                "diff": False,
                "no_log": True,
            },
        ]
        playbook = self.folder / "play.json"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        settings = {
            "ansible_connection": "test.long.shaky",
            "ansible_python_interpreter": sys.executable,
            "ansible_async_dir": str(self.folder / "async"),  # core's own one depends on $HOME
            "cut": str(self.cut),
            "swallow": str(self.swallow),
            "golden_progress_interval": 1,
            **(variables or {}),
        }
        tool = Path(sys.executable).with_name("ansible-playbook")
        argv = [str(tool), "-i", ",".join((*hosts, "")), "-e", json.dumps(settings), *options, str(playbook)]
        play = Play(argv, self._environment(env or {}), self.folder)
        self._plays.append(play)
        return play

    def adhoc(self, module: str, args: str) -> str:
        """The output of a module that is called once, without a playbook."""
        argv = [str(Path(sys.executable).with_name("ansible")), "localhost", "-m", module, "-a", args]
        argv += ["-e", f"ansible_python_interpreter={sys.executable}"]
        return subprocess.run(argv, env=self._environment({}), capture_output=True, text=True, check=True).stdout

    def result(self, host: str = "web1") -> dict[str, t.Any]:
        """What the task has returned."""
        found: dict[str, t.Any] = json.loads((self.folder / f"result-{host}.json").read_text(encoding="utf-8"))
        return found

    @property
    def workers(self) -> list[int]:
        """Processes that have done, or do, the work."""
        return [int(path.name.rpartition("-")[2]) for path in self.marks.glob("began-*")]

    def is_enough(self) -> None:
        """The work comes to its end at once."""
        (self.marks / "enough").touch()

    @property
    def cleaned_up(self) -> bool:
        return (self.marks / "cleaned-up").exists()

    def jobs(self) -> list[Path]:
        """The folders of the jobs that were begun here."""
        found = []
        for record in default_root().glob("*/job.json"):
            if json.loads(record.read_text(encoding="utf-8"))["process"]["pid"] in self.workers:
                found.append(record.parent)
        return found

    def close(self) -> None:
        for play in self._plays:
            play.stop()
        for pid in filter(alive, self.workers):
            os.kill(pid, signal.SIGKILL)
        for folder in self.jobs():
            shutil.rmtree(folder)

    def _environment(self, more: t.Mapping[str, str]) -> dict[str, str]:
        ours = ansible_environment(self.folder)
        return {
            **ours,
            "ANSIBLE_COLLECTIONS_PATH": f"{ours['ANSIBLE_COLLECTIONS_PATH']}:{_COLLECTIONS}",
            "ANSIBLE_DISPLAY_FAILED_STDERR": "false",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            **more,
        }
