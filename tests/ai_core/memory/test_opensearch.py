"""What the store in OpenSearch promises beyond the contract, on the real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import numpy as np
import pytest
from ai_core.memory import opensearch_client, opensearch_index, opensearch_person
from ai_core.memory.embedder import DIMENSIONS, Embedding
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import ATTEMPTS, OpenSearchClient, Refused, StoreUnavailable
from ai_core.memory.opensearch_index import ALIAS, INDEX, MAPPINGS, prepare
from ai_core.memory.records import sealed
from ai_core.memory.store import Forgotten, Record
from aiohttp import web
from chassis.signing import Signer

from tests.ai_core.conftest import REFRESH_INTERVAL
from tests.ai_core.memory.conftest import Somebody, hits, somebody
from tests.support.opensearch_domain import Domain, Script, answering, breaking_off, passing

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("OpenSearch by itself")]
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


def record(person: Somebody, content: str = "zymurgy") -> Record:
    return sealed(person.key, person.said(content), VECTOR, in_the_clear=True)


@pytest.mark.parametrize("whole_person", [True, False])
async def test_a_write_that_is_overtaken_by_forgetting_leaves_nothing(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient, whole_person: bool
) -> None:
    """The race decided by hand: all is forgotten between the first look for a tombstone and the write."""
    person, forgetful = somebody(), OpenSearchStore(other)

    async def forgetting(_: web.Request) -> None:
        if whole_person:
            await forgetful.forget_user(person.user_id)
        else:
            await forgetful.forget_conversation(person.user_id, person.conversation_id)

    domain.scripts = [passing, forgetting]
    with pytest.raises(Forgotten):
        await OpenSearchStore(client).remember(person.user_id, person.conversation_id, [record(person)])
    assert [target.partition("?")[0] for _, target, _ in domain.requests[1:2]] == [f"/{ALIAS}/_bulk"]
    assert await hits(other, person.user_id) == []


async def test_what_a_crash_leaves_behind_is_never_read_and_goes_with_the_next_try(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, and the writer cannot look for the tombstone after its write."""
    monkeypatch.setattr(opensearch_client, "_pause", no_pause)
    person, store, forgetful = somebody(), OpenSearchStore(client), OpenSearchStore(other)
    user, late = person.user_id, record(person)

    async def forgetting(_: web.Request) -> None:
        await forgetful.forget_conversation(user, person.conversation_id)

    domain.scripts = [passing, forgetting, *[breaking_off] * ATTEMPTS * 2]  # aiohttp tries a broken GET twice
    with pytest.raises(StoreUnavailable):
        await store.remember(user, person.conversation_id, [late])
    assert len(await hits(other, user)) == 1
    assert await forgetful.nearest(user, VECTOR, 8) == []
    assert await forgetful.vectors(user) == []
    assert await forgetful.read(user, [late.memory_id]) == []
    assert await forgetful.page(user, 10, None) == []
    domain.scripts = []
    with pytest.raises(Forgotten):
        await store.remember(user, person.conversation_id, [late])
    assert await hits(other, user) == []


async def test_what_is_replaced_while_it_is_being_deleted_is_deleted_all_the_same(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient
) -> None:
    """The race decided by hand: the deletion has found the document, and it is another one when it is to go."""
    person, store, renewing = somebody(), OpenSearchStore(client), OpenSearchStore(other)
    user, old = person.user_id, record(person)
    await store.remember(user, person.conversation_id, [old])

    async def replaced_meanwhile(_: web.Request) -> web.Response:
        await renewing.replace(user, [record_again(person, old)])
        return web.json_response({"timed_out": False, "failures": [], "version_conflicts": 1, "deleted": 0})

    domain.scripts = [passing, passing, passing, replaced_meanwhile]  # the tombstone twice, and the refresh
    await store.forget_conversation(user, person.conversation_id)
    assert await hits(other, user) == []


def record_again(person: Somebody, old: Record) -> Record:
    """The same memory in another form."""
    return replace(record(person), memory_id=old.memory_id, message_id=old.message_id)


async def test_what_is_forgotten_while_it_is_being_replaced_stays_away(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient
) -> None:
    """The race decided by hand: one is forgotten and one trimmed between being found and being written."""
    person, store, forgetful = somebody(), OpenSearchStore(client), OpenSearchStore(other)
    user, records = person.user_id, [record(person) for _ in range(2)]
    await store.remember(user, person.conversation_id, records)

    async def forgetting(_: web.Request) -> None:
        assert await forgetful.forget(user, records[0].memory_id)
        assert await forgetful.trim(user, 0) == 1

    domain.scripts = [passing, forgetting]
    await store.replace(user, [record_again(person, old) for old in records])
    assert await store.page(user, 10, None) == []
    (left,) = await hits(other, user)
    assert left["_source"] == {"forgotten_of": str(user)}


async def test_one_memory_is_forgotten_although_the_answer_is_lost(
    domain: Domain, client: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch_client, "_pause", no_pause)
    person, store = somebody(), OpenSearchStore(client)
    await store.remember(person.user_id, person.conversation_id, [kept := record(person)])

    async def losing_the_answer(request: web.Request) -> web.StreamResponse:
        path = request.raw_path
        await client.call("PUT", path, json.loads(await request.read()))
        return await breaking_off(request)

    domain.scripts = [passing, losing_the_answer, passing]
    assert await store.forget(person.user_id, kept.memory_id)
    assert await store.page(person.user_id, 10, None) == []
    assert not await store.forget(person.user_id, kept.memory_id)


