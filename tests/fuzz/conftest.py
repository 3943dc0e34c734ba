"""One backend for all of this folder."""

from collections.abc import Iterator

import pytest

from local.postgres import Postgres
from tests.backend.process import Backend
from tests.fuzz.running import running


@pytest.fixture(scope="session")
def fuzzed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """The backend that is fuzzed."""
    with running(postgres, tmp_path_factory.mktemp("fuzz")) as backend:
        yield backend
