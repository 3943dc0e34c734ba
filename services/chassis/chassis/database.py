"""PostgreSQL over verified TLS, signed in to with a password or, without one, with an IAM token a connection."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import cast

from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import greenlet_spawn

from chassis import aws
from chassis.settings import DatabaseSettings

STATEMENT_SECONDS = 15


def connect(
    settings: DatabaseSettings,
    *,
    pool_size: int = 10,
    credentials: tuple[str, str] | None = None,
    used: Callable[[], None] | None = None,
    statement_seconds: float = STATEMENT_SECONDS,
) -> AsyncEngine:
    """An engine whose every connection checks the server's certificate and name.

    Args:
        settings: Where the database is and who signs in.
        pool_size: Connections kept; as many again in a rush.
        credentials: Another user and password than the settings'.
        used: Called whenever a connection is about to be used.
        statement_seconds: How long a statement may take.
    """
    user, password = credentials or (settings.database_user, password_of(settings))
    engine = create_async_engine(
        URL.create(
            "postgresql+asyncpg",
            username=user,
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
        ),
        connect_args={
            "ssl": tls_of(settings),
            "password": password,
            "timeout": settings.database_connect_seconds,
            "command_timeout": statement_seconds,
        },
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=settings.database_connect_seconds,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    if used:
        event.listen(engine.sync_engine, "checkout", lambda *_: used())
    return engine


async def close_idle(engine: AsyncEngine) -> None:
    """Close all connections unless one is in use; others are opened when they are needed."""
    pool = cast("QueuePool", engine.pool)
    if not pool.checkedout():
        await engine.dispose(close=False)  # whoever comes now finds a new pool in the place of this one
        await greenlet_spawn(pool.dispose)


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool open a new connection in the place of one that the server closed while it lay idle.

    asyncpg knows without asking; the pool's own ``pool_pre_ping`` asks the server three times at each use.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def tls_of(settings: DatabaseSettings) -> ssl.SSLContext:
    """Checks the server's certificate and name."""
    tls = ssl.create_default_context(cafile=settings.database_ca_file)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return tls


def password_of(settings: DatabaseSettings) -> str | Callable[[], Awaitable[str]]:
    """The password, or what makes an IAM token for each new connection."""
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
