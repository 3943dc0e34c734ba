"""What a start loads, which is most of the time it takes."""

import pytest

from tests.support.start import once_loaded


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("sqlalchemy.orm", "of what serves, everything reaches the database by asyncpg"),
        ("alembic", "migrations are a task"),
        ("botocore", "a client of AWS is made where it is first needed"),
    ],
)
def test_the_service_starts_without_what_only_others_need(module: str, why: str) -> None:
    assert module not in once_loaded("backend", "sys.modules"), why
