"""One short rollover, which all tests of it look at."""

import asyncio

import pytest

from local.certificates import Authority
from local.postgres import Postgres
from tests.rolling.rollover import Rollover, roll_over


@pytest.fixture(scope="session")
def rollover(tmp_path_factory: pytest.TempPathFactory) -> Rollover:
    """Both services rolled over under more than a thousand requests.

    On a server of its own: the passwords of the services' roles are not those of the other tests.
    """
    folder = tmp_path_factory.mktemp("rolling")
    with Postgres(folder / "postgres", Authority("Rolling over"), durable=False) as postgres:
        return asyncio.run(roll_over(folder, postgres, scale=0.1, requests=1000, pause=0.07))
