"""What the store in OpenSearch promises beyond the contract, on the real server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from ai_core.memory import opensearch_client, opensearch_index
from ai_core.memory.embedder import DIMENSIONS, Embedding
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import ATTEMPTS, OpenSearchClient, Refused, StoreUnavailable
from ai_core.memory.opensearch_index import ALIAS, INDEX, MAPPINGS, prepare
from ai_core.memory.store import Forgotten, Memory, memory_id
from aiohttp import web
from chassis.signing import Signer

from tests.ai_core.conftest import REFRESH_INTERVAL
from tests.support.opensearch_domain import Domain, Script, answering, breaking_off, passing

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("opensearch")]
VECTOR: Embedding = np.full(DIMENSIONS, DIMENSIONS**-0.5, dtype=np.float32)


@pytest.fixture
async def domain(opensearch_server: str) -> AsyncIterator[Domain]:
    async with Domain(opensearch_server) as domain:
        yield domain


@pytest.fixture
async def client(domain: Domain, signer: Signer) -> AsyncIterator[OpenSearchClient]:
    client = OpenSearchClient(domain.url, signer)
    yield client
    await client.close()


@pytest.fixture
async def other(opensearch_server: str, signer: Signer) -> AsyncIterator[OpenSearchClient]:
    """Another task's connection."""
    client = OpenSearchClient(opensearch_server, signer)
    yield client
    await client.close()


def memory(user: UUID, conversation: UUID, content: str = "zymurgy", created_at: datetime | None = None) -> Memory:
    message = uuid4()
    return Memory(
        memory_id=memory_id(user, message, 0),
        conversation_id=conversation,
        message_id=message,
        sender="user",
        content=content,
        created_at=created_at or datetime.now(UTC),
    )


async def hits(client: OpenSearchClient, user: UUID) -> list[dict[str, Any]]:
    """All that is stored of a person, whatever was forgotten."""
    await client.call("POST", f"/{ALIAS}/_refresh")
    query = {"query": {"term": {"user_id": str(user)}}}
    _, answer = await client.call("GET", f"/{ALIAS}/_search?routing={user}", query)
    return json.loads(answer)["hits"]["hits"]


@pytest.mark.parametrize("whole_person", [True, False])
async def test_a_write_that_is_overtaken_by_forgetting_leaves_nothing(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient, whole_person: bool
) -> None:
    """The race decided by hand: all is forgotten between the first look for a tombstone and the write."""
    user, conversation = uuid4(), uuid4()
    forgetful = OpenSearchStore(other)

    async def forgetting(_: web.Request) -> None:
        await (forgetful.forget_user(user) if whole_person else forgetful.forget_conversation(user, conversation))

    domain.scripts = [passing, forgetting]
    with pytest.raises(Forgotten):
        await OpenSearchStore(client).remember(user, conversation, [memory(user, conversation)], [VECTOR])
    assert [target.partition("?")[0] for _, target, _ in domain.requests[1:2]] == [f"/{ALIAS}/_bulk"]
    assert await hits(other, user) == []


