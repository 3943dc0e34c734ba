"""One person's part of the index. There is no way to ask for documents but through it: each query has its filter."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from ai_core.memory.opensearch_client import Json, OpenSearchClient, Operation, StoreUnavailable
from ai_core.memory.opensearch_documents import IdColumns
from ai_core.memory.opensearch_index import ALIAS

Query = dict[str, Any]
Columns = TypeVar("Columns", bound=IdColumns)

MOST_HITS = 10_000
"""Of one search: the server's ``index.max_result_window``."""
SEARCH = f"/{ALIAS}/_search?allow_partial_search_results=false"
"""An answer from all shards that are asked, or none."""


@cache
def _reader(columns: type) -> TypeAdapter[Any]:
    """Reads ``{"hits": {"hits": [{"fields": …}]}}``, or ``{}`` where nothing was found."""
    return TypeAdapter(dict[str, dict[str, list[dict[str, columns]]]])  # pyright: ignore[reportInvalidTypeForm] - made here


class _Count(BaseModel):
    count: int


class _Owner(BaseModel):
    user_id: UUID | None = None


class Place(BaseModel):
    """Where a document is, as it is now: to be written on the condition that it has not changed.

    In this index: when the alias is moved meanwhile, this one takes no writes, and the other counts on its own.
    """

    found: bool
    index: str = Field(alias="_index")
    memory_id: UUID = Field(alias="_id")
    source: _Owner = Field(default=_Owner(), alias="_source")
    sequence_number: int = Field(default=0, alias="_seq_no")
    primary_term: int = Field(default=0, alias="_primary_term")

    def still(self) -> Json:
        """The condition in a bulk request, which otherwise wants an alias."""
        return {"_index": self.index, "require_alias": False, **self.unchanged()}

    def unchanged(self) -> dict[str, int]:
        """The condition."""
        return {"if_seq_no": self.sequence_number, "if_primary_term": self.primary_term}


class _Places(BaseModel):
    docs: list[Place]


class _Ids(BaseModel):
    forgotten: set[UUID]


class _Tombstone(BaseModel):
    """The answer to a question for one, whether there is one or not."""

    found: bool
    index: str = Field(alias="_index")
    ids: _Ids = Field(default=_Ids(forgotten=set()), alias="_source")
    sequence_number: int = Field(default=0, alias="_seq_no")
    primary_term: int = Field(default=0, alias="_primary_term")


class _Shards(BaseModel):
    failed: int


class _Refreshed(BaseModel):
    shards: _Shards = Field(alias="_shards")


class _Deleted(BaseModel):
    timed_out: bool
    version_conflicts: int = 0
    failures: list[object]


