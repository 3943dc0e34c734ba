"""What tests of several folders share: one PostgreSQL server a run, the real one."""

import shutil
from collections.abc import Iterator

import pytest

from local.certificates import Authority
from local.postgres import Postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with TLS and SCRAM-SHA-256; ``create_database`` makes a test's own database in it."""
    folder = tmp_path_factory.mktemp("postgres")
    with Postgres(folder, Authority("Sanctum tests"), durable=False) as server:
        yield server
    shutil.rmtree(folder)