async def test_what_a_crash_leaves_behind_is_never_read_and_goes_with_the_next_try(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, and the writer cannot look for the tombstone after its write."""
    monkeypatch.setattr(opensearch_client, "_pause", no_pause)
    user, conversation = uuid4(), uuid4()
    late, store, forgetful = memory(user, conversation), OpenSearchStore(client), OpenSearchStore(other)

    async def forgetting(_: web.Request) -> None:
        await forgetful.forget_conversation(user, conversation)

    domain.scripts = [passing, forgetting, *[breaking_off] * ATTEMPTS * 2]  # aiohttp tries a broken GET twice
    with pytest.raises(StoreUnavailable):
        await store.remember(user, conversation, [late], [VECTOR])
    assert len(await hits(other, user)) == 1
    assert await forgetful.search(user, VECTOR) == []
    assert await forgetful.page(user, 10, None) == []
    domain.scripts = []
    with pytest.raises(Forgotten):
        await store.remember(user, conversation, [late], [VECTOR])
    assert await hits(other, user) == []


@pytest.mark.parametrize(
    "scripts",
    [
        [passing, answering(200, {"_shards": {"failed": 1}})],
        [passing, passing, answering(200, {"timed_out": True, "failures": []})],
        [passing, passing, answering(200, {"timed_out": False, "failures": [{"status": 500}]})],
    ],
    ids=["not refreshed", "not in time", "not all"],
)
async def test_a_deletion_that_is_not_whole_is_not_taken_for_one(
    domain: Domain, client: OpenSearchClient, scripts: list[Script]
) -> None:
    domain.scripts = list(scripts)
    with pytest.raises(StoreUnavailable):
        await OpenSearchStore(client).forget_user(uuid4())


async def set_refresh_interval(client: OpenSearchClient, interval: str) -> None:
    await client.call("PUT", f"/{ALIAS}/_settings", {"index": {"refresh_interval": interval}})


async def no_pause(_: int) -> None:
    pass


async def test_forgetting_deletes_what_no_search_finds_yet(client: OpenSearchClient) -> None:
    store, user, conversation = OpenSearchStore(client), uuid4(), uuid4()
    await store.remember(user, conversation, [memory(user, conversation)], [VECTOR])
    (hit,) = await hits(client, user)
    await set_refresh_interval(client, "-1")
    try:
        await client.call("PUT", f"/{ALIAS}/_doc/{uuid4()}?routing={user}", hit["_source"])
        await store.forget_conversation(user, conversation)
        assert await hits(client, user) == []
    finally:
        await set_refresh_interval(client, REFRESH_INTERVAL)


async def test_conversations_forgotten_at_once_are_all_forgotten(client: OpenSearchClient) -> None:
    store, user, conversations = OpenSearchStore(client), uuid4(), [uuid4() for _ in range(5)]
    await asyncio.gather(*(store.forget_conversation(user, conversation) for conversation in conversations))
    for conversation in conversations:
        with pytest.raises(Forgotten):
            await store.remember(user, conversation, [memory(user, conversation)], [VECTOR])


async def test_a_person_stays_forgotten_whatever_is_forgotten_later(client: OpenSearchClient) -> None:
    store, user = OpenSearchStore(client), uuid4()
    await store.forget_conversation(user, uuid4())
    await store.forget_user(user)
    await store.forget_conversation(user, uuid4())
    with pytest.raises(Forgotten):
        await store.remember(user, uuid4(), [], [])


async def test_content_is_stored_with_the_byte_that_says_how_and_no_vector_is_read(client: OpenSearchClient) -> None:
    store, user, conversation = OpenSearchStore(client), uuid4(), uuid4()
    await store.remember(user, conversation, [memory(user, conversation, "Käse")], [VECTOR])
    (hit,) = await hits(client, user)
    assert base64.b64decode(hit["_source"]["content"]) == b"\x00" + "Käse".encode()
    assert hit["_source"].keys() == MAPPINGS["properties"].keys() - {"embedding", "forgotten"}
    changed = {**hit["_source"], "content": base64.b64encode(b"\x02ff").decode()}
    await client.call("PUT", f"/{ALIAS}/_doc/{hit['_id']}?routing={user}&refresh=true", changed)
    with pytest.raises(ValueError, match="unknown kind"):
        await store.page(user, 1, None)


async def test_every_time_is_kept_to_the_microsecond(client: OpenSearchClient) -> None:
    store, user, conversation = OpenSearchStore(client), uuid4(), uuid4()
    times = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 7, 20, 20, 17, 40, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 0, 999_998, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ]
    kept = [memory(user, conversation, created_at=time) for time in times]
    await store.remember(user, conversation, kept[::-1], [VECTOR] * len(kept))
    for number, expected in enumerate(kept):
        before = kept[number - 1] if number else None
        page = await store.page(user, 1, (before.created_at, before.memory_id) if before else None)
        assert page == [expected]


async def test_a_vector_of_another_model_is_refused_without_showing_words(client: OpenSearchClient) -> None:
    store, user, conversation = OpenSearchStore(client), uuid4(), uuid4()
    with pytest.raises(Refused) as refused:
        await store.remember(user, conversation, [memory(user, conversation)], [np.ones(3, dtype=np.float32)])
    assert "zymurgy" not in repr(refused.value)


async def test_nothing_is_written_where_the_task_has_made_no_index(client: OpenSearchClient) -> None:
    """OpenSearch would make one by itself, which tells nobody's words from another's."""
    with pytest.raises(Refused):
        await client.create("nowhere", "a person", {"1": {"content": "zymurgy"}})
    status, _ = await client.call("GET", "/nowhere", also=(404,))
    assert status == 404


async def test_the_index_is_made_once_and_kept(client: OpenSearchClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opensearch_index, "ALIAS", "others")
    monkeypatch.setattr(opensearch_index, "INDEX", "others-v1")
    await asyncio.gather(*(prepare(client) for _ in range(4)))
    await client.create("others", "a person", {"1": {"sender": "user"}})
    await prepare(client)
    _, answer = await client.call("GET", "/_alias/others")
    assert json.loads(answer).keys() == {"others-v1"}
    status, _ = await client.call("GET", "/others/_doc/1?routing=a%20person", also=(404,))
    assert status == 200


async def test_a_new_field_is_added_and_a_changed_one_refused(
    client: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch_index, "ALIAS", "grown")
    monkeypatch.setattr(opensearch_index, "INDEX", "grown-v1")
    await prepare(client)
    fields = {**MAPPINGS["properties"], "language": {"type": "keyword"}}
    monkeypatch.setattr(opensearch_index, "MAPPINGS", {**MAPPINGS, "properties": fields})
    await prepare(client)
    _, answer = await client.call("GET", "/grown/_mapping")
    assert json.loads(answer)["grown-v1"]["mappings"]["properties"].keys() == fields.keys()
    changed = {**fields, "sender": {"type": "long"}}
    monkeypatch.setattr(opensearch_index, "MAPPINGS", {**MAPPINGS, "properties": changed})
    with pytest.raises(Refused):
        await prepare(client)


async def test_the_index_has_the_version_s_name(client: OpenSearchClient) -> None:
    _, answer = await client.call("GET", f"/_alias/{ALIAS}")
    assert json.loads(answer).keys() == {INDEX}
