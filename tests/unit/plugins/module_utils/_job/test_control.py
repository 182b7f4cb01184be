# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs with real worker processes: how they begin, how they end, and what is found afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import typing as t
import uuid
from pathlib import Path

import pytest
from ansible_collections.golden.fleet.plugins.module_utils._errors import DiskError, JobError
from ansible_collections.golden.fleet.plugins.module_utils._job.control import Jobs
from ansible_collections.golden.fleet.plugins.module_utils._job.model import Order, Status, Work
from ansible_collections.golden.fleet.plugins.module_utils._process import Identity
from ansible_collections.golden.fleet.plugins.module_utils._progress import Progress


class Room:
    """Jobs in a folder of their own, with orders that are easy to write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = Jobs(root)

    def start(
        self,
        run: t.Callable[[Progress], dict[str, t.Any]],
        key: str = "key",
        subject: str | None = None,
        **order: t.Any,
    ) -> Status:
        given = {"id": uuid.uuid4().hex, "title": "image_apply", "timeout": 60.0, **order}
        return self.jobs.start(Order(key=key, **given), Work(run, subject))

    def ended(self, job_id: str) -> Status:
        deadline = time.monotonic() + 10
        while True:
            status = self.jobs.poll(job_id)
            if status.state != "running":
                return status
            assert time.monotonic() < deadline, "the job does not end"
            time.sleep(0.02)

    def record(self, job_id: str) -> dict[str, t.Any]:
        found: dict[str, t.Any] = json.loads((self.root / job_id / "job.json").read_text(encoding="utf-8"))
        return found

    def process(self, job_id: str) -> Identity:
        return Identity(**self.record(job_id)["process"])

    def age(self, job_id: str, seconds: float) -> None:
        """Make everything about a job look so much older."""
        for path in (self.root / job_id).iterdir():
            os.utime(path, (time.time() - seconds,) * 2)


@pytest.fixture
def room(tmp_path: Path) -> t.Iterator[Room]:
    room = Room(tmp_path / "run" / "jobs")
    yield room
    for record in room.root.glob("*/job.json"):
        process = Identity(**json.loads(record.read_text(encoding="utf-8"))["process"])
        if process.alive:
            os.killpg(process.pid, signal.SIGKILL)


def at_once(_progress: Progress) -> dict[str, t.Any]:
    return {"changed": True}


def slowly(_progress: Progress) -> dict[str, t.Any]:
    time.sleep(60)
    return {}


def test_work_goes_from_running_to_done(room: Room) -> None:
    def run(progress: Progress) -> dict[str, t.Any]:
        progress.phase("reading", 100)
        progress.note("one")
        time.sleep(0.6)
        progress.advance(40)
        progress.note("two")
        time.sleep(0.3)
        return {"changed": True}

    begun = room.start(run)
    assert begun.state == "running"
    assert not begun.attached
    time.sleep(0.7)
    running = room.jobs.poll(begun.id, seen=1)
    assert running.notes == ("two",)
    assert running.progress["phase"] == "reading"
    assert (running.progress["done"], running.progress["total"]) == (40, 100)
    assert running.progress["rate"] > 0
    done = room.ended(begun.id)
    assert (done.state, done.result) == ("done", {"changed": True})
    assert done.notes == ("one", "two")


def test_an_error_is_a_result(room: Room) -> None:
    def run(_progress: Progress) -> dict[str, t.Any]:
        raise DiskError("The disk is gone.", disk="/dev/x")

    status = room.ended(room.start(run).id)
    assert (status.state, status.result) == ("failed", {"msg": "The disk is gone.", "disk": "/dev/x"})


def test_a_crash_leaves_its_traceback_without_secrets(room: Room) -> None:
    def run(_progress: Progress) -> dict[str, t.Any]:
        raise ValueError("the password is hunter2")

    status = room.ended(room.start(run, scrub=lambda text: text.replace("hunter2", "***")).id)
    assert status.state == "lost"
    assert status.result
    assert "It said last: ValueError: the password is ***." in status.result["msg"]
    assert "in run" in status.result["stderr"]
    assert "hunter2" not in str(status)


def test_results_and_notes_are_scrubbed(room: Room) -> None:
    def run(progress: Progress) -> dict[str, t.Any]:
        progress.note("using hunter2")
        return {"url": "https://me:hunter2@x"}

    def scrub(value: t.Any) -> t.Any:
        return json.loads(json.dumps(value).replace("hunter2", "***"))

    job_id = room.start(run, scrub=scrub).id
    assert room.ended(job_id).result == {"url": "https://me:***@x"}
    assert not [f for f in (room.root / job_id).iterdir() if "hunter2" in f.read_text(encoding="utf-8")]


def test_a_killed_worker_is_lost(room: Room) -> None:
    job_id = room.start(slowly).id
    os.kill(room.process(job_id).pid, signal.SIGKILL)
    status = room.ended(job_id)
    assert status.state == "lost"
    assert status.result
    assert "Somebody killed it" in status.result["msg"]


def test_another_process_with_the_same_number_is_not_the_worker(room: Room) -> None:
    job_id = room.start(slowly).id
    record = room.record(job_id)
    os.kill(record["process"]["pid"], signal.SIGKILL)
    record["process"]["pid"] = os.getpid()
    (room.root / job_id / "job.json").write_text(json.dumps(record), encoding="utf-8")
    assert room.jobs.poll(job_id).state == "lost"
    assert room.jobs.cancel(job_id).state == "lost"


def test_a_process_of_an_earlier_boot_is_gone() -> None:
    now = Identity.current()
    assert now.alive
    assert not Identity(now.pid, now.started, "4d7f").alive


def test_a_zombie_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        fields = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        identity = Identity(child.pid, fields[19], Identity.current().boot)
        assert identity.alive
        assert child.stdin
        child.stdin.close()
        deadline = time.monotonic() + 10
        while identity.alive and time.monotonic() < deadline:
            time.sleep(0.02)
        assert Path(f"/proc/{child.pid}").exists()
        assert not identity.alive


def test_cancel_lets_the_work_clean_up(room: Room, tmp_path: Path) -> None:
    def run(progress: Progress) -> dict[str, t.Any]:
        progress.phase("sleeping")
        try:
            (tmp_path / "begun").touch()
            time.sleep(60)
        finally:
            (tmp_path / "cleaned-up").touch()
        return {}

    job_id = room.start(run).id
    deadline = time.monotonic() + 10
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    status = room.jobs.cancel(job_id)
    assert status.state == "cancelled"
    assert status.result == {"msg": "image_apply was cancelled before it was done."}
    assert (tmp_path / "cleaned-up").exists()
    assert not room.process(job_id).alive


def test_cancel_before_the_work_has_begun(room: Room) -> None:
    """Its process may not listen yet, or just so."""
    for _time in range(5):
        status = room.jobs.cancel(room.start(lambda _progress: time.sleep(60) or {}).id)
        assert status.state == "cancelled"
        assert status.result["msg"] in {
            "image_apply was cancelled before it was done.",
            "image_apply was cancelled before it began.",
        }


def test_cancel_interrupts_what_waits_for_threads_and_programs(room: Room) -> None:
    def run(progress: Progress) -> dict[str, t.Any]:
        done = threading.Event()
        threading.Thread(target=done.wait, args=(60,), daemon=True).start()
        progress.phase("waiting")
        subprocess.run(["sleep", "60"], check=True)
        return {}

    job_id = room.start(run).id
    time.sleep(0.3)
    began = time.monotonic()
    assert room.jobs.cancel(job_id).state == "cancelled"
    assert time.monotonic() - began < 5


def test_work_that_ignores_the_request_is_killed_with_its_children(room: Room, tmp_path: Path) -> None:
    def run(_progress: Progress) -> dict[str, t.Any]:
        with subprocess.Popen(["sleep", "61.25"]) as child:
            (tmp_path / "child").write_text(str(child.pid), encoding="ascii")
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            (tmp_path / "deaf").touch()
            time.sleep(60)
        return {}

    job_id = room.start(run).id
    while not (tmp_path / "deaf").exists():
        time.sleep(0.02)
    status = room.jobs.cancel(job_id, grace=0.3)
    assert status.state == "cancelled"
    assert status.result
    assert "did not stop by itself" in status.result["msg"]
    child = Path("/proc") / (tmp_path / "child").read_text(encoding="ascii") / "stat"
    deadline = time.monotonic() + 5
    while child.exists() and " Z " not in child.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, "the worker's child lives on"
        time.sleep(0.02)


def test_cancelling_what_has_ended_changes_nothing(room: Room) -> None:
    job_id = room.start(at_once).id
    room.ended(job_id)
    assert room.jobs.cancel(job_id).state == "done"


def test_a_start_that_comes_after_its_cancel_does_not_begin(room: Room, tmp_path: Path) -> None:
    job_id = uuid.uuid4().hex
    assert room.jobs.cancel(job_id).state == "cancelled"

    def run(_progress: Progress) -> dict[str, t.Any]:
        (tmp_path / "began").touch()
        return {}

    assert room.start(run, id=job_id).state == "cancelled"
    time.sleep(0.3)
    assert not (tmp_path / "began").exists()


def test_in_check_mode_only_dry_runs_are_cancelled(room: Room) -> None:
    real, dry = room.start(slowly, key="real"), room.start(slowly, key="dry", check=True)
    assert room.jobs.cancel(real.id, check=True).state == "running"
    assert room.jobs.cancel(dry.id, check=True).state == "cancelled"


def test_time_that_is_over_is_a_failure(room: Room) -> None:
    status = room.ended(room.start(slowly, timeout=0.3).id)
    assert status.state == "failed"
    assert status.result
    assert status.result["timed_out"] is True


def test_the_same_start_twice_begins_once(room: Room) -> None:
    job_id = uuid.uuid4().hex
    room.start(slowly, id=job_id)
    pid = room.process(job_id).pid
    assert room.start(slowly, id=job_id).state == "running"
    assert room.process(job_id).pid == pid


def test_the_same_work_is_attached_to(room: Room) -> None:
    first = room.start(slowly)
    second = room.start(slowly)
    assert (second.id, second.attached) == (first.id, True)
    found = room.jobs.attach("key")
    assert found
    assert found.id == first.id
    assert room.jobs.attach("other") is None


def test_starts_at_the_same_moment_begin_once(room: Room) -> None:
    code = (
        "import sys, time, uuid\n"
        "from pathlib import Path\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from ansible_collections.golden.fleet.plugins.module_utils._job.control import Jobs\n"
        "from ansible_collections.golden.fleet.plugins.module_utils._job.model import Order, Work\n"
        f"jobs = Jobs(Path({str(room.root)!r}))\n"
        "work = Work(lambda progress: time.sleep(60) or {}, None)\n"
        "print(jobs.start(Order(uuid.uuid4().hex, 'key', 'title', 60), work).id)\n"
    )
    starters = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for dummy in range(4)]
    assert len({starter.communicate()[0] for starter in starters}) == 1
    assert len(list(room.root.glob("*/job.json"))) == 1


def test_other_work_on_the_same_subject_is_refused(room: Room) -> None:
    first = room.start(slowly, key="one", subject="disk /dev/x")
    with pytest.raises(JobError, match=f"disk /dev/x: image_apply has been at work .*{first.id}"):
        room.start(slowly, key="two", subject="disk /dev/x")
    assert room.start(slowly, key="three", subject="disk /dev/y").state == "running"
    room.jobs.cancel(first.id)
    assert room.start(slowly, key="two", subject="disk /dev/x").state == "running"


def test_a_result_that_nobody_saw_can_be_collected_for_an_hour(room: Room) -> None:
    job_id = room.start(at_once).id
    while not (room.root / job_id / "result.json").exists():
        time.sleep(0.02)
    assert room.jobs.attach("key") is None
    found = room.jobs.attach("key", collect=True)
    assert found
    assert (found.id, found.state, found.result) == (job_id, "done", {"changed": True})
    room.age(job_id, 3700)
    assert room.jobs.attach("key", collect=True) is None
    room.age(job_id, 0)
    room.jobs.poll(job_id)
    assert room.jobs.attach("key", collect=True) is None


def test_what_nobody_needs_any_more_is_swept(room: Room) -> None:
    running = room.start(slowly, key="running").id
    kept, seen, old = (room.start(at_once, key=key).id for key in ("kept", "seen", "old"))
    lost = room.start(slowly, key="lost").id
    doomed = room.process(lost)
    os.kill(doomed.pid, signal.SIGKILL)
    while doomed.alive:
        time.sleep(0.02)
    for job_id in (kept, seen, old):
        while not (room.root / job_id / "result.json").exists():
            time.sleep(0.02)
    room.jobs.poll(seen)
    room.age(seen, 700)
    for job_id in (old, lost, running):
        room.age(job_id, 90_000)
    last = room.start(at_once, key="last").id
    assert {path.parent.name for path in room.root.glob("*/job.json")} == {running, kept, last}


def test_an_unknown_job_is_lost(room: Room) -> None:
    status = room.jobs.poll(uuid.uuid4().hex)
    assert status.state == "lost"
    assert status.result
    assert "the machine was restarted" in status.result["msg"]


@pytest.mark.parametrize("job_id", ["../../etc", "", "A" * 32, "0" * 31])
def test_an_id_cannot_name_another_folder(room: Room, job_id: str) -> None:
    with pytest.raises(JobError, match="not the id of a job"):
        room.jobs.poll(job_id)


def test_files_are_for_their_owner_only(room: Room) -> None:
    job_id = room.start(at_once).id
    room.ended(job_id)
    for folder in (room.root.parent, room.root, room.root / job_id):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_others_may_write_to_is_refused(room: Room) -> None:
    room.root.mkdir(parents=True)
    room.root.chmod(0o777)
    with pytest.raises(JobError, match="only the user who runs the module"):
        room.start(at_once)


def test_a_link_in_the_place_of_the_folder_is_refused(room: Room, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    room.root.parent.mkdir()
    room.root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JobError, match="only the user who runs the module"):
        room.start(at_once)


def test_a_worker_holds_nothing_of_its_starter(room: Room) -> None:
    code = (
        "import sys, time, uuid\n"
        "from pathlib import Path\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from ansible_collections.golden.fleet.plugins.module_utils._job.control import Jobs\n"
        "from ansible_collections.golden.fleet.plugins.module_utils._job.model import Order, Work\n"
        f"jobs = Jobs(Path({str(room.root)!r}))\n"
        "kept = open('/proc/self/cmdline')\n"
        "work = Work(lambda progress: time.sleep(60) or {}, None)\n"
        "print(jobs.start(Order(uuid.uuid4().hex, 'key', 'title', 60), work).id)\n"
    )
    # It would not return before the worker's end, if that held the pipes.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    process = room.process(done.stdout.strip())
    assert process.alive
    assert os.getsid(process.pid) == process.pid
    files = {int(path.name): os.readlink(path) for path in Path(f"/proc/{process.pid}/fd").iterdir()}
    assert files.pop(2).endswith("/stderr")
    assert set(files.values()) == {os.devnull}
