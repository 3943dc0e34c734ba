"""What is answered while PostgreSQL is away. Apart from the connection itself: a migration needs no web framework."""

from asyncpg import InterfaceError as AsyncpgInterfaceError
from asyncpg import InternalClientError, PostgresError
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from chassis.unavailable import install_unavailable, unavailable

_UNAVAILABLE = (
    InterfaceError,
    OperationalError,
    PoolTimeoutError,
    AsyncpgInterfaceError,
    InternalClientError,  # the answer to a statement came to an end in the middle
)
_UNAVAILABLE_STATES = ("08", "28", "53", "57")
"""SQLSTATE classes: no connection, not let in, no resources (too many connections), an operator intervened."""


async def _perhaps_unavailable(request: Request, error: Exception) -> Response:
    told = error.orig if isinstance(error, DBAPIError) and error.orig else error
    state: object = getattr(told, "sqlstate", None)
    away = isinstance(state, str) and state.startswith(_UNAVAILABLE_STATES)
    if away or isinstance(told.__cause__, InternalClientError):
        return await unavailable(request, error)
    raise error


def install_unavailable_database(app: FastAPI) -> None:
    """Make ``app`` answer 503 with ``Retry-After`` while its database cannot be reached."""
    install_unavailable(app, *_UNAVAILABLE)
    for error in (DBAPIError, PostgresError):
        app.add_exception_handler(error, _perhaps_unavailable)
