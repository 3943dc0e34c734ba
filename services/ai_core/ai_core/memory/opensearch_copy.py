"""One index made the same as another: what is missing or older is copied, what the other has no more is deleted.

The server's own ``_reindex`` copies what documents have as text, and memories have their cells in columns alone
(``opensearch_index``). It is also started by a POST with URL parameters, which the domain ignores.

A document's version in the copy is where it stood in the history of the original, so two looks tell what changed.
"""

import asyncio
import itertools
import math
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from chassis.logs import log
from pydantic import BaseModel, Field, TypeAdapter

from ai_core.memory.opensearch_client import BATCH, Json, OpenSearchClient, Operation, StoreUnavailable

PART = 20_000
"""Documents that are compared at a time, on average."""
_PAGE = 5_000
_OWNERS = ("user_id", "forgotten_of")
_KEEP = "1m"
_LOOKS = 3
_TELL_SECONDS = 10

Query = dict[str, Any]
_HISTORY: Query = {"version": True, "seq_no_primary_term": True}


class _Hit(BaseModel):
    name: str = Field(alias="_id")
    routing: str = Field(alias="_routing")
    version: int = Field(alias="_version")
    sequence_number: int = Field(alias="_seq_no")
    primary_term: int = Field(alias="_primary_term")
    source: dict[str, Any] = Field(default={}, alias="_source")
    fields: dict[str, list[Any]] = {}

    def moment(self) -> int:
        """Where this document stands in the history of its shard: greater after each change, whatever fails over."""
        return self.primary_term << 40 | self.sequence_number


class _Total(BaseModel):
    value: int


class _Hits(BaseModel):
    total: _Total
    hits: list[_Hit]


class _Shards(BaseModel):
    failed: int


class _Page(BaseModel):
    scroll: str = Field(default="", alias="_scroll_id")
    shards: _Shards = Field(alias="_shards")
    hits: _Hits


class _Refreshed(BaseModel):
    shards: _Shards = Field(alias="_shards")


class _Count(BaseModel):
    count: int


class _Field(BaseModel):
    type: str = "object"


class _Excluded(BaseModel):
    excludes: list[str] = []


class _Mappings(BaseModel):
    source: _Excluded = Field(default=_Excluded(), alias="_source")
    properties: dict[str, _Field] = {}


class _Mapped(BaseModel):
    mappings: _Mappings


_ANSWERED = TypeAdapter(dict[str, _Mapped])


