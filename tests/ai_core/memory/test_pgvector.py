"""What the store in PostgreSQL promises beyond the contract."""

import asyncio
import json
import ssl
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import numpy as np
import pytest
from ai_core.memory.embedder import DIMENSIONS
from ai_core.memory.pgvector import PgvectorStore
from ai_core.memory.store import Forgotten, Memory, memory_id
from ai_core.settings import DatabaseSettings
from sqlalchemy.exc import DBAPIError

from local.postgres import Postgres

pytestmark = pytest.mark.anyio


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


async def test_a_late_write_waits_for_who_forgets(postgres: Postgres, database: DatabaseSettings) -> None:
    """The race decided by hand: forgetting is under way, and has not committed, when the write comes."""
    user, conversation, message = uuid4(), uuid4(), uuid4()
    late = Memory(
        memory_id=memory_id(user, message, 0),
        conversation_id=conversation,
        message_id=message,
        sender="ai",
        content="late",
        created_at=datetime.now(UTC),
    )
    store, admin = PgvectorStore(database), await administrator(postgres, database)
    try:
        async with admin.transaction():
            lock = int.from_bytes(user.bytes[:8], signed=True)
            await admin.execute("SELECT pg_advisory_xact_lock($1)", lock)
            await admin.execute("INSERT INTO forgotten_users VALUES ($1)", user)
            vector = np.ones(DIMENSIONS, dtype=np.float32)
            write = asyncio.create_task(store.remember(user, conversation, [late], [vector]))
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while not await admin.fetchval(waiting):
                assert not write.done()
                await asyncio.sleep(0.01)
        with pytest.raises(Forgotten):
            await write
        assert await store.page(user, 10, None) == []
    finally:
        await admin.close()
        await store.close()


async def test_the_service_may_change_rows_but_not_tables(postgres: Postgres, database: DatabaseSettings) -> None:
    assert database.database_password

    service = await asyncpg.connect(
        host=postgres.host,
        port=postgres.port,
        database=database.database_name,
        user=database.database_user,
        password=database.database_password.get_secret_value(),
        ssl=ssl.create_default_context(cafile=postgres.ca_file),
    )
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


async def test_content_is_stored_with_the_byte_that_says_how(postgres: Postgres, database: DatabaseSettings) -> None:
    user, conversation, message = uuid4(), uuid4(), uuid4()
    kept = Memory(
        memory_id=memory_id(user, message, 0),
        conversation_id=conversation,
        message_id=message,
        sender="user",
        content="Käse",
        created_at=datetime.now(UTC),
    )
    store, admin = PgvectorStore(database), await administrator(postgres, database)
    try:
        await store.remember(user, conversation, [kept], [np.ones(DIMENSIONS, dtype=np.float32)])
        stored = "SELECT content FROM memories WHERE user_id = $1"
        assert await admin.fetchval(stored, user) == b"\x00" + "Käse".encode()
        await admin.execute(r"UPDATE memories SET content = '\x02ff' WHERE user_id = $1", user)
        with pytest.raises(ValueError, match="unknown kind"):
            await store.page(user, 1, None)
    finally:
        await admin.close()
        await store.close()


async def test_a_database_error_shows_no_words(database: DatabaseSettings) -> None:
    """A statement that fails must not carry its parameters into a log."""
    user, message = uuid4(), uuid4()
    broken = Memory(
        memory_id=memory_id(user, message, 0),
        conversation_id=uuid4(),
        message_id=message,
        sender="user",
        content="my secret words",
        created_at=datetime.now(UTC),
    )
    store = PgvectorStore(database)
    try:
        with pytest.raises(DBAPIError) as caught:
            await store.remember(user, uuid4(), [broken], [np.ones(3, dtype=np.float32)])
        assert "secret" not in str(caught.value)
    finally:
        await store.close()
