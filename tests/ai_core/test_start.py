"""What a start loads, which is most of the time it takes."""

import os
import subprocess
import sys

import pytest


def _once_loaded(code: str) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"import ai_core.__main__, {code}"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("sqlalchemy", "in the cloud the memory is OpenSearch"),
        ("botocore", "a client of AWS is made where it is first needed"),
    ],
)
def test_the_service_starts_without_what_only_others_need(module: str, why: str) -> None:
    assert module not in _once_loaded("sys; print(*sys.modules)"), why


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads that Linux knows of")
def test_a_search_is_computed_by_the_thread_that_asks() -> None:
    assert _once_loaded("os; print(*os.listdir('/proc/self/task'))")[1:] == []
