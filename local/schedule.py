"""Tasks that run every so often, as they do in the cloud. When each last ran is kept, so a machine that was off catches
up at its next start."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local import files
from local.unprivileged import Command

RETRY_SECONDS = 600.0
"""How soon a task that failed runs again, if not sooner."""
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")

Task = tuple[Command, Mapping[str, str], Path]


class Beside(Protocol):
    """Starts a command line beside all that runs, with its log under a name, and sees to its end."""

    def __call__(self, name: str, task: Task) -> subprocess.Popen[bytes]:
        """The process."""
        ...


@dataclass(frozen=True)
class Periodic:
    """A task, and how many seconds after one run the next is due."""

    every_seconds: float
    task: Task


def seconds_of(when: str) -> float | None:
    """How often a task of a ``service.toml`` runs; ``None`` when it does not run by itself.

    Raises:
        ValueError: it does, but this machine cannot tell when.
    """
    if when == "deploy":
        return None
    rate = _RATE.fullmatch(when)
    if rate is None:
        raise ValueError(f"{when} is no schedule for one machine: rate(6 hours) is")
    return int(rate[1]) * _SECONDS[rate[2]]


class Schedule:
    """Runs tasks one at a time, each when it is due.

    Args:
        file: Keeps when each last ran. A task that is not in it is due when its time has passed for the first time.
        tasks: By name.
        clock: The time, in seconds since 1970.
    """

    def __init__(self, file: Path, tasks: Mapping[str, Periodic], clock: Callable[[], float] = time.time) -> None:
        self._file = file
        self._tasks = tasks
        self._clock = clock
        known: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
        now = clock()
        # A clock that was put back must not put a task off for as long.
        self._ran_at = {name: min(known.get(name, now), now) for name in tasks}
        self._retry_at = dict.fromkeys(tasks, 0.0)
        self._running: tuple[str, subprocess.Popen[bytes]] | None = None
        self._save()

    def tend(self, beside: Beside, say: Callable[[str], None]) -> None:
        """See to the task that runs, or start one that is due; to be called now and then."""
        if self._running:
            self._see_to(*self._running, say)
            return
        now = self._clock()
        for name, periodic in self._tasks.items():
            if now >= max(self._ran_at[name] + periodic.every_seconds, self._retry_at[name]):
                self._running = name, beside(name, periodic.task)
                return

    def _see_to(self, name: str, process: subprocess.Popen[bytes], say: Callable[[str], None]) -> None:
        if process.poll() is None:
            return
        self._running = None
        now = self._clock()
        if process.returncode:
            self._retry_at[name] = now + min(RETRY_SECONDS, self._tasks[name].every_seconds)
            say(f"{name} failed and will be run again: its log says why")
            return
        self._ran_at[name] = now
        self._save()

    def _save(self) -> None:
        files.write(self._file, json.dumps(self._ran_at).encode())
