"""Memories in OpenSearch.

A search compares with every memory of one person: exact, and for one person cheaper than a graph over all of them.

What was forgotten stays forgotten by a tombstone, one document a person with the ids that were forgotten. OpenSearch
has neither transactions nor locks over several documents, so nothing keeps a late write out; instead

* every read leaves out what the tombstone names. The server looks it up by id, and so as it is, not as it was at the
  last refresh: from the moment it is written nothing of it is found again, whatever else goes wrong;
* who forgets writes the tombstone first and deletes afterwards, who remembers looks for it before *and after*. A
  write that the deletion missed came after the tombstone, finds it, and deletes what it wrote;
* a write that a crash keeps from looking is found and deleted when it is tried again.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, Field

from ai_core.memory.embedder import Embedding
from ai_core.memory.opensearch_client import OpenSearchClient, StoreUnavailable
from ai_core.memory.opensearch_index import ALIAS
from ai_core.memory.seal import open_sealed, seal
from ai_core.memory.store import LEAST_SIMILARITY, NEAREST, Forgotten, Memory, Position, Sender

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Query = dict[str, Any]


class _Document(BaseModel):
    memory_id: UUID
    conversation_id: UUID
    message_id: UUID
    sender: Sender
    content: Base64Bytes
    created_at: int


class _Hit(BaseModel):
    document: _Document = Field(alias="_source")


class _Hits(BaseModel):
    hits: list[_Hit]


class _Found(BaseModel):
    hits: _Hits


class _Ids(BaseModel):
    forgotten: set[UUID]


class _Tombstone(BaseModel):
    """The answer to a question for one, whether there is one or not."""

    found: bool
    ids: _Ids = Field(default=_Ids(forgotten=set()), alias="_source")
    sequence_number: int = Field(default=0, alias="_seq_no")
    primary_term: int = Field(default=0, alias="_primary_term")


class _Shards(BaseModel):
    failed: int


class _Refreshed(BaseModel):
    shards: _Shards = Field(alias="_shards")


class _Deleted(BaseModel):
    timed_out: bool
    failures: list[object]


class OpenSearchStore:
    """Implements ``MemoryStore``."""

    def __init__(self, client: OpenSearchClient) -> None:
        self._client = client

    async def remember(
        self, user_id: UUID, conversation_id: UUID, memories: Sequence[Memory], embeddings: Sequence[Embedding]
    ) -> None:
        """See ``MemoryStore``."""
        await self._refuse_forgotten(user_id, conversation_id)
        if memories:
            documents = {
                str(memory.memory_id): _document(user_id, memory, vector)
                for memory, vector in zip(memories, embeddings, strict=True)
            }
            await self._client.create(ALIAS, str(user_id), documents)
            await self._refuse_forgotten(user_id, conversation_id)

    async def search(self, user_id: UUID, embedding: Embedding) -> list[Memory]:
        """See ``MemoryStore``."""
        # The plugin's score is (1 + cosine) / 2, because a score may not be negative.
        script = {
            "lang": "knn",
            "source": "knn_score",
            "params": {"field": "embedding", "query_value": embedding.tolist(), "space_type": "cosinesimil"},
        }
        scored = {"query": _readable(user_id), "script": script, "min_score": (1 + LEAST_SIMILARITY) / 2}
        return await self._find(user_id, {"size": NEAREST, "query": {"script_score": scored}})

    async def page(self, user_id: UUID, limit: int, after: Position | None) -> list[Memory]:
        """See ``MemoryStore``."""
        query: Query = {"size": limit, "query": _readable(user_id), "sort": ["created_at", "memory_id"]}
        if after:
            query["search_after"] = [_microseconds(after[0]), str(after[1])]
        return await self._find(user_id, query)

    async def forget_user(self, user_id: UUID) -> None:
        """See ``MemoryStore``."""
        # Whatever conversations it named before: it now covers them.
        await self._client.call("PUT", f"{_tombstone(user_id)}&require_alias=true", {"forgotten": [str(user_id)]})
        await self._delete(user_id)

    async def forget_conversation(self, user_id: UUID, conversation_id: UUID) -> None:
        """See ``MemoryStore``."""
        while not await self._bury(user_id, conversation_id):
            pass  # somebody else changed the tombstone meanwhile
        await self._delete(user_id, conversation_id)

    async def check(self) -> None:
        """See ``MemoryStore``."""
        await self._client.call("GET", _SEARCH, {"size": 0, "track_total_hits": False}, attempts=1)

    async def close(self) -> None:
        """See ``MemoryStore``."""
        await self._client.close()

    async def _find(self, user_id: UUID, query: Query) -> list[Memory]:
        path = f"{_SEARCH}&routing={user_id}"
        _, answer = await self._client.call("GET", path, {"track_total_hits": False, **query})
        return [_memory(hit.document) for hit in _Found.model_validate_json(answer).hits.hits]

    async def _refuse_forgotten(self, user_id: UUID, conversation_id: UUID) -> None:
        """Delete what is forgotten, and raise ``Forgotten``, where a tombstone says so."""
        forgotten = (await self._read_tombstone(user_id)).ids.forgotten
        if user_id in forgotten:
            await self._delete(user_id)
            raise Forgotten
        if conversation_id in forgotten:
            await self._delete(user_id, conversation_id)
            raise Forgotten

    async def _read_tombstone(self, user_id: UUID) -> _Tombstone:
        _, answer = await self._client.call("GET", _tombstone(user_id), also=(HTTPStatus.NOT_FOUND,))
        return _Tombstone.model_validate_json(answer)

    async def _bury(self, user_id: UUID, conversation_id: UUID) -> bool:
        """Add a conversation to the tombstone; whether that was possible before another changed it."""
        tombstone = await self._read_tombstone(user_id)
        if not tombstone.ids.forgotten.isdisjoint((user_id, conversation_id)):
            return True
        unchanged = (
            f"if_seq_no={tombstone.sequence_number}&if_primary_term={tombstone.primary_term}"
            if tombstone.found
            else "op_type=create"
        )
        ids = [str(identifier) for identifier in (*tombstone.ids.forgotten, conversation_id)]
        path = f"{_tombstone(user_id)}&require_alias=true&{unchanged}"
        status, _ = await self._client.call("PUT", path, {"forgotten": ids}, also=(HTTPStatus.CONFLICT,))
        return status != HTTPStatus.CONFLICT

    async def _delete(self, user_id: UUID, conversation_id: UUID | None = None) -> None:
        """Delete all that was stored before this call."""
        _, answer = await self._client.call("POST", f"/{ALIAS}/_refresh")
        if _Refreshed.model_validate_json(answer).shards.failed:
            raise StoreUnavailable
        # A conflict: somebody else has just deleted the same.
        query = {"conflicts": "proceed", "query": {"bool": {"filter": _of(user_id, conversation_id)}}}
        _, answer = await self._client.call("POST", f"/{ALIAS}/_delete_by_query", query)
        done = _Deleted.model_validate_json(answer)
        if done.timed_out or done.failures:
            raise StoreUnavailable


_SEARCH = f"/{ALIAS}/_search?allow_partial_search_results=false"
"""An answer from all shards that are asked, or none."""


def _of(user_id: UUID, conversation_id: UUID | None = None) -> list[Query]:
    person: Query = {"term": {"user_id": str(user_id)}}
    return [person, {"term": {"conversation_id": str(conversation_id)}}] if conversation_id else [person]


def _readable(user_id: UUID) -> Query:
    """The person's memories but those that a tombstone names."""
    tombstone = {"index": ALIAS, "id": _tombstone_id(user_id), "routing": str(user_id), "path": "forgotten"}
    forgotten = [{"terms": {field: tombstone}} for field in ("user_id", "conversation_id")]
    return {"bool": {"filter": _of(user_id), "must_not": forgotten}}


def _tombstone_id(user_id: UUID) -> str:
    return f"forgotten-{user_id}"


def _tombstone(user_id: UUID) -> str:
    return f"/{ALIAS}/_doc/{_tombstone_id(user_id)}?routing={user_id}"


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _document(user_id: UUID, memory: Memory, embedding: Embedding) -> Mapping[str, Any]:
    return {
        **memory.model_dump(mode="json"),
        "user_id": str(user_id),
        "content": base64.b64encode(seal(memory.content)).decode(),
        "created_at": _microseconds(memory.created_at),
        "embedding": embedding.tolist(),
    }


def _memory(document: _Document) -> Memory:
    return Memory(
        memory_id=document.memory_id,
        conversation_id=document.conversation_id,
        message_id=document.message_id,
        sender=document.sender,
        content=open_sealed(document.content),
        created_at=_EPOCH + document.created_at * _MICROSECOND,
    )