class Person:
    """What is stored of ``user_id``, all of it on one shard."""

    def __init__(self, client: OpenSearchClient, user_id: UUID) -> None:
        self._client = client
        self._user = str(user_id)
        self._user_id = user_id

    async def find(
        self,
        columns: type[Columns],
        size: int,
        *,
        sort: Sequence[str] = (),
        after: Sequence[int | str] = (),
        only: Iterable[Query] = (),
        script: Json | None = None,
    ) -> list[Columns]:
        """The person's memories but those that a tombstone names.

        Args:
            columns: What to read of each.
            size: How many at most.
            sort: The columns to sort by, ascending; by score where left out.
            after: Values of those columns, to begin after.
            only: Further filters.
            script: Gives each a score.
        """
        tombstone = {"index": ALIAS, "id": self._tombstone_id, "routing": self._user, "path": "forgotten"}
        forgotten = [{"terms": {field: tombstone}} for field in ("user_id", "conversation_id")]
        query: Query = {"bool": {"filter": [self._mine, *only], "must_not": forgotten}}
        if script:
            query = {"script_score": {"query": query, "script": script}}
        request: Query = {
            "query": query,
            "size": size,
            "docvalue_fields": [*columns.__annotations__],
            "stored_fields": "_none_",
            "track_total_hits": False,
        }
        request |= {"sort": sort} if sort else {}
        request |= {"search_after": after} if after else {}
        path = f"{SEARCH}&routing={self._user}&filter_path=hits.hits.fields"
        _, answer = await self._client.call("GET", path, request)
        found: dict[str, dict[str, list[dict[str, Columns]]]] = _reader(columns).validate_json(answer)
        return [hit["fields"] for hit in found["hits"]["hits"]] if found else []

    async def find_all(self, columns: type[Columns], *, only: Sequence[Query] = ()) -> list[Columns]:
        """The same, however many there are."""
        hits = await self.find(columns, MOST_HITS, only=only)
        if len(hits) < MOST_HITS:
            return hits
        # Once more and in order, which costs half as much again. Ids never change: what is there all the while is met
        # once, whatever comes and goes between two searches.
        found: list[Columns] = []
        after: list[str] = []
        while True:
            hits = await self.find(columns, MOST_HITS, sort=["memory_id"], after=after, only=only)
            found += hits
            if len(hits) < MOST_HITS:
                return found
            after = [str(hits[-1]["memory_id"][0])]

    async def count(self) -> int:
        """How many memories there are, perhaps some that a tombstone names among them."""
        _, answer = await self._client.call("GET", f"/{ALIAS}/_count?routing={self._user}", {"query": self._mine})
        return _Count.model_validate_json(answer).count

    async def places(self, memory_ids: Collection[UUID]) -> dict[UUID, Place]:
        """Where those of the person's memories are that have one of the ids: as they are, not as searches find them."""
        path = f"/{ALIAS}/_mget?routing={self._user}&_source_includes=user_id"
        _, answer = await self._client.call("GET", path, {"ids": [str(each) for each in memory_ids]})
        places = _Places.model_validate_json(answer).docs
        return {place.memory_id: place for place in places if place.found and place.source.user_id == self._user_id}

    async def create(self, documents: Iterable[tuple[UUID, Json]]) -> None:
        """Store what is not there yet, and return when searches find it."""
        await self._client.create(ALIAS, self._user, {str(memory_id): each for memory_id, each in documents})

    async def replace(self, documents: Iterable[tuple[Place, Json]]) -> None:
        """Store each in its place, unless that has changed."""
        operations: list[Operation] = [
            ({"index": {"_id": str(place.memory_id), "routing": self._user, **place.still()}}, each)
            for place, each in documents
        ]
        await self._client.bulk(ALIAS, operations, also=(HTTPStatus.CONFLICT,))

    async def remove(self, memory_ids: Collection[UUID]) -> None:
        """Delete memories."""
        operations: Sequence[Operation] = [
            ({"delete": {"_id": str(each), "routing": self._user}}, None) for each in memory_ids
        ]
        await self._client.bulk(ALIAS, operations, also=(HTTPStatus.NOT_FOUND,))

    async def empty(self, place: Place) -> bool:
        """Leave in a memory's place that something was there, for good; whether it had not changed before.

        Returns when no search finds it any more.
        """
        conditions = "&".join(f"{name}={value}" for name, value in place.unchanged().items())
        path = f"/{place.index}/_doc/{place.memory_id}?routing={self._user}&refresh=wait_for&{conditions}"
        status, _ = await self._client.call("PUT", path, {"forgotten_of": self._user}, also=(HTTPStatus.CONFLICT,))
        return status != HTTPStatus.CONFLICT

    async def forgotten(self) -> set[UUID]:
        """What was forgotten: the person's id, or ids of their conversations."""
        return (await self._read_tombstone()).ids.forgotten

    async def bury(self) -> None:
        """Write that the person is forgotten."""
        # Whatever conversations it named before: it now covers them.
        await self._client.call("PUT", f"{self._tombstone}&require_alias=true", {"forgotten": [self._user]})

    async def bury_conversation(self, conversation_id: UUID) -> bool:
        """Write that a conversation is forgotten; whether that was possible before another changed the tombstone."""
        tombstone = await self._read_tombstone()
        if not tombstone.ids.forgotten.isdisjoint((self._user_id, conversation_id)):
            return True
        if tombstone.found:
            unchanged = f"if_seq_no={tombstone.sequence_number}&if_primary_term={tombstone.primary_term}"
            path = f"{self._tombstone_in(tombstone.index)}&{unchanged}"
        else:
            path = f"{self._tombstone}&require_alias=true&op_type=create"
        ids = [str(identifier) for identifier in (*tombstone.ids.forgotten, conversation_id)]
        status, _ = await self._client.call("PUT", path, {"forgotten": ids}, also=(HTTPStatus.CONFLICT,))
        return status != HTTPStatus.CONFLICT

    async def delete(self, conversation_id: UUID | None = None) -> None:
        """Delete all that was stored before this call, of one conversation or altogether."""
        if conversation_id:
            query: Query = {"bool": {"filter": [self._mine, {"term": {"conversation_id": str(conversation_id)}}]}}
        else:
            query = {"bool": {"should": [self._mine, {"term": {"forgotten_of": self._user}}]}}
        while await self._delete(query):
            pass  # some were replaced between being found and being deleted

    async def refresh(self) -> None:
        """Have searches find all that was stored before this call."""
        _, answer = await self._client.call("POST", f"/{ALIAS}/_refresh")
        if _Refreshed.model_validate_json(answer).shards.failed:
            raise StoreUnavailable

    async def _delete(self, query: Query) -> int:
        """Delete what ``query`` finds; how many were changed by somebody else meanwhile, or deleted."""
        await self.refresh()
        body = {"conflicts": "proceed", "query": query}
        _, answer = await self._client.call("POST", f"/{ALIAS}/_delete_by_query", body)
        done = _Deleted.model_validate_json(answer)
        if done.timed_out or done.failures:
            raise StoreUnavailable
        return done.version_conflicts

    async def _read_tombstone(self) -> _Tombstone:
        _, answer = await self._client.call("GET", self._tombstone, also=(HTTPStatus.NOT_FOUND,))
        return _Tombstone.model_validate_json(answer)

    @property
    def _mine(self) -> Query:
        return {"term": {"user_id": self._user}}

    @property
    def _tombstone_id(self) -> str:
        return f"forgotten-{self._user}"

    @property
    def _tombstone(self) -> str:
        return self._tombstone_in(ALIAS)

    def _tombstone_in(self, index: str) -> str:
        return f"/{index}/_doc/{self._tombstone_id}?routing={self._user}"
