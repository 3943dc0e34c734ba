"""Keeps processes running until it is told to stop, and leaves none behind."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from local import logs
from local.failure import Failure
from local.unprivileged import Command

DEATHS = 5
DEATHS_SECONDS = 30
"""A process that dies ``DEATHS`` times in this time keeps dying: Sanctum ends."""
BACKOFF_SECONDS = (0.0, 0.5, 1.0, 2.0)
"""Before a dead process is started again, by how often it died lately."""
STARTING_SECONDS = 1
"""How often a process that is started again is asked whether it answers already; from then on it must not fall
silent."""
AGAIN_SECONDS = 4
"""How soon it is asked again after a silence, if not sooner."""
ROTATION_SECONDS = 60
DUE_SECONDS = 2
"""How often it is asked whether something else is due."""
FULL_BYTES = 1_000_000


class Stopped(Exception):
    """Somebody asked to stop."""


def _unexplained(_output: str) -> Failure | None:
    return None


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it does."""

    name: str
    command: Command
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[int], bool]
    """Whether the process with this id is ready; asked until it is."""
    start_seconds: float = 60
    alive: Callable[[int], bool] | None = None
    """Whether the process with this id answers; one that hangs is killed and started again."""
    alive_seconds: float = 10
    """How often that is asked."""
    silences: int = 3
    """How often in a row it may stay without an answer."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10
    """After this it is killed."""
    certificates: Literal["at start", "at SIGHUP", "none"] = "at start"
    """When it reads the files of certificates that it uses."""
    explain: Callable[[str], Failure | None] = _unexplained
    """Why it ended, from what it wrote, where that can be told better than by pointing to its log."""


@dataclass
class _Child:
    program: Program
    log_file: Path
    process: subprocess.Popen[bytes]
    log_start: int
    deaths: list[float] = field(default_factory=list[float])
    restart_at: float | None = None
    ask_at: float = 0.0
    silent: int = 0
    starts_until: float = 0.0
    """Until then it may be silent, for it starts; 0 as soon as it has answered."""


class Supervisor:
    """Processes in the order in which they were started; everything happens in the calling thread.

    Args:
        logs_folder: Where each process has its log.
        say: Tells the person at the keyboard what happens.
    """

    def __init__(self, logs_folder: Path, say: Callable[[str], None]) -> None:
        self._logs_folder = logs_folder
        self._say = say
        self._children: list[_Child] = []
        self._beside: list[subprocess.Popen[bytes]] = []
        self._asked_at: float | None = None
        self._hurry = False
        self._rotate_at = 0.0

    def request_stop(self, *_: object) -> None:
        """Stop at the next opportunity; asked again later, without grace. A signal handler."""
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
        elif now > self._asked_at + 1:  # sooner it is the same wish, which came to us and through `make`
            self._hurry = True

    def start(self, program: Program) -> None:
        """Start ``program`` and do not wait for it."""
        log_file = self._logs_folder / f"{program.name}.log"
        logs.rotate(log_file, 0)
        process, log_start = self._spawn(program.command, program.environment, program.folder, log_file)
        self._children.append(_Child(program, log_file, process, log_start))

    def wait_ready(self) -> None:
        """Wait until all that was started is ready.

        Raises:
            Failure: one ended, or is not ready in time.
            Stopped: meanwhile somebody asked to stop.
        """
        begun = time.monotonic()
        for child in self._children:
            while not child.program.ready(child.process.pid):
                self._check_stop()
                for other in self._children:
                    if other.process.poll() is not None:
                        raise self._failure(other, "ended while it started")
                if time.monotonic() > begun + child.program.start_seconds:
                    raise self._failure(child, f"is not ready after {child.program.start_seconds:.0f} s")
                time.sleep(0.02)

    def run_all(self, programs: Mapping[str, tuple[Command, Mapping[str, str], Path]]) -> None:
        """Run these command lines (each with environment and folder) side by side to their end.

        Raises:
            Failure: one failed.
            Stopped: meanwhile somebody asked to stop.
        """
        running = dict[str, subprocess.Popen[bytes]]()
        try:
            for name, (command, environment, folder) in programs.items():
                log_file = self._logs_folder / f"{name}.log"
                logs.rotate(log_file)
                running[name], _ = self._spawn(command, environment, folder, log_file)
            while any(process.poll() is None for process in running.values()):
                self._check_stop()
                time.sleep(0.02)
        finally:
            for process in running.values():
                _kill(process)
        for name, process in running.items():
            if process.returncode:
                log_file = self._logs_folder / f"{name}.log"
                raise self._disk_full() or Failure(f"{name} failed: {log_file} says why; mend that and start again.")

    def run_beside(self, name: str, task: tuple[Command, Mapping[str, str], Path]) -> subprocess.Popen[bytes]:
        """Start a command line that comes to its end by itself; at the latest it ends with all others."""
        log_file = self._logs_folder / f"{name}.log"
        logs.rotate(log_file)
        process, _ = self._spawn(*task, log_file)
        self._beside = [other for other in self._beside if other.poll() is None] + [process]
        return process

    def watch(self, due: Callable[[], str | None] = lambda: None, tend: Callable[[], None] = lambda: None) -> bool:
        """Start again whatever dies, until somebody asks to stop or ``due`` says why something else has to be done.

        Args:
            due: Asked now and then.
            tend: Called as often, for what else there is to do.

        Returns:
            Whether it is the latter.

        Raises:
            Failure: a process keeps dying.
        """
        ask_at = 0.0
        with suppress(Stopped):
            while True:
                self._check_stop()
                now = time.monotonic()
                if now >= ask_at:
                    ask_at = now + DUE_SECONDS
                    if reason := due():
                        self._say(reason)
                        return True
                    tend()
                for child in self._children:
                    self._end_silent(child, now)
                    self._revive(child, now)
                if now >= self._rotate_at:
                    self._rotate_at = now + ROTATION_SECONDS
                    for child in self._children:
                        logs.rotate(child.log_file)
                time.sleep(0.1)
        return False

    def stop(self) -> None:
        """End everything, the last started first; nothing is left running."""
        for process in self._beside:
            _kill(process)
        self._beside.clear()
        for child in reversed(self._children):
            self._end(child)
        self._children.clear()

    def renew_certificates(self) -> None:
        """Have all that runs read its certificates again; returns when all of it is ready.

        Raises:
            Failure: a process that had to be started again does not start.
            Stopped: meanwhile somebody asked to stop.
        """
        due = [child for child in self._children if child.program.certificates == "at start"]
        for child in self._children:
            if child.program.certificates == "at SIGHUP" and child.process.poll() is None:
                child.process.send_signal(signal.SIGHUP)
        for child in reversed(due):
            self._end(child)
        for child in self._children:
            if child.process.poll() is not None:
                self._start_again(child)
        self.wait_ready()

    def _end(self, child: _Child) -> None:
        if child.process.poll() is None:
            child.process.send_signal(child.program.stop_signal)
            end = time.monotonic() + child.program.stop_seconds
            while child.process.poll() is None and time.monotonic() < end and not self._hurry:
                time.sleep(0.02)
        _kill(child.process)

    def _check_stop(self) -> None:
        if self._asked_at is not None:
            raise Stopped

    def _end_silent(self, child: _Child, now: float) -> None:
        program = child.program
        if program.alive is None or now < child.ask_at or child.process.poll() is not None:
            return
        if program.alive(child.process.pid):
            child.silent, child.starts_until = 0, 0.0
            pause = program.alive_seconds
        elif now < child.starts_until:
            pause = STARTING_SECONDS
        else:
            child.silent += 1
            pause = min(program.alive_seconds, AGAIN_SECONDS)
        child.ask_at = now + pause
        if child.silent >= program.silences:
            self._say(f"{program.name} does not answer")
            _kill(child.process)

    def _revive(self, child: _Child, now: float) -> None:
        if child.process.poll() is None:
            return
        if child.restart_at is None:
            child.deaths = [death for death in child.deaths if now - death < DEATHS_SECONDS] + [now]
            if len(child.deaths) >= DEATHS:
                raise self._failure(child, "keeps dying")
            self._say(f"{child.program.name} ended ({_how(child.process.returncode)}) and is started again")
            child.restart_at = now + BACKOFF_SECONDS[len(child.deaths) - 1]
        if now >= child.restart_at:
            self._start_again(child)

    def _start_again(self, child: _Child) -> None:
        program, now = child.program, time.monotonic()
        child.restart_at = None
        child.ask_at, child.silent, child.starts_until = now, 0, now + program.start_seconds
        child.process, child.log_start = self._spawn(
            program.command, program.environment, program.folder, child.log_file
        )

    @staticmethod
    def _spawn(
        command: Command, environment: Mapping[str, str], folder: Path, log_file: Path
    ) -> tuple[subprocess.Popen[bytes], int]:
        with log_file.open("ab") as log:
            start = log.tell()  # before the child shares the file's position
            process = subprocess.Popen(  # noqa: S603  # our own command lines
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C on the terminal is for the supervisor
            )
            return process, start

    def _failure(self, child: _Child, what: str) -> Failure:
        with child.log_file.open("rb") as log:
            log.seek(child.log_start)
            output = log.read().decode(errors="replace")
        return (
            self._disk_full()
            or child.program.explain(output)
            or Failure(f"{child.program.name} {what}: {child.log_file} says why; mend that and start again.")
        )

    def _disk_full(self) -> Failure | None:
        if shutil.disk_usage(self._logs_folder).free < FULL_BYTES:
            return Failure(f"The disk that holds {self._logs_folder} is full: free some space and start again.")
        return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started in its session, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _how(returncode: int) -> str:
    return f"signal {-returncode}" if returncode < 0 else f"exit code {returncode}"
