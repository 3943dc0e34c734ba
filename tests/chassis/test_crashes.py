"""What Python itself prints of an error that nobody caught quotes no word."""

import json
import subprocess
import sys

from tests.chassis.conftest import ROOT

WORD = "zymurgy"
EVENTS = {"process.uncaught", "thread.uncaught", "object.uncaught", "library"}
LOGGERS = {"asyncio", "py.warnings", "library"}


def _output(*options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chassis.crashes", WORD, *options],
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/services/chassis"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stdout


def test_of_what_nobody_caught_type_and_place_are_logged() -> None:
    output = _output("configured")
    assert WORD not in output
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines} == EVENTS
    assert {line["logger"] for line in lines if line["event"] == "library"} == LOGGERS
    (last,) = (line for line in lines if line["event"] == "process.uncaught")
    assert last["error"][0].startswith("builtins.RuntimeError at crashes.py:")
    assert "Current thread" in output  # the fault handler's: places alone


def test_without_the_logs_of_a_service_the_word_is_printed_in_each_case() -> None:
    output = _output()
    for told in (
        "Task exception was never retrieved", "Exception in callback", "Exception in thread",
        "UserWarning: " + WORD, "--- Logging error ---", "Exception ignored in", "RuntimeError: " + WORD,
    ):  # fmt: skip
        assert told in output
    assert output.count(WORD) >= 7
