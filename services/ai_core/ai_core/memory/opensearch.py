"""Memories in OpenSearch.

A search compares with every memory of one person: exact, and for one person cheaper than a graph over all of them.

What was forgotten stays forgotten by a tombstone, one document a person with the ids that were forgotten. OpenSearch
has neither transactions nor locks over several documents, so nothing keeps a late write out; instead

* every read leaves out what the tombstone names. The server looks it up by id, and so as it is, not as it was at the
  last refresh: from the moment it is written nothing of it is found again, whatever else goes wrong;
* who forgets writes the tombstone first and deletes afterwards, who remembers looks for it before *and after*. A
  write that the deletion missed came after the tombstone, finds it, and deletes what it wrote;
* a write that a crash keeps from looking is found and deleted when it is tried again.

A memory that is forgotten by itself is written over by a document that holds no more than the person's id: whoever
remembers it again finds its id taken.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from ai_core.memory.embedder import Embedding
from ai_core.memory.opensearch_client import OpenSearchClient
from ai_core.memory.opensearch_documents import IdColumns, RecordColumns, VectorColumns, document, record, sort_values
from ai_core.memory.opensearch_person import MOST_HITS, SEARCH, Person
from ai_core.memory.store import Forgotten, Position, Record

_EMBEDDED = {"exists": {"field": "embedding"}}


class OpenSearchStore:
    """Implements ``MemoryStore``."""

    def __init__(self, client: OpenSearchClient) -> None:
        self._client = client

    async def remember(self, user_id: UUID, conversation_id: UUID, records: Sequence[Record]) -> None:
        """See ``MemoryStore``."""
        person = self._of(user_id)
        await _refuse_forgotten(person, user_id, conversation_id)
        if records:
            await person.create((each.memory_id, document(user_id, each)) for each in records)
            await _refuse_forgotten(person, user_id, conversation_id)

    async def vectors(self, user_id: UUID) -> list[tuple[UUID, bytes]]:
        """See ``MemoryStore``."""
        hits = await self._of(user_id).find_all(VectorColumns)
        return [(hit["memory_id"][0], hit["vector"][0]) for hit in hits if "vector" in hit]

    async def nearest(self, user_id: UUID, embedding: Embedding, most: int) -> list[UUID]:
        """See ``MemoryStore``."""
        script = {
            "lang": "knn",
            "source": "knn_score",
            "params": {"field": "embedding", "query_value": embedding.tolist(), "space_type": "cosinesimil"},
        }
        hits = await self._of(user_id).find(IdColumns, most, only=[_EMBEDDED], script=script)
        return [hit["memory_id"][0] for hit in hits]

    async def read(self, user_id: UUID, memory_ids: Collection[UUID]) -> list[Record]:
        """See ``MemoryStore``."""
        only = {"terms": {"memory_id": [str(each) for each in memory_ids]}}
        hits = await self._of(user_id).find(RecordColumns, len(memory_ids), only=[only])
        return [record(hit) for hit in hits]

    async def page(self, user_id: UUID, limit: int, after: Position | None) -> list[Record]:
        """See ``MemoryStore``."""
        values = sort_values(after) if after else ()
        hits = await self._of(user_id).find(RecordColumns, limit, sort=["created_at", "memory_id"], after=values)
        return [record(hit) for hit in hits]

    async def embedded(self, user_id: UUID) -> set[UUID]:
        """See ``MemoryStore``."""
        return {hit["memory_id"][0] for hit in await self._of(user_id).find_all(IdColumns, only=[_EMBEDDED])}

    async def replace(self, user_id: UUID, records: Sequence[Record]) -> None:
        """See ``MemoryStore``."""
        person = self._of(user_id)
        places = await person.places([each.memory_id for each in records])
        await person.replace(
            (places[each.memory_id], document(user_id, each)) for each in records if each.memory_id in places
        )

    async def trim(self, user_id: UUID, most: int) -> int:
        """See ``MemoryStore``."""
        person = self._of(user_id)
        surplus = min(await person.count() - most, MOST_HITS)
        if surplus <= 0:
            return 0
        hits = await person.find(IdColumns, surplus, sort=["sender", "created_at", "memory_id"])
        await person.remove([hit["memory_id"][0] for hit in hits])
        return len(hits)

    async def forget(self, user_id: UUID, memory_id: UUID) -> bool:
        """See ``MemoryStore``."""
        person, tried = self._of(user_id), False
        while place := (await person.places([memory_id])).get(memory_id):
            if await person.empty(place):
                return True
            tried = True
        if tried:  # then this or another call did it, and searches may not know yet
            await person.refresh()
        return tried

    async def forget_user(self, user_id: UUID) -> None:
        """See ``MemoryStore``."""
        person = self._of(user_id)
        await person.bury()
        await person.delete()

    async def forget_conversation(self, user_id: UUID, conversation_id: UUID) -> None:
        """See ``MemoryStore``."""
        person = self._of(user_id)
        while not await person.bury_conversation(conversation_id):
            pass  # somebody else changed the tombstone meanwhile
        await person.delete(conversation_id)

    async def check(self) -> None:
        """See ``MemoryStore``."""
        await self._client.call("GET", SEARCH, {"size": 0, "track_total_hits": False}, attempts=1)

    async def close(self) -> None:
        """See ``MemoryStore``."""
        await self._client.close()

    def _of(self, user_id: UUID) -> Person:
        return Person(self._client, user_id)


async def _refuse_forgotten(person: Person, user_id: UUID, conversation_id: UUID) -> None:
    """Delete what is forgotten, and raise ``Forgotten``, where a tombstone says so."""
    forgotten = await person.forgotten()
    if user_id in forgotten:
        await person.delete()
        raise Forgotten
    if conversation_id in forgotten:
        await person.delete(conversation_id)
        raise Forgotten
