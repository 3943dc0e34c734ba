"""What every memory store promises (``ai_core.memory.store.MemoryStore``)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
from ai_core.memory.embedder import DIMENSIONS, Embedder, Embedding
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import OpenSearchClient
from ai_core.memory.pgvector import PgvectorStore
from ai_core.memory.store import NEAREST, Forgotten, Memory, MemoryStore, memory_id
from ai_core.settings import DatabaseSettings
from chassis.signing import Signer

from tests.support.opensearch_domain import Domain

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(
    params=[
        pytest.param("database", id="pgvector"),
        pytest.param("opensearch_server", id="opensearch", marks=pytest.mark.xdist_group("opensearch")),
    ]
)
def server(request: pytest.FixtureRequest) -> DatabaseSettings | str:
    """What the store stands on, started here, outside of the event loop."""
    return request.getfixturevalue(request.param)


@pytest.fixture
async def store(server: DatabaseSettings | str, signer: Signer) -> AsyncIterator[MemoryStore]:
    async with AsyncExitStack() as stack:
        if isinstance(server, str):
            domain = await stack.enter_async_context(Domain(server))
            store = OpenSearchStore(OpenSearchClient(domain.url, signer))
        else:
            store = PgvectorStore(server)
        stack.push_async_callback(store.close)
        yield store


def memory(user: UUID, conversation: UUID, content: str = "words", *, minute: int = 0, passage: int = 0) -> Memory:
    message = uuid4()
    return Memory(
        memory_id=memory_id(user, message, passage),
        conversation_id=conversation,
        message_id=message,
        sender="user",
        content=content,
        created_at=NOON + timedelta(minutes=minute),
    )


def vector(*coordinates: float) -> Embedding:
    """A vector of length 1 in the first few dimensions."""
    long = np.zeros(DIMENSIONS, dtype=np.float32)
    long[: len(coordinates)] = coordinates
    return long / np.float32(np.linalg.norm(long))


async def test_what_is_remembered_is_found_as_it_was(store: MemoryStore) -> None:
    user, conversation = uuid4(), uuid4()
    kept = memory(user, conversation, "Grüße 👋🏽 \u202e\n and 'quotes' \\ %s")
    await store.remember(user, conversation, [kept], [vector(1)])
    assert await store.search(user, vector(1)) == [kept]


async def test_meaning_finds_other_words(store: MemoryStore, embedder: Embedder) -> None:
    user, conversation = uuid4(), uuid4()
    said = ["I was laid off from my nursing job in March.", "I love hiking.", "I want to become a data engineer."]
    kept = [memory(user, conversation, content) for content in said]
    await store.remember(user, conversation, kept, await embedder.embed(said))
    (question,) = await embedder.embed(["How do I tell them that I lost my work at the hospital?"])
    assert [found.content for found in await store.search(user, question)] == said[:1]


async def test_nobody_finds_what_another_said(store: MemoryStore) -> None:
    alice, mallory, conversation = uuid4(), uuid4(), uuid4()
    kept = memory(alice, conversation)
    await store.remember(alice, conversation, [kept], [vector(1)])
    assert await store.search(mallory, vector(1)) == []
    assert await store.page(mallory, 10, None) == []
    await store.forget_conversation(mallory, conversation)
    await store.forget_user(mallory)
    assert await store.page(alice, 10, None) == [kept]


async def test_a_search_is_exact_among_other_people(store: MemoryStore) -> None:
    """Nearer memories of others never push out one's own: the trap of an approximate index with a filter."""
    random = np.random.default_rng(7)
    question = vector(1)
    for _ in range(20):
        other, conversation = uuid4(), uuid4()
        kept = [memory(other, conversation) for _ in range(20)]
        await store.remember(other, conversation, kept, [question for _ in kept])
    user, conversation = uuid4(), uuid4()
    near = [vector(1, float(distance)) for distance in random.permutation(np.linspace(0.1, 1.5, 30))]
    kept = [memory(user, conversation) for _ in near]
    await store.remember(user, conversation, kept, near)
    order = sorted(range(len(near)), key=lambda i: -float(near[i] @ question))
    assert await store.search(user, question) == [kept[i] for i in order[:NEAREST]]