async def test_of_a_bulk_that_is_done_in_part_no_memory_is_lost_and_none_is_there_twice(
    domain: Domain, client: OpenSearchClient, other: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the documents are stored, and the others get a 429: once, and then until the call gives up."""
    monkeypatch.setattr(opensearch_client, "_pause", no_pause)
    person, store = somebody(), OpenSearchStore(client)
    records = [record(person) for _ in range(4)]

    async def storing_half(_: web.Request) -> web.Response:
        await OpenSearchStore(other).remember(person.user_id, person.conversation_id, records[:2])
        return web.json_response({"items": [{"create": {"status": status}} for status in (201, 201, 429, 429)]})

    domain.scripts = [passing, storing_half, *[answering_each(429)] * (ATTEMPTS - 1)]
    with pytest.raises(StoreUnavailable):
        await store.remember(person.user_id, person.conversation_id, records)
    domain.scripts = [passing, storing_half]
    await store.remember(person.user_id, person.conversation_id, records)
    expected = sorted(records, key=lambda each: each.memory_id)
    assert await store.page(person.user_id, 10, None) == expected


def answering_each(status: int) -> Script:
    """Says ``status`` of every document of a bulk request."""

    async def script(request: web.Request) -> web.Response:
        documents = len((await request.read()).splitlines()) // 2
        return web.json_response({"items": [{"create": {"status": status}}] * documents})

    return script


async def test_a_server_that_has_too_much_to_do_is_asked_again(
    domain: Domain, client: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch_client, "_pause", no_pause)
    person, store = somebody(), OpenSearchStore(client)
    domain.scripts = [answering(429), passing, answering(429), passing, answering(503)]
    await store.remember(person.user_id, person.conversation_id, [kept := record(person)])
    domain.scripts = [answering(429)]
    assert await store.vectors(person.user_id) == [(kept.memory_id, kept.vector)]
    domain.scripts = [answering(429)] * ATTEMPTS
    with pytest.raises(StoreUnavailable):
        await store.vectors(person.user_id)


async def test_more_than_one_search_gives_are_all_found_once(
    client: OpenSearchClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch_person, "MOST_HITS", 3)
    person, store = somebody(), OpenSearchStore(client)
    for count in (3, 7):
        records = [record(person) for _ in range(count)]
        await store.remember(person.user_id, person.conversation_id, records)
        found = await store.vectors(person.user_id)
        assert {each.memory_id for each in records} <= {memory_id for memory_id, _ in found}
        assert len({memory_id for memory_id, _ in found}) == len(found)
    assert len(found) == 10
    assert await store.embedded(person.user_id) == {memory_id for memory_id, _ in found}


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
    person, store = somebody(), OpenSearchStore(client)
    await store.remember(person.user_id, person.conversation_id, [record(person)])
    (hit,) = await hits(client, person.user_id)
    await set_refresh_interval(client, "-1")
    try:
        await client.call("PUT", f"/{ALIAS}/_doc/{uuid4()}?routing={person.user_id}", hit["_source"])
        await store.forget_conversation(person.user_id, person.conversation_id)
        assert await hits(client, person.user_id) == []
    finally:
        await set_refresh_interval(client, REFRESH_INTERVAL)


async def test_conversations_forgotten_at_once_are_all_forgotten(client: OpenSearchClient) -> None:
    person, store, conversations = somebody(), OpenSearchStore(client), [uuid4() for _ in range(5)]
    await asyncio.gather(*(store.forget_conversation(person.user_id, each) for each in conversations))
    for conversation in conversations:
        with pytest.raises(Forgotten):
            await store.remember(person.user_id, conversation, [])


async def test_a_person_stays_forgotten_whatever_is_forgotten_later(client: OpenSearchClient) -> None:
    store, user = OpenSearchStore(client), uuid4()
    await store.forget_conversation(user, uuid4())
    await store.forget_user(user)
    await store.forget_conversation(user, uuid4())
    with pytest.raises(Forgotten):
        await store.remember(user, uuid4(), [])


async def test_no_cell_and_no_vector_is_in_the_text_of_a_document(client: OpenSearchClient) -> None:
    """Searches read them out of columns; as text they would be stored and read twice."""
    person, store = somebody(), OpenSearchStore(client)
    await store.remember(person.user_id, person.conversation_id, [record(person)])
    (hit,) = await hits(client, person.user_id)
    columns = {"content", "vector", "embedding"}
    assert hit["_source"].keys() == MAPPINGS["properties"].keys() - columns - {"forgotten", "forgotten_of"}


async def test_every_time_is_kept_to_the_microsecond(client: OpenSearchClient) -> None:
    person, store = somebody(), OpenSearchStore(client)
    times = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1969, 7, 20, 20, 17, 40, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 0, 999_998, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ]
    kept = [replace(record(person), created_at=time) for time in times]
    await store.remember(person.user_id, person.conversation_id, kept[::-1])
    for number, expected in enumerate(kept):
        before = kept[number - 1] if number else None
        page = await store.page(person.user_id, 1, (before.created_at, before.memory_id) if before else None)
        assert page == [expected]


async def test_a_vector_of_another_model_is_refused_without_showing_words(client: OpenSearchClient) -> None:
    person, store = somebody(), OpenSearchStore(client)
    odd = replace(record(person), embedding=np.ones(3, dtype=np.float32))
    with pytest.raises(Refused) as refused:
        await store.remember(person.user_id, person.conversation_id, [odd])
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
