"""What is answered while the database is away."""

import asyncio
from typing import Any

import httpx
import pytest
from asyncpg import InternalClientError, TooManyConnectionsError, UniqueViolationError
from chassis import problems
from chassis.unavailable_database import install_unavailable_database
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError, InternalError


def _caused(error: DBAPIError, cause: Exception) -> DBAPIError:
    """``error`` as SQLAlchemy raises it around one of asyncpg's."""
    driver: Any = error.orig
    driver.__cause__ = cause
    driver.sqlstate = getattr(cause, "sqlstate", None)
    return error


def _wrapped(cause: Exception) -> DBAPIError:
    return _caused(InternalError("", None, Exception()), cause)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionResetError(), 503),
        (InternalClientError(), 503),
        (_wrapped(InternalClientError()), 503),
        (TooManyConnectionsError(), 503),
        (_wrapped(TooManyConnectionsError()), 503),
        (_wrapped(UniqueViolationError()), 500),
    ],
    ids=[
        "reset",
        "lost in mid-answer",
        "the same, wrapped",
        "too many connections",
        "the same, wrapped",
        "a fault of ours",
    ],
)
def test_only_a_database_that_is_away_is_unavailable(error: Exception, status: int) -> None:
    app = FastAPI()
    problems.install(app)
    install_unavailable_database(app)

    @app.get("/")
    async def fail() -> None:  # pyright: ignore[reportUnusedFunction] - FastAPI has it
        raise error

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
            return await client.get("/")

    answer = asyncio.run(ask())
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status == 503)
