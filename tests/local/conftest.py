"""Folders and servers for the tests of one machine."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from local.certificates import Authority
from local.postgres import Postgres
from tests.support import privacy


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every account of this machine may enter; pytest's own are closed to others."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        privacy.keep(Path(folder))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    """A server of its own that does not run yet."""
    server = Postgres(tmp_path / "postgres", Authority("test"), durable=False)
    yield server
    server.stop()
