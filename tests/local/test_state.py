"""The state folder and its lock."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import state as state_module
from local.failure import Failure
from local.state import State

HOLDER = """
import signal, sys
from pathlib import Path
from local.state import State

def end(*_):
    sys.exit()

state = State(Path(sys.argv[1]))
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else end)
with state.lock() as free:
    if "announce" in sys.argv:
        state.announce("https://localhost:1", Path("/ca.pem"))
    print(free, flush=True)
    signal.pause()
"""


@contextmanager
def _holder(folder: Path, *options: str) -> Generator[subprocess.Popen[str]]:
    """Another process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "True\n"
        try:
            yield process
        finally:
            process.kill()


def test_one_at_a_time_holds_the_folder(tmp_path: Path):
    state = State(tmp_path)
    with state.lock() as first, state.lock() as second:
        assert (first, second) == (True, False)
    with state.lock() as free:
        assert free


def test_up_json_is_there_while_it_runs(tmp_path: Path):
    state = State(tmp_path)
    with state.lock():
        state.announce("https://localhost:8443", tmp_path / "ca.pem")
        content = json.loads((tmp_path / "up.json").read_text())
        assert content == {"url": "https://localhost:8443", "ca": str(tmp_path / "ca.pem"), "pid": os.getpid()}
    assert not (tmp_path / "up.json").exists()


def test_who_was_killed_leaves_a_free_folder(tmp_path: Path):
    with _holder(tmp_path, "announce") as process:
        process.kill()
        process.wait()
    assert (tmp_path / "up.json").exists()
    assert not State(tmp_path).stop_holder()
    assert not (tmp_path / "up.json").exists()


def test_the_address_of_who_holds_the_folder_is_told(tmp_path: Path):
    with _holder(tmp_path, "announce"):
        assert State(tmp_path).address() == "https://localhost:1"


def test_there_is_no_address_when_the_holder_ends_before_it_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with _holder(tmp_path) as process:

        def end(_seconds: float) -> None:
            process.kill()
            process.wait()

        monkeypatch.setattr(state_module.time, "sleep", end)
        assert State(tmp_path).address() is None


def test_the_holder_is_asked_to_stop_and_waited_for(tmp_path: Path):
    with _holder(tmp_path, "announce") as process:
        assert State(tmp_path).stop_holder()
        assert process.wait() == 0
    assert not (tmp_path / "up.json").exists()


def test_a_holder_that_does_not_stop_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state_module, "STOP_SECONDS", 0.2)
    with _holder(tmp_path, "stubborn") as process:
        with pytest.raises(Failure, match=f"Process {process.pid} does not stop"):
            State(tmp_path).stop_holder()
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)


def test_private_folders_are_closed_to_others(tmp_path: Path):
    assert State(tmp_path / "new").private("secrets").stat().st_mode & 0o777 == 0o700
