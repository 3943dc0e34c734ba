"""PostgreSQL as SQLAlchemy reaches it, for tasks that run once and for what is not asked for all the time."""

from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis.database import STATEMENT_SECONDS, password_of, tls_of
from chassis.settings import DatabaseSettings


def connect(
    settings: DatabaseSettings,
    *,
    pool_size: int = 10,
    credentials: tuple[str, str] | None = None,
    statement_seconds: float = STATEMENT_SECONDS,
) -> AsyncEngine:
    """An engine whose every connection checks the server's certificate and name.

    Args:
        settings: Where the database is and who signs in.
        pool_size: Connections kept; as many again in a rush.
        credentials: Another user and password than the settings'.
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
    return engine


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool open a new connection in the place of one that the server closed while it lay idle.

    asyncpg knows without asking; the pool's own ``pool_pre_ping`` asks the server three times at each use.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError
