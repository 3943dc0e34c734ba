"""Processes are kept running, and none is left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from local import supervisor as supervisor_module
from local.failure import Failure
from local.supervisor import Program, Stopped, Supervisor
from local.unprivileged import dying_with_parent
from tests.support.waiting import eventually


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    (tmp_path / "logs").mkdir()
    supervisor = Supervisor(tmp_path / "logs", said.append)
    yield supervisor
    supervisor.stop()


class Make:
    """Makes programs out of shell scripts in folders of their own; they are ready when they have written ``starts``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(
        self,
        name: str,
        script: str = "echo started >> starts; exec sleep 1000",
        *,
        start_seconds: float = 60,
        stop_seconds: float = 10,
        stop_signal: signal.Signals = signal.SIGTERM,
        explain: Callable[[str], Failure | None] = lambda _output: None,
    ) -> Program:
        folder = self._folder / name
        folder.mkdir()
        return Program(
            name,
            ("sh", "-c", script),
            {"PATH": os.defpath},
            folder,
            ready=lambda _pid: _starts(folder) > 0,
            start_seconds=start_seconds,
            stop_seconds=stop_seconds,
            stop_signal=stop_signal,
            explain=explain,
        )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return Make(tmp_path)


def _stop_when(supervisor: Supervisor, look: Callable[[], object]) -> None:
    """Ask ``supervisor`` to stop as soon as ``look`` finds something, or does not in time."""

    def wait() -> None:
        try:
            eventually(look)
        finally:
            supervisor.request_stop()

    Thread(target=wait, daemon=True).start()


def _starts(folder: Path) -> int:
    path = folder / "starts"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_what_ends_is_started_again(supervisor: Supervisor, make: Make, said: list[str], tmp_path: Path):
    program = make("worker", 'echo $$ >> starts; [ "$(wc -l < starts)" -ge 3 ] || exit 7; exec sleep 1000')
    supervisor.start(program)
    _stop_when(supervisor, lambda: _starts(tmp_path / "worker") == 3)
    supervisor.watch()
    assert said == ["worker ended (exit code 7) and is started again"] * 2


def test_a_killed_process_is_started_again(supervisor: Supervisor, make: Make, said: list[str], tmp_path: Path):
    supervisor.start(make("worker", "echo $$ >> starts; exec sleep 1000"))
    supervisor.wait_ready()
    os.kill(int((tmp_path / "worker" / "starts").read_text()), signal.SIGKILL)
    _stop_when(supervisor, lambda: _starts(tmp_path / "worker") == 2)
    supervisor.watch()
    assert said == ["worker ended (signal 9) and is started again"]