async def test_what_has_nothing_to_do_with_the_question_is_not_found(store: MemoryStore) -> None:
    user, conversation = uuid4(), uuid4()
    await store.remember(user, conversation, [memory(user, conversation)], [vector(0.1, 1)])
    assert await store.search(user, vector(1)) == []


async def test_remembering_twice_remembers_once(store: MemoryStore) -> None:
    user, conversation = uuid4(), uuid4()
    first, second = memory(user, conversation, minute=1), memory(user, conversation, minute=2)
    await store.remember(user, conversation, [first], [vector(1)])
    await asyncio.gather(
        *(store.remember(user, conversation, [first, second], [vector(1), vector(1)]) for _ in range(4))
    )
    assert await store.page(user, 10, None) == [first, second]


async def test_nothing_to_remember_is_fine(store: MemoryStore) -> None:
    user = uuid4()
    await store.remember(user, uuid4(), [], [])
    assert await store.page(user, 10, None) == []


async def test_pages_hold_everything_once_in_order(store: MemoryStore) -> None:
    user, conversation = uuid4(), uuid4()
    same_time = [memory(user, conversation, minute=3) for _ in range(5)]
    kept = [memory(user, conversation, minute=m) for m in (5, 1, 2)] + same_time
    await store.remember(user, conversation, kept, [vector(1) for _ in kept])
    read: list[Memory] = []
    while page := await store.page(user, 2, (read[-1].created_at, read[-1].memory_id) if read else None):
        assert len(page) <= 2
        read += page
    assert read == sorted(kept, key=lambda m: (m.created_at, m.memory_id))


async def test_a_forgotten_conversation_is_gone_for_good_and_only_that(store: MemoryStore) -> None:
    user, forgotten, other = uuid4(), uuid4(), uuid4()
    lost, kept = memory(user, forgotten), memory(user, other)
    await store.remember(user, forgotten, [lost], [vector(1)])
    await store.remember(user, other, [kept], [vector(1)])
    for _ in range(2):
        await store.forget_conversation(user, forgotten)
        assert await store.search(user, vector(1)) == [kept]
        assert await store.page(user, 10, None) == [kept]
    with pytest.raises(Forgotten):
        await store.remember(user, forgotten, [lost], [vector(1)])
    assert await store.page(user, 10, None) == [kept]


async def test_a_forgotten_person_is_gone_for_good(store: MemoryStore) -> None:
    user, conversation = uuid4(), uuid4()
    await store.remember(user, conversation, [memory(user, conversation)], [vector(1)])
    for _ in range(2):
        await store.forget_user(user)
        assert await store.page(user, 10, None) == []
    for late in (conversation, uuid4()):
        with pytest.raises(Forgotten):
            await store.remember(user, late, [memory(user, late)], [vector(1)])
    assert await store.page(user, 10, None) == []


async def test_who_was_never_known_can_be_forgotten_beforehand(store: MemoryStore) -> None:
    user, conversation = uuid4(), uuid4()
    await store.forget_conversation(user, conversation)
    with pytest.raises(Forgotten):
        await store.remember(user, conversation, [memory(user, conversation)], [vector(1)])


@pytest.mark.parametrize("whole_person", [True, False])
async def test_remembering_never_outruns_forgetting(store: MemoryStore, *, whole_person: bool) -> None:
    for _ in range(10):
        user, conversation = uuid4(), uuid4()
        forget = store.forget_user(user) if whole_person else store.forget_conversation(user, conversation)
        writes = (store.remember(user, conversation, [memory(user, conversation)], [vector(1)]) for _ in range(6))
        outcomes = await asyncio.gather(*writes, forget, return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, Forgotten) for outcome in outcomes), outcomes
        assert await store.page(user, 10, None) == []


async def test_a_store_that_answers_passes_its_check(store: MemoryStore) -> None:
    await store.check()
