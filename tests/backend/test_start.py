"""What a start loads, which is most of the time it takes."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("sqlalchemy.orm", "of what serves, everything reaches the database by asyncpg"),
        ("alembic", "migrations are a task"),
        ("botocore", "a client of AWS is made where it is first needed"),
    ],
)
def test_the_service_starts_without_what_only_others_need(module: str, why: str) -> None:
    loaded = "import sys, backend.__main__; print(*sys.modules)"
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, env=path)
    assert module not in ran.stdout.split(), why
