"""Every store there is, searched in every way, and what lies in it."""

import binascii
import json
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID, uuid4

import asyncpg
import pytest
from ai_core.memory.embedder import Embedder
from ai_core.memory.memories import Memories, Search
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import OpenSearchClient, open_client
from ai_core.memory.opensearch_documents import document
from ai_core.memory.opensearch_index import ALIAS
from ai_core.memory.pgvector import PgvectorStore
from ai_core.memory.store import Memory, MemoryStore, Record, Sender, memory_id
from ai_core.settings import DatabaseSettings, MemorySettings
from chassis.database import tls_of
from chassis.sealing.cells import PersonKey
from chassis.signing import Signer

from tests.support.opensearch_domain import Domain

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOST = 40
"""Memories a person."""


@dataclass(frozen=True)
class Way:
    """A store, how it is reached, and how it is searched."""

    server: DatabaseSettings | str | MemorySettings
    raw: DatabaseSettings | str
    search: Search


_OPENSEARCH = pytest.mark.xdist_group("opensearch")
Reached = Literal["database", "opensearch_server", "opensearch_over_mtls"]


@pytest.fixture(
    params=[
        pytest.param(("database", "sealed"), id="pgvector-sealed"),
        pytest.param(("database", "knn"), id="pgvector-knn"),
        pytest.param(("opensearch_server", "sealed"), id="opensearch-sealed", marks=_OPENSEARCH),
        pytest.param(("opensearch_server", "knn"), id="opensearch-knn", marks=_OPENSEARCH),
        pytest.param(("opensearch_over_mtls", "sealed"), id="opensearch-mtls-sealed", marks=_OPENSEARCH),
    ]
)
def way(request: pytest.FixtureRequest) -> Way:
    """Started here, outside of the event loop."""
    param: tuple[Reached, Search] = request.param
    reached, search = param
    raw = "database" if reached == "database" else "opensearch_server"
    return Way(request.getfixturevalue(reached), request.getfixturevalue(raw), search)


@pytest.fixture
async def store(way: Way, signer: Signer) -> AsyncIterator[MemoryStore]:
    async with AsyncExitStack() as stack:
        if isinstance(way.server, str):
            domain = await stack.enter_async_context(Domain(way.server))
            store = OpenSearchStore(OpenSearchClient(domain.url, signer))
        elif isinstance(way.server, MemorySettings):
            store = OpenSearchStore(open_client(way.server))
        else:
            store = PgvectorStore(way.server)
        stack.push_async_callback(store.close)
        yield store


@pytest.fixture
def memories(store: MemoryStore, embedder: Embedder, way: Way) -> Memories:
    return Memories(store, embedder, search=way.search, most=MOST)


class Raw(Protocol):
    """What lies in a store, past all that the service does."""

    async def put(self, user_id: UUID, record: Record) -> None:
        """Have ``record`` in the place of whatever has its id."""
        ...

    async def dump(self, user_id: UUID) -> bytes:
        """All that is stored of a person but plain vectors."""
        ...


@pytest.fixture
async def raw(way: Way, signer: Signer) -> AsyncIterator[Raw]:
    if isinstance(way.raw, str):
        client = OpenSearchClient(way.raw, signer)
        yield RawOpenSearch(client)
        await client.close()
    else:
        connection = await connected(way.raw)
        yield RawPostgres(connection)
        await connection.close()


async def connected(database: DatabaseSettings) -> "asyncpg.Connection[asyncpg.Record]":
    """As the service."""
    assert database.database_password
    return await asyncpg.connect(
        host=database.database_host,
        port=database.database_port,
        database=database.database_name,
        user=database.database_user,
        password=database.database_password.get_secret_value(),
        ssl=tls_of(database),
    )


class RawPostgres:
    """Rows."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def put(self, user_id: UUID, record: Record) -> None:
        embedding = None if record.embedding is None else str(record.embedding.tolist())
        await self._connection.execute(
            """
            INSERT INTO memories
                (user_id, memory_id, conversation_id, message_id, sender, created_at, content, vector, embedding)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::vector)
            ON CONFLICT (user_id, memory_id) DO UPDATE
                SET content = EXCLUDED.content, vector = EXCLUDED.vector, embedding = EXCLUDED.embedding
            """,
            user_id,
            record.memory_id,
            record.conversation_id,
            record.message_id,
            record.sender,
            record.created_at,
            record.content,
            record.vector,
            embedding,
        )

    async def dump(self, user_id: UUID) -> bytes:
        rows = await self._connection.fetch("SELECT * FROM memories WHERE user_id = $1 ORDER BY memory_id", user_id)
        values = (value for row in rows for name, value in row.items() if name != "embedding")
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


class RawOpenSearch:
    """Documents."""

    def __init__(self, client: OpenSearchClient) -> None:
        self._client = client

    async def put(self, user_id: UUID, record: Record) -> None:
        path = f"/{ALIAS}/_doc/{record.memory_id}?routing={user_id}&refresh=true"
        await self._client.call("PUT", path, document(user_id, record))

    async def dump(self, user_id: UUID) -> bytes:
        documents = await hits(self._client, user_id)
        cells = (cell for each in documents for name in ("content", "vector") for cell in each["fields"].get(name, ()))
        decoded = [binascii.a2b_base64(cell + "==") for cell in cells]
        return b"\n".join([*decoded, *(json.dumps(each["_source"]).encode() for each in documents)])


async def hits(client: OpenSearchClient, user: UUID) -> list[dict[str, Any]]:
    """All that is stored of a person, whatever was forgotten."""
    await client.call("POST", f"/{ALIAS}/_refresh")
    fields = ["user_id", "memory_id", "content", "vector", "forgotten_of"]
    mine = [{"term": {name: str(user)}} for name in ("user_id", "forgotten_of")]
    query = {"query": {"bool": {"should": mine}}, "docvalue_fields": fields, "_source": True}
    _, answer = await client.call("GET", f"/{ALIAS}/_search?routing={user}", query)
    return json.loads(answer)["hits"]["hits"]


@dataclass(frozen=True)
class Somebody:
    """A person with their key, and one conversation of theirs."""

    user_id: UUID
    key: PersonKey
    conversation_id: UUID

    def said(
        self, content: str = "words", *, minute: int = 0, sender: Sender = "user", conversation: UUID | None = None
    ) -> Memory:
        """Something they said, or were told."""
        message = uuid4()
        return Memory(
            memory_id=memory_id(self.user_id, message, 0),
            conversation_id=conversation or self.conversation_id,
            message_id=message,
            sender=sender,
            content=content,
            created_at=NOON + timedelta(minutes=minute),
        )


def somebody() -> Somebody:
    user_id = uuid4()
    return Somebody(user_id, PersonKey(user_id, os.urandom(32)), uuid4())


async def everything(memories: Memories, person: Somebody) -> list[Memory]:
    """All that is remembered of a person, in order."""
    return (await memories.page(person.key, person.user_id, 1000, None)).memories
