"""Memories in PostgreSQL with pgvector.

A search compares with every memory of one person: exact, and quick at a person's sizes. An approximate index over all
people would find the neighbours first and drop other people's afterwards, and so miss most of the person's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from chassis.database import connect
from chassis.settings import DatabaseSettings
from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Cast,
    RowMapping,
    Select,
    Uuid,
    bindparam,
    cast,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ai_core.memory.embedder import Embedding
from ai_core.memory.seal import open_sealed, seal
from ai_core.memory.store import LEAST_SIMILARITY, NEAREST, Forgotten, Memory, Position
from ai_core.memory.tables import forgotten_conversations, forgotten_users, memories


class PgvectorStore:
    """Implements ``MemoryStore``."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._engine = connect(settings)
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")  # a read is one statement

    async def remember(
        self, user_id: UUID, conversation_id: UUID, memories: Sequence[Memory], embeddings: Sequence[Embedding]
    ) -> None:
        """See ``MemoryStore``."""
        async with self._engine.begin() as connection:
            # Shared among those who remember, exclusive for who forgets: the tombstones that the next statement
            # looks for are either committed by now, or written after this transaction, whose rows they then cover.
            await connection.execute(_LOCK_SHARED, {"lock": _lock(user_id)})
            if await connection.scalar(_TOMBSTONES, {"user": user_id, "conversation": conversation_id}):
                raise Forgotten
            if memories:
                rows = [_row(user_id, memory, vector) for memory, vector in zip(memories, embeddings, strict=True)]
                await connection.execute(_REMEMBER, rows)

    async def search(self, user_id: UUID, embedding: Embedding) -> list[Memory]:
        """See ``MemoryStore``."""
        return await self._read(_SEARCH, {"user": user_id, "question": embedding.tolist()})

    async def page(self, user_id: UUID, limit: int, after: Position | None) -> list[Memory]:
        """See ``MemoryStore``."""
        position = (_TABLE.c.created_at, _TABLE.c.memory_id)
        query = select(*_COLUMNS).where(_TABLE.c.user_id == user_id).order_by(*position).limit(limit)
        if after:
            query = query.where(tuple_(*position) > after)
        return await self._read(query)

    async def forget_user(self, user_id: UUID) -> None:
        """See ``MemoryStore``."""
        async with self._engine.begin() as connection:
            await _lock_out(connection, user_id)
            await connection.execute(insert(forgotten_users).values(user_id=user_id).on_conflict_do_nothing())
            await connection.execute(_TABLE.delete().where(_TABLE.c.user_id == user_id))
            # The one above covers them.
            conversations = forgotten_conversations.delete().where(forgotten_conversations.c.user_id == user_id)
            await connection.execute(conversations)

    async def forget_conversation(self, user_id: UUID, conversation_id: UUID) -> None:
        """See ``MemoryStore``."""
        tombstone = insert(forgotten_conversations).values(user_id=user_id, conversation_id=conversation_id)
        rows = _TABLE.delete().where(_TABLE.c.user_id == user_id, _TABLE.c.conversation_id == conversation_id)
        async with self._engine.begin() as connection:
            await _lock_out(connection, user_id)
            await connection.execute(tombstone.on_conflict_do_nothing())
            await connection.execute(rows)

    async def check(self) -> None:
        """See ``MemoryStore``."""
        async with self._reader.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """See ``MemoryStore``."""
        await self._engine.dispose()

    async def _read(self, query: Select[Any], values: Mapping[str, object] | None = None) -> list[Memory]:
        async with self._reader.connect() as connection:
            return [_memory(row) for row in (await connection.execute(query, values)).mappings()]


_TABLE = memories
_COLUMNS = [column for column in memories.c if column.name not in ("user_id", "embedding")]


def _embedding(name: str) -> Cast[Any]:
    """The vector that is given as ``name``, a list of numbers: the driver sends those in binary, a vector as text."""
    return cast(bindparam(name, type_=ARRAY(REAL)), _TABLE.c.embedding.type)


# Statements are built once: building one takes as long as running it.
def _search() -> Select[Any]:
    """The memories of ``:user`` nearest to ``:question``."""
    user = bindparam("user", type_=Uuid())
    distance = _TABLE.c.embedding.cosine_distance(_embedding("question"))
    mine = (
        select(_TABLE.c.memory_id, distance.label("distance"))
        .where(_TABLE.c.user_id == user)
        .cte("mine")
        .prefix_with("MATERIALIZED")
    )
    near = select(mine).where(mine.c.distance <= 1 - LEAST_SIMILARITY)
    nearest = near.order_by(mine.c.distance).limit(NEAREST).subquery()
    return (
        select(*_COLUMNS)
        .join(nearest, _TABLE.c.memory_id == nearest.c.memory_id)
        .where(_TABLE.c.user_id == user)
        .order_by(nearest.c.distance)
    )


def _tombstones() -> Select[bool]:
    """Whether ``:conversation`` of ``:user``, or all of theirs, was forgotten."""
    user, conversation = bindparam("user", type_=Uuid()), bindparam("conversation", type_=Uuid())
    of_user = select(forgotten_users).where(forgotten_users.c.user_id == user)
    of_conversation = select(forgotten_conversations).where(
        forgotten_conversations.c.user_id == user, forgotten_conversations.c.conversation_id == conversation
    )
    return select(of_user.exists() | of_conversation.exists())


_SEARCH = _search()
_TOMBSTONES = _tombstones()
_LOCK_SHARED = select(func.pg_advisory_xact_lock_shared(bindparam("lock", type_=BigInteger())))
_REMEMBER = insert(_TABLE).values(embedding=_embedding("vector")).on_conflict_do_nothing()


def _lock(user_id: UUID) -> int:
    """The person's advisory lock: a signed 64-bit number. Two people who share one only wait for each other."""
    return int.from_bytes(user_id.bytes[:8], signed=True)


async def _lock_out(connection: AsyncConnection, user_id: UUID) -> None:
    await connection.execute(select(func.pg_advisory_xact_lock(_lock(user_id))))


def _row(user_id: UUID, memory: Memory, embedding: Embedding) -> dict[str, object]:
    return {
        **memory.model_dump(),
        "user_id": user_id,
        "content": seal(memory.content),
        "vector": embedding.tolist(),
    }


def _memory(row: RowMapping) -> Memory:
    return Memory.model_validate({**row, "content": open_sealed(row["content"])})
