"""``python -m ai_core.prepare_memory``, as a deployment runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.postgres import Postgres


@pytest.fixture
def task(environment: dict[str, str], postgres: Postgres) -> dict[str, str]:
    postgres.create_database("new memory")
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}
    names = {"DATABASE_NAME": "new memory", "DATABASE_USER": "new ai_core"}
    return environment | names | coverage | {"DATABASE_ADMIN_SECRET": str(postgres.admin_secret)}


def run(environment: dict[str, str], folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ai_core.prepare_memory"],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_may_run_again_and_at_the_same_time(task: dict[str, str], tmp_path: Path) -> None:
    for process in [run(task, tmp_path) for _ in range(2)] + [run(task, tmp_path)]:
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert task["DATABASE_PASSWORD"] not in said


def test_a_missing_setting_is_named(task: dict[str, str], tmp_path: Path) -> None:
    del task["DATABASE_ADMIN_SECRET"]
    process = run(task, tmp_path)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "DATABASE_ADMIN_SECRET" in said
    assert len(said.splitlines()) == 1
