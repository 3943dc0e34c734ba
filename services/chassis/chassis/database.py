"""PostgreSQL over verified TLS, signed in to with a password or, without one, with an IAM token a connection."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from asyncpg import InterfaceError as AsyncpgInterfaceError
from asyncpg import PostgresError
from fastapi import FastAPI, Request, Response
from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis import aws
from chassis.logs import log
from chassis.problems import Problem
from chassis.settings import DatabaseSettings

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15

_UNAVAILABLE = (
    InterfaceError,
    OperationalError,
    PoolTimeoutError,
    AsyncpgInterfaceError,
    ConnectionError,
    TimeoutError,
)
_UNAVAILABLE_STATES = ("08", "28", "53", "57")
"""SQLSTATE classes: no connection, not let in, no resources (too many connections), an operator intervened."""


def connect(
    settings: DatabaseSettings, *, pool_size: int = 10, credentials: tuple[str, str] | None = None
) -> AsyncEngine:
    """An engine whose every connection checks the server's certificate and name.

    Args:
        settings: Where the database is and who signs in.
        pool_size: Connections kept; as many again in a rush.
        credentials: Another user and password than the settings'.
    """
    tls = ssl.create_default_context(cafile=settings.database_ca_file)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    user, password = credentials or (settings.database_user, _password(settings))
    engine = create_async_engine(
        URL.create(
            "postgresql+asyncpg",
            username=user,
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
        ),
        connect_args={
            "ssl": tls,
            "password": password,
            "timeout": CONNECT_SECONDS,
            "command_timeout": STATEMENT_SECONDS,
        },
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECT_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool open a new connection in the place of one that the server closed while it lay idle.

    asyncpg knows without asking; the pool's own ``pool_pre_ping`` asks the server three times at each use.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _password(settings: DatabaseSettings) -> str | Callable[[], Awaitable[str]]:
    if settings.database_password:
        return settings.database_password.get_secret_value()
    client = aws.rds()

    async def token() -> str:
        # Signing is local, but the task's credentials may have to be renewed first.
        return await asyncio.to_thread(
            client.generate_db_auth_token,
            settings.database_host,
            settings.database_port,
            settings.database_user,
        )

    return token


def install_unavailable(app: FastAPI) -> None:
    """Make ``app`` answer 503 with ``Retry-After`` while its database cannot be reached."""

    async def unavailable(request: Request, error: Exception) -> Response:
        log("database.unavailable", "error", error)
        problem = Problem(503, "The database does not answer; nothing was changed.", headers={"Retry-After": "5"})
        return problem.response(request)

    async def perhaps_unavailable(request: Request, error: Exception) -> Response:
        state: object = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
        if isinstance(state, str) and state.startswith(_UNAVAILABLE_STATES):
            return await unavailable(request, error)
        raise error

    for error in _UNAVAILABLE:
        app.add_exception_handler(error, unavailable)
    for error in (DBAPIError, PostgresError):
        app.add_exception_handler(error, perhaps_unavailable)
