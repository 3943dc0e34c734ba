"""A store by itself, whoever holds which key: what is asked about one person touches nobody else."""

import asyncio
from dataclasses import replace

import pytest
from ai_core.memory.embedder import Embedder
from ai_core.memory.records import sealed
from ai_core.memory.store import MemoryStore, Record

from tests.ai_core.memory.conftest import Somebody, Way, somebody

pytestmark = pytest.mark.anyio
OTHERS = 24
"""So many that some are on the same shard, whatever their ids."""


async def test_a_store_gives_and_changes_nothing_of_anybody_else(
    store: MemoryStore, embedder: Embedder, way: Way
) -> None:
    (vector,) = await embedder.embed(["words"])
    mallory, others = somebody(), [somebody() for _ in range(OTHERS)]

    def record(person: Somebody) -> Record:
        return sealed(person.key, person.said(), vector, in_the_clear=way.search == "knn")

    own, theirs = record(mallory), [record(person) for person in others]
    kept = [(mallory, own), *zip(others, theirs, strict=True)]
    await asyncio.gather(*(store.remember(who.user_id, who.conversation_id, [it]) for who, it in kept))
    me, ids = mallory.user_id, [it.memory_id for _, it in kept]
    found = [own.memory_id] if way.search == "knn" else []
    assert [it for it, _ in await store.vectors(me)] == [own.memory_id]
    assert await store.nearest(me, vector, 2 * OTHERS) == found
    assert await store.embedded(me) == set(found)
    assert await store.read(me, ids) == [own]
    assert await store.page(me, 2 * OTHERS, None) == [own]
    await store.replace(me, [replace(it, content=own.content, vector=own.vector) for it in theirs])
    assert not any([await store.forget(me, it.memory_id) for it in theirs])
    for person in others:
        await store.forget_conversation(me, person.conversation_id)
    assert await store.trim(me, 1) == 0
    assert await store.page(me, 2 * OTHERS, None) == [own]
    await store.forget_user(me)
    assert await store.page(me, 2 * OTHERS, None) == []
    for person, it in zip(others, theirs, strict=True):
        assert await store.page(person.user_id, 2 * OTHERS, None) == [it]