class Copy:
    """Makes ``new`` the same as ``old``.

    Args:
        client: Reaches both.
        old: Name of an index; only read.
        new: Name of another.
        writable: An alias of ``new``: while it is there, this may write.
    """

    def __init__(self, client: OpenSearchClient, *, old: str, new: str, writable: str) -> None:
        self._client = client
        self._old = old
        self._new = new
        self._writable = writable

    async def run(self, *, gently: bool) -> int:
        """Compare all and copy what differs; how many documents that were.

        Args:
            gently: Rest for as long as each batch took, so that searches have at least half of the server.

        Raises:
            StoreUnavailable: OpenSearch does not answer, or the server could not read everything.
            Refused: a document does not fit into the new index, or this may not write any more.
        """
        for index in (self._old, self._new):
            await self._refresh(index)
        columns = await self._columns()
        total, seen, changed, told = await self.count(self._old), 0, 0, time.monotonic()
        for part in _parts(total):
            old, new = await self._look(self._old, part), await self._look(self._new, part)
            copies = [name for name, hit in old.items() if name not in new or new[name].version != hit.moment()]
            await self._copy(copies, columns, gently=gently)
            gone = [hit for name, hit in new.items() if name not in old]
            await self._delete(gone)
            seen, changed = seen + len(old), changed + len(copies) + len(gone)
            if time.monotonic() > told + _TELL_SECONDS:
                told = time.monotonic()
                log("memory.index_filling", documents=seen, of=total, changed=changed)
        log("memory.index_filled", documents=seen, changed=changed)
        return changed

    async def same_count(self) -> bool:
        """Whether both have as many documents, once searches see all of the new one."""
        await self._refresh(self._new)
        return await self.count(self._old) == await self.count(self._new)

    async def count(self, index: str) -> int:
        """How many documents searches see."""
        _, answer = await self._client.call("GET", f"/{index}/_count")
        return _Count.model_validate_json(answer).count

    async def _refresh(self, index: str) -> None:
        _, answer = await self._client.call("POST", f"/{index}/_refresh")
        if _Refreshed.model_validate_json(answer).shards.failed:
            raise StoreUnavailable

    async def _columns(self) -> Query:
        """What asks for all that documents of the old index do not have as text."""
        _, answer = await self._client.call("GET", f"/{self._old}/_mapping")
        mappings = _ANSWERED.validate_json(answer)[self._old].mappings
        vectors = {name for name, field in mappings.properties.items() if field.type == "knn_vector"}
        excluded = mappings.source.excludes
        script = "def v = doc[params.name]; return v.size() == 0 ? null : v.value"
        return {
            "docvalue_fields": [name for name in excluded if name not in vectors],
            # A vector in a column is read by a script alone, up to OpenSearch 3.6.
            "script_fields": {
                name: {"script": {"source": script, "params": {"name": name}}} for name in excluded if name in vectors
            },
        }

    async def _look(self, index: str, part: Query) -> dict[str, _Hit]:
        """All documents of ``part`` by id, without what they say."""
        for _ in range(_LOOKS):
            found: dict[str, _Hit] = {}
            total = 0
            async for page in self._pages(index, part):
                total = page.hits.total.value
                found |= {hit.name: hit for hit in page.hits.hits}
            # A page that was lost on its way does not come again.
            if len(found) == total:
                return found
        raise StoreUnavailable

    async def _pages(self, index: str, part: Query) -> AsyncIterator[_Page]:
        request = {
            "query": part,
            "size": _PAGE,
            "sort": ["_doc"],
            "_source": False,
            "track_total_hits": True,
        } | _HISTORY
        path = f"/{index}/_search?scroll={_KEEP}&allow_partial_search_results=false"
        _, answer = await self._client.call("GET", path, request)
        page = _Page.model_validate_json(answer)
        try:
            while page.hits.hits:
                if page.shards.failed:
                    raise StoreUnavailable
                yield page
                more = {"scroll": _KEEP, "scroll_id": page.scroll}
                _, answer = await self._client.call("POST", "/_search/scroll", more, attempts=1)
                page = _Page.model_validate_json(answer)
        finally:
            # One that is not given back ends by itself.
            await self._client.call(
                "DELETE", "/_search/scroll", {"scroll_id": page.scroll}, also=(HTTPStatus.NOT_FOUND,)
            )

    async def _copy(self, names: Sequence[str], columns: Query, *, gently: bool) -> None:
        for batch in (names[start : start + BATCH] for start in range(0, len(names), BATCH)):
            begun = time.monotonic()
            request = {"query": {"ids": {"values": batch}}, "size": len(batch), "_source": True} | _HISTORY | columns
            path = f"/{self._old}/_search?allow_partial_search_results=false"
            _, answer = await self._client.call("GET", path, request)
            hits = _Page.model_validate_json(answer).hits.hits
            await self._client.bulk(self._writable, [_copied(hit) for hit in hits], seen=False)
            if gently:
                await asyncio.sleep(time.monotonic() - begun)

    async def _delete(self, gone: Sequence[_Hit]) -> None:
        operations: list[Operation] = [({"delete": {"_id": hit.name, "routing": hit.routing}}, None) for hit in gone]
        await self._client.bulk(self._writable, operations, also=(HTTPStatus.NOT_FOUND,), seen=False)


def _parts(total: int) -> Iterator[Query]:
    """Queries that find each document once: people by how their ids begin, and what belongs to nobody by field."""
    digits = max(0, math.ceil(math.log(max(total, 1) / PART, 16)))
    for letters in itertools.product("0123456789abcdef", repeat=digits):
        yield {"bool": {"should": [{"prefix": {field: "".join(letters)}} for field in _OWNERS]}}
    yield {"bool": {"must_not": [{"exists": {"field": field}} for field in _OWNERS]}}


def _copied(hit: _Hit) -> Operation:
    said = hit.source | {name: _written(values[0]) for name, values in hit.fields.items() if values[0] is not None}
    where: Json = {"_id": hit.name, "routing": hit.routing, "version": hit.moment(), "version_type": "external_gte"}
    return {"index": where}, said


def _written(value: object) -> object:
    """What a column says, as it is to be said to the server: base64 with the padding that it leaves out itself."""
    return value + "=" * (-len(value) % 4) if isinstance(value, str) else value
