"""PostgreSQL for a service: its statements are run by asyncpg itself. SQLAlchemy would cost as much again for each.

They are written with SQLAlchemy like all others, but turned into SQL once, when they are built.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from chassis.database import STATEMENT_SECONDS, password_of, tls_of
from chassis.settings import DatabaseSettings

CLOSE_SECONDS = 5
"""How long a connection in use may take to become free before it is cut."""


class Row(asyncpg.Record):
    """A row whose columns are attributes, as SQLAlchemy's are."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Built:
    """A statement as SQL; ``bindparam`` names what is given at each use."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=dialect())
        self.sql: str = compiled.string
        self._names: list[str] = compiled.positiontup or []
        self._always: dict[str, object] = {name: value for name, value in compiled.params.items() if value is not None}

    def arguments(self, values: dict[str, object]) -> list[object]:
        """The values in the order of the SQL.

        Raises:
            KeyError: one is missing.
        """
        all_values = self._always | values
        return [all_values[name] for name in self._names]


class Connection(Protocol):
    """Runs statements."""

    async def rows(self, statement: Built, **values: object) -> list[Row]:
        """All rows of the result."""
        ...


class Transaction:
    """Runs statements one after another on one connection."""

    def __init__(self, connection: "PoolConnectionProxy[Row]") -> None:
        self._connection = connection

    async def rows(self, statement: Built, **values: object) -> list[Row]:
        """All rows of the result."""
        return await self._connection.fetch(statement.sql, *statement.arguments(values))


class Direct:
    """Runs each statement by itself, on whatever connection is free.

    Args:
        settings: Where the database is and who signs in.
        size: Connections at the most; none is opened before it is needed.
        used: Called whenever a connection is about to be used.
    """

    def __init__(self, settings: DatabaseSettings, *, size: int = 10, used: Callable[[], None] = lambda: None) -> None:
        self._free = asyncio.Semaphore(size)
        self._wait_seconds = settings.database_connect_seconds
        self._used = used
        self._users = 0
        self._create_pool: Callable[[], asyncpg.Pool[Row]] = partial(
            asyncpg.create_pool,
            host=settings.database_host,
            port=settings.database_port,
            database=settings.database_name,
            user=settings.database_user,
            password=password_of(settings),
            ssl=tls_of(settings),
            timeout=settings.database_connect_seconds,
            command_timeout=STATEMENT_SECONDS,
            min_size=0,
            max_size=size,
            max_inactive_connection_lifetime=0,
            record_class=Row,
            reset=_nothing,
        )
        self._pool = self._create_pool()

    async def open(self) -> None:
        """Make it ready for use; the database may be away."""
        await self._pool

    async def close(self) -> None:
        """Close all connections."""
        await _close(self._pool)

    async def close_idle(self) -> None:
        """Close all connections unless one is in use; others are opened when they are needed."""
        pool, fresh = self._pool, self._create_pool()
        await fresh
        if not self._users:
            self._pool = fresh
            await _close(pool)

    async def rows(self, statement: Built, **values: object) -> list[Row]:
        """All rows of the result."""
        async with self._connection() as connection:
            return await connection.fetch(statement.sql, *statement.arguments(values))

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Transaction]:
        """A transaction, committed at the end unless something was raised."""
        async with self._connection() as connection, connection.transaction():
            yield Transaction(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator["PoolConnectionProxy[Row]"]:
        # The pool has a limit on waiting too, which costs a timer also where one is free.
        if self._free.locked():
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        else:
            await self._free.acquire()
        self._used()
        self._users += 1
        pool = self._pool
        try:
            connection = await pool.acquire()
            try:
                yield connection
            finally:
                await pool.release(connection)
        finally:
            self._users -= 1
            self._free.release()


async def _close(pool: "asyncpg.Pool[Row]") -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _nothing(_: object) -> None:
    """Between two uses asyncpg would ask the server to forget what we never set."""
