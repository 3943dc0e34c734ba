"""Tasks run when they are due, also where the machine was off or the last run failed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.services import read_services
from local.schedule import RETRY_SECONDS, Periodic, Schedule, Task, seconds_of
from local.supervisor import Supervisor
from tests.support.waiting import eventually

HOUR = 3600.0


class Life:
    """A machine with two tasks, one of six hours and one of a day, and a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_000_000.0
        self.said: list[str] = []
        self.code = 0
        self.start()

    def start(self) -> None:
        """As after the machine was off."""
        self.schedule = Schedule(
            self.folder / "tasks.json",
            {"often": Periodic(6 * HOUR, self.task("often")), "daily": Periodic(24 * HOUR, self.task("daily"))},
            lambda: self.now,
        )

    def task(self, name: str) -> tuple[tuple[str, ...], dict[str, str], Path]:
        """Something that tells that it ran."""
        return ("sh", "-c", f'echo {name} >> "$0/ran"; exit $(cat "$0/code")', str(self.folder)), {}, self.folder

    def pass_time(self, hours: float) -> list[str]:
        """Let time pass; which tasks ran then."""
        (self.folder / "code").write_text(str(self.code))
        (self.folder / "ran").write_text("")
        self.now += hours * HOUR
        for _ in range(6):
            self.schedule.tend(self.beside, self.said.append)
        return (self.folder / "ran").read_text().split()

    def beside(self, name: str, task: Task) -> subprocess.Popen[bytes]:
        """Run it to its end before anything else happens."""
        assert name
        process = subprocess.Popen(task[0])
        process.wait()
        return process


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def test_a_task_runs_when_its_time_has_passed_and_not_before(life: Life) -> None:
    assert life.pass_time(0) == []
    assert life.pass_time(5.9) == []
    assert life.pass_time(0.2) == ["often"]
    assert life.pass_time(5.8) == []
    assert life.pass_time(0.2) == ["often"]
    assert life.pass_time(12) == ["often", "daily"]


def test_a_machine_that_was_off_catches_up_once(life: Life) -> None:
    life.now += 100 * HOUR
    life.start()
    assert life.pass_time(0) == ["often", "daily"]
    assert life.pass_time(1) == []


def test_starting_often_puts_nothing_off(life: Life) -> None:
    for _ in range(11):
        assert life.pass_time(0.5) == []
        life.start()
    assert life.pass_time(0.5) == ["often"]


def test_a_task_that_failed_is_told_and_runs_again_soon(life: Life) -> None:
    life.code = 3
    assert life.pass_time(6) == ["often"]
    assert life.said == ["often failed and will be run again: its log says why"]
    assert life.pass_time(RETRY_SECONDS / HOUR - 0.01) == []
    life.code = 0
    assert life.pass_time(0.02) == ["often"]
    assert life.pass_time(1) == []


def test_a_task_that_failed_runs_at_the_next_start(life: Life) -> None:
    life.code = 3
    life.pass_time(6)
    life.code = 0
    life.start()
    assert life.pass_time(0) == ["often"]


def test_a_clock_that_was_put_back_puts_nothing_off_for_as_long(life: Life) -> None:
    (life.folder / "tasks.json").write_text(json.dumps({"often": life.now + 1000 * HOUR}))
    life.start()
    assert life.pass_time(6) == ["often"]


@pytest.mark.parametrize(
    ("when", "seconds"), [("rate(6 hours)", 21_600), ("rate(1 minute)", 60), ("rate(30 days)", 2_592_000)]
)
def test_rates_are_read_as_the_cloud_reads_them(when: str, seconds: float) -> None:
    assert seconds_of(when) == seconds


def test_every_schedule_of_the_services_is_one_for_this_machine() -> None:
    found = {
        f"{s.name}.{name}": seconds_of(task.when) for s in read_services().values() for name, task in s.tasks.items()
    }
    assert found["backend.roll_keys"] == 6 * HOUR
    assert found["backend.migrate"] is None
    with pytest.raises(ValueError, match="no schedule"):
        seconds_of("cron(0 12 * * ? *)")


def test_the_supervisor_runs_what_is_due_and_leaves_nothing_behind(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, lambda _: None)
    endless = (sys.executable, "-c", "import time; print('began', flush=True); time.sleep(600)")
    schedule = Schedule(tmp_path / "tasks.json", {"endless": Periodic(0, (endless, {}, tmp_path))})
    started: list[subprocess.Popen[bytes]] = []

    def beside(name: str, task: Task) -> subprocess.Popen[bytes]:
        started.append(supervisor.run_beside(name, task))
        return started[-1]

    def tend() -> None:
        schedule.tend(beside, lambda _: None)
        eventually(lambda: "began" in (tmp_path / "endless.log").read_text())
        supervisor.request_stop()

    assert supervisor.watch(tend=tend) is False
    assert started[0].poll() is None
    supervisor.stop()
    assert started[0].poll() is not None
    assert len(started) == 1
