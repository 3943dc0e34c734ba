"""One short rollover, which all tests of it look at."""

import asyncio

import pytest

from local.postgres import Postgres
from tests.rolling.rollover import Rollover, roll_over


@pytest.fixture(scope="session")
def rollover(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Rollover:
    """Both services rolled over under more than a thousand requests."""
    folder = tmp_path_factory.mktemp("rolling")
    return asyncio.run(roll_over(folder, postgres, scale=0.1, requests=1000, pause=0.07))
