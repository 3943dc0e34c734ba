"""Memories in PostgreSQL, with pgvector for those that are kept with an embedding.

A search compares with every memory of one person: exact, and quick at a person's sizes. An approximate index over all
people would find the neighbours first and drop other people's afterwards, and so miss most of the person's own.
"""

from collections.abc import Collection, Sequence
from typing import Any, cast
from uuid import UUID

from chassis.engine import connect
from chassis.settings import DatabaseSettings
from sqlalchemy import CursorResult, Executable, Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ai_core.memory import pgvector_statements as statements
from ai_core.memory.embedder import Embedding
from ai_core.memory.store import Forgotten, Position, Record


class PgvectorStore:
    """Implements ``MemoryStore``."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._engine = connect(settings)
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")  # of one statement

    async def remember(self, user_id: UUID, conversation_id: UUID, records: Sequence[Record]) -> None:
        """See ``MemoryStore``."""
        ids = [record.memory_id for record in records]
        async with self._engine.begin() as connection:
            # Shared among those who remember, exclusive for who forgets: the tombstones that the next statement
            # looks for are either committed by now, or written after this transaction, whose rows they then cover.
            await connection.execute(statements.LOCK_SHARED, {"lock": _lock(user_id)})
            asked = {"user": user_id, "conversation": conversation_id, "ids": ids}
            forgotten = (await connection.execute(statements.FORGOTTEN, asked)).one()
            if forgotten.everything:
                raise Forgotten
            some: Sequence[UUID] = forgotten.some or ()
            rows = [_row(user_id, record) for record in records if record.memory_id not in some]
            if rows:
                await connection.execute(statements.REMEMBER, rows)

    async def vectors(self, user_id: UUID) -> list[tuple[UUID, bytes]]:
        """See ``MemoryStore``."""
        # As two arrays, which the driver reads in a fraction of the time that as many rows take.
        (found,) = await self._rows(statements.VECTORS, user=user_id)
        ids: Sequence[UUID] = found.ids or ()
        cells: Sequence[bytes] = found.cells or ()
        return list(zip(ids, cells, strict=True))

    async def nearest(self, user_id: UUID, embedding: Embedding, most: int) -> list[UUID]:
        """See ``MemoryStore``."""
        rows = await self._rows(statements.NEAREST, user=user_id, numbers=_numbers(embedding), most=most)
        return [row[0] for row in rows]

    async def read(self, user_id: UUID, memory_ids: Collection[UUID]) -> list[Record]:
        """See ``MemoryStore``."""
        return [Record(*row) for row in await self._rows(statements.READ, user=user_id, ids=list(memory_ids))]

    async def page(self, user_id: UUID, limit: int, after: Position | None) -> list[Record]:
        """See ``MemoryStore``."""
        if after is None:
            rows = await self._rows(statements.FIRST_PAGE, user=user_id, most=limit)
        else:
            rows = await self._rows(statements.PAGE, user=user_id, most=limit, time=after[0], id=after[1])
        return [Record(*row) for row in rows]

    async def embedded(self, user_id: UUID) -> set[UUID]:
        """See ``MemoryStore``."""
        return {row[0] for row in await self._rows(statements.EMBEDDED, user=user_id)}

    async def replace(self, user_id: UUID, records: Sequence[Record]) -> None:
        """See ``MemoryStore``."""
        if records:
            rows = [_replacement(user_id, record) for record in records]
            async with self._engine.begin() as connection:
                await connection.execute(statements.REPLACE, rows)

    async def trim(self, user_id: UUID, most: int) -> int:
        """See ``MemoryStore``."""
        async with self._single.connect() as connection:
            return await _changed(connection, statements.TRIM, user=user_id, most=most)

    async def forget(self, user_id: UUID, memory_id: UUID) -> bool:
        """See ``MemoryStore``."""
        async with self._engine.begin() as connection:
            await _lock_out(connection, user_id)
            found = await _changed(connection, statements.FORGET, user=user_id, id=memory_id)
            if found:
                await connection.execute(statements.TOMBSTONE_OF_MEMORY, {"user_id": user_id, "memory_id": memory_id})
        return bool(found)

    async def forget_user(self, user_id: UUID) -> None:
        """See ``MemoryStore``."""
        async with self._engine.begin() as connection:
            await _lock_out(connection, user_id)
            await connection.execute(statements.TOMBSTONE_OF_USER, {"user_id": user_id})
            for statement in (statements.FORGET_USER, *statements.COVERED):
                await connection.execute(statement, {"user": user_id})

    async def forget_conversation(self, user_id: UUID, conversation_id: UUID) -> None:
        """See ``MemoryStore``."""
        tombstone = {"user_id": user_id, "conversation_id": conversation_id}
        async with self._engine.begin() as connection:
            await _lock_out(connection, user_id)
            await connection.execute(statements.TOMBSTONE_OF_CONVERSATION, tombstone)
            await connection.execute(statements.FORGET_CONVERSATION, {"user": user_id, "conversation": conversation_id})

    async def check(self) -> None:
        """See ``MemoryStore``."""
        async with self._single.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """See ``MemoryStore``."""
        await self._engine.dispose()

    async def _rows(self, statement: Executable, **values: object) -> Sequence[Row[Any]]:
        async with self._single.connect() as connection:
            return (await connection.execute(statement, values)).all()


def _lock(user_id: UUID) -> int:
    """The person's advisory lock: a signed 64-bit number. Two people who share one only wait for each other."""
    return int.from_bytes(user_id.bytes[:8], signed=True)


async def _lock_out(connection: AsyncConnection, user_id: UUID) -> None:
    await connection.execute(statements.LOCK, {"lock": _lock(user_id)})


async def _changed(connection: AsyncConnection, statement: Executable, **values: object) -> int:
    return cast("CursorResult[Any]", await connection.execute(statement, values)).rowcount


def _row(user_id: UUID, record: Record) -> dict[str, object]:
    return {
        "user_id": user_id,
        "memory_id": record.memory_id,
        "conversation_id": record.conversation_id,
        "message_id": record.message_id,
        "sender": record.sender,
        "created_at": record.created_at,
        "content": record.content,
        "vector": record.vector,
        "numbers": _numbers(record.embedding),
    }


def _replacement(user_id: UUID, record: Record) -> dict[str, object]:
    return {
        "user": user_id,
        "id": record.memory_id,
        "content": record.content,
        "cell": record.vector,
        "numbers": _numbers(record.embedding),
    }


def _numbers(embedding: Embedding | None) -> list[float] | None:
    return None if embedding is None else embedding.tolist()