def test_what_hangs_is_killed_and_started_again(
    supervisor: Supervisor, make: Make, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is given as long to start again as the first time, but has to answer from the first answer on."""
    monkeypatch.setattr(supervisor_module, "STARTING_SECONDS", 0)
    asked: list[int] = []

    def alive(pid: int) -> bool:
        asked.append(pid)
        # One silence alone ends nothing; the second process answers after ten questions, and is silent again.
        return len(asked) in (2, 16)

    program = replace(make("worker"), alive=alive, alive_seconds=0)
    supervisor.start(program)
    supervisor.wait_ready()
    _stop_when(supervisor, lambda: _starts(tmp_path / "worker") == 3)
    supervisor.watch()
    assert said == ["worker does not answer", "worker ended (signal 9) and is started again"] * 2
    first, second = asked[0], asked[5]
    assert asked[:19] == [first] * 5 + [second] * 14
    assert second not in asked[19:]


def test_what_keeps_dying_ends_everything_with_one_sentence(
    supervisor: Supervisor, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervisor_module, "BACKOFF_SECONDS", (0, 0, 0, 0))
    supervisor.start(make("steady"))
    supervisor.start(make("dying", "echo started >> starts; exit 1"))
    with pytest.raises(Failure, match=rf"^dying keeps dying: {tmp_path}/logs/dying\.log says why; .*\.$"):
        supervisor.watch()
    assert _starts(tmp_path / "dying") == supervisor_module.DEATHS
    assert _starts(tmp_path / "steady") == 1


def test_what_died_long_ago_is_forgiven(
    supervisor: Supervisor, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervisor_module, "BACKOFF_SECONDS", (0,))
    monkeypatch.setattr(supervisor_module, "DEATHS_SECONDS", 0)
    supervisor.start(make("worker", "echo started >> starts; exit 1"))
    _stop_when(supervisor, lambda: _starts(tmp_path / "worker") >= 8)
    supervisor.watch()


def test_a_process_that_ends_while_it_starts_is_named(supervisor: Supervisor, make: Make, tmp_path: Path):
    supervisor.start(make("steady"))
    supervisor.start(make("broken", "exit 1"))
    with pytest.raises(Failure, match=rf"^broken ended while it started: {tmp_path}/logs/broken\.log says why"):
        supervisor.wait_ready()


def test_a_process_that_is_never_ready_is_named(supervisor: Supervisor, make: Make):
    supervisor.start(make("lazy", "exec sleep 1000", start_seconds=0.1))
    with pytest.raises(Failure, match=r"^lazy is not ready after 0 s: "):
        supervisor.wait_ready()


def test_a_program_explains_its_own_end_from_what_it_wrote_since_its_start(supervisor: Supervisor, make: Make):
    program = make("broken", "echo reason >&2; exit 1", explain=lambda output: Failure(f"because: {output.strip()}"))
    supervisor.start(program)
    with pytest.raises(Failure, match=r"^because: reason$"):
        supervisor.wait_ready()


def test_a_full_disk_is_the_reason_of_all_that_follows(
    supervisor: Supervisor, make: Make, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervisor_module, "FULL_BYTES", shutil.disk_usage("/").total * 1000)
    supervisor.start(make("broken", "exit 1"))
    with pytest.raises(Failure, match=r"^The disk that holds .* is full: free some space"):
        supervisor.wait_ready()


def test_tasks_run_side_by_side_and_their_end_is_waited_for(supervisor: Supervisor, tmp_path: Path):
    wait = "while [ ! -e {0} ]; do sleep 0.01; done"  # each needs the other
    scripts = {"a": "touch a; " + wait.format("b"), "b": "touch b; " + wait.format("a") + "; sleep 0.1; touch end"}
    path = {"PATH": os.defpath}
    supervisor.run_all({name: (("sh", "-c", script), path, tmp_path) for name, script in scripts.items()})
    assert (tmp_path / "end").exists()


def test_a_task_that_fails_is_named(supervisor: Supervisor, tmp_path: Path):
    tasks = {"good": (("true",), dict[str, str](), tmp_path), "bad": (("false",), dict[str, str](), tmp_path)}
    with pytest.raises(Failure, match=rf"^bad failed: {tmp_path}/logs/bad\.log says why"):
        supervisor.run_all(tasks)


def test_a_wish_to_stop_ends_tasks_and_waiting(supervisor: Supervisor, make: Make, tmp_path: Path):
    supervisor.start(make("lazy", "exec sleep 1000"))
    supervisor.request_stop()
    with pytest.raises(Stopped):
        supervisor.wait_ready()
    with pytest.raises(Stopped):
        supervisor.run_all({"task": (("sleep", "1000"), {"PATH": os.defpath}, tmp_path)})


def test_the_last_started_is_stopped_first_and_with_its_own_signal(supervisor: Supervisor, make: Make, tmp_path: Path):
    script = "trap 'echo {0} >> ../order; exit' {0}; echo started >> starts; while :; do sleep 0.01; done"
    supervisor.start(make("first", script.format("USR1"), stop_signal=signal.SIGUSR1))
    supervisor.start(make("second", script.format("TERM")))
    supervisor.wait_ready()
    supervisor.stop()
    assert (tmp_path / "order").read_text().split() == ["TERM", "USR1"]


STUBBORN = "trap '' TERM; echo $$ > starts; while :; do sleep 0.01; done"


def test_what_does_not_stop_in_its_grace_period_is_killed(supervisor: Supervisor, make: Make, tmp_path: Path):
    supervisor.start(make("stubborn", STUBBORN, stop_seconds=0.1))
    supervisor.wait_ready()
    pid = int((tmp_path / "stubborn" / "starts").read_text())
    supervisor.stop()
    assert not Path(f"/proc/{pid}").exists()


def test_a_second_wish_to_stop_ends_the_grace(supervisor: Supervisor, make: Make, monkeypatch: pytest.MonkeyPatch):
    supervisor.start(make("stubborn", STUBBORN, stop_seconds=1000))
    supervisor.wait_ready()
    supervisor.request_stop()
    supervisor.request_stop()  # the same wish, which came twice
    later = time.monotonic() + 10
    with monkeypatch.context() as patch:
        patch.setattr(supervisor_module.time, "monotonic", lambda: later)
        supervisor.request_stop()
    supervisor.stop()


def test_nothing_outlives_a_supervisor_that_is_killed():
    script = f"""
import subprocess, sys
command = (*{dying_with_parent("KILL")!r}, "sleep", "1000")
print(subprocess.Popen(command).pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        child = Path(f"/proc/{int(parent.stdout.readline())}")
        eventually(lambda: b"sleep" in (child / "cmdline").read_bytes()[:5])
        parent.kill()
        parent.wait()
        eventually(lambda: not child.exists() or "Z" in (child / "stat").read_text().split()[2])


def test_a_child_finds_only_what_its_environment_holds(supervisor: Supervisor, make: Make, tmp_path: Path):
    supervisor.start(make("worker", "env > environment; echo started >> starts; exec sleep 1000"))
    supervisor.wait_ready()
    names = {line.split("=")[0] for line in (tmp_path / "worker" / "environment").read_text().splitlines()}
    assert names <= {"PATH", "PWD", "OLDPWD", "SHLVL", "_"}  # all but the first are the shell's


def test_logs_are_kept_small_while_it_runs(
    supervisor: Supervisor, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(supervisor_module, "ROTATION_SECONDS", 0)
    monkeypatch.setattr(supervisor_module.logs.rotate, "__defaults__", (10,))
    supervisor.start(make("talker", "echo started >> starts; echo a long line to log; exec sleep 1000"))
    log = tmp_path / "logs" / "talker.log"
    _stop_when(supervisor, log.with_name("talker.log.1").exists)
    supervisor.watch()
    assert log.read_text() == ""


def test_watching_ends_when_something_else_is_due(supervisor: Supervisor, make: Make, said: list[str]) -> None:
    supervisor.start(make("one"))
    supervisor.wait_ready()
    assert supervisor.watch(lambda: "a certificate ends")
    assert said == ["a certificate ends"]
    supervisor.request_stop()
    assert not supervisor.watch(lambda: "a certificate ends")


def test_new_certificates_are_read_by_whoever_uses_some(supervisor: Supervisor, make: Make, tmp_path: Path) -> None:
    on_hangup = (  # no shell: one that was started by nohup cannot
        "import signal, pathlib\n"
        "signal.signal(signal.SIGHUP, lambda *_: pathlib.Path('certificates').touch())\n"
        "pathlib.Path('starts').write_text('started\\n')\n"
        "while True: signal.pause()"
    )
    supervisor.start(replace(make("store"), command=(sys.executable, "-c", on_hangup), certificates="at SIGHUP"))
    supervisor.start(replace(make("plain"), certificates="none"))
    supervisor.start(make("service"))
    supervisor.start(replace(make("dead", "echo started >> starts"), certificates="none"))
    for name in ("store", "plain", "service", "dead"):
        eventually(lambda name=name: _starts(tmp_path / name) == 1)
    eventually(lambda: supervisor._children[-1].process.poll() is not None)  # pyright: ignore[reportPrivateUsage] - nobody tells
    supervisor.renew_certificates()
    eventually((tmp_path / "store" / "certificates").exists)
    eventually(lambda: _starts(tmp_path / "service") == 2 and _starts(tmp_path / "dead") == 2)
    assert (_starts(tmp_path / "store"), _starts(tmp_path / "plain")) == (1, 1)
