"""What the store in PostgreSQL promises beyond the contract."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import numpy as np
import pytest
from ai_core.memory.embedder import DIMENSIONS
from ai_core.memory.pgvector import PgvectorStore
from ai_core.memory.records import sealed
from ai_core.memory.store import Forgotten, Record
from ai_core.settings import DatabaseSettings
from sqlalchemy.exc import DBAPIError

from local.postgres import Postgres
from tests.ai_core.memory.conftest import Somebody, connected, somebody

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(database: DatabaseSettings) -> AsyncIterator[PgvectorStore]:
    store = PgvectorStore(database)
    yield store
    await store.close()


def record(person: Somebody, content: str = "late") -> Record:
    vector = np.full(DIMENSIONS, DIMENSIONS**-0.5, dtype=np.float32)
    return sealed(person.key, person.said(content), vector, in_the_clear=True)


async def administrator(postgres: Postgres, database: DatabaseSettings) -> "asyncpg.Connection[asyncpg.Record]":
    admin = json.loads(postgres.admin_secret.read_text())
    return await asyncpg.connect(
        host=postgres.host,
        port=postgres.port,
        database=database.database_name,
        user=admin["username"],
        password=admin["password"],
        ssl=ssl.create_default_context(cafile=postgres.ca_file),
    )


@pytest.mark.parametrize("what", ["person", "conversation", "memory"])
async def test_a_late_write_waits_for_who_forgets(
    postgres: Postgres, database: DatabaseSettings, store: PgvectorStore, what: str
) -> None:
    """The race decided by hand: forgetting is under way, and has not committed, when the write comes."""
    person = somebody()
    user, late = person.user_id, record(person)
    admin = await administrator(postgres, database)
    try:
        async with admin.transaction():
            lock = int.from_bytes(user.bytes[:8], signed=True)
            await admin.execute("SELECT pg_advisory_xact_lock($1)", lock)
            if what == "person":
                await admin.execute("INSERT INTO forgotten_users VALUES ($1)", user)
            elif what == "conversation":
                await admin.execute("INSERT INTO forgotten_conversations VALUES ($1, $2)", user, late.conversation_id)
            else:
                await admin.execute("INSERT INTO forgotten_memories VALUES ($1, $2)", user, late.memory_id)
            write = asyncio.create_task(store.remember(user, person.conversation_id, [late]))
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while not await admin.fetchval(waiting):
                assert not write.done()
                await asyncio.sleep(0.01)
        if what == "memory":
            await write
        else:
            with pytest.raises(Forgotten):
                await write
        assert await store.page(user, 10, None) == []
    finally:
        await admin.close()


async def test_what_was_forgotten_one_by_one_is_not_kept_of_who_was_forgotten_altogether(
    database: DatabaseSettings, store: PgvectorStore
) -> None:
    person = somebody()
    single = record(person)
    await store.remember(person.user_id, person.conversation_id, [single])
    await store.forget(person.user_id, single.memory_id)
    await store.forget_conversation(person.user_id, person.conversation_id)
    connection = await connected(database)
    try:
        tables = ("forgotten_memories", "forgotten_conversations", "forgotten_users")
        count = " + ".join(f"(SELECT count(*) FROM {table} WHERE user_id = $1)" for table in tables)  # noqa: S608 - ours
        assert await connection.fetchval(f"SELECT {count}", person.user_id) == 2
        await store.forget_user(person.user_id)
        assert await connection.fetchval(f"SELECT {count}", person.user_id) == 1
    finally:
        await connection.close()


async def test_the_service_may_change_rows_but_not_tables(database: DatabaseSettings) -> None:
    service = await connected(database)
    try:
        for statement in (
            "CREATE TABLE mine (x int)",
            "DROP TABLE memories",
            "ALTER TABLE memories ADD COLUMN x int",
            "DELETE FROM alembic_version",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await service.execute(statement)
    finally:
        await service.close()


async def test_a_database_error_shows_no_words(store: PgvectorStore) -> None:
    """A statement that fails must not carry its parameters into a log."""
    person = somebody()
    broken = replace(record(person), content=b"my secret words", embedding=np.ones(3, dtype=np.float32))
    with pytest.raises(DBAPIError) as caught:
        await store.remember(person.user_id, person.conversation_id, [broken])
    assert "secret" not in str(caught.value)
