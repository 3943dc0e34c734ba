"""What an earlier version stored is brought to this version's form, in place: on every store."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from ai_core.memory import renewal
from ai_core.memory.embedder import Embedder
from ai_core.memory.memories import Memories
from ai_core.memory.records import PLAIN, VECTOR, sealed
from ai_core.memory.store import Memory, MemoryStore, Record
from ai_core.memory.vectors import EMBEDDING, pack

from tests.ai_core.memory.conftest import MOST, Raw, Somebody, Way, everything, somebody
from tests.ai_core.memory.test_store_contract import recall, remember

pytestmark = pytest.mark.anyio


async def plainly(raw: Raw, embedder: Embedder, person: Somebody, *said: Memory) -> None:
    """Memories as the first version stored them: words and vectors as they are."""
    vectors = await embedder.embed([memory.content for memory in said])
    for memory, vector in zip(said, vectors, strict=True):
        record = sealed(person.key, memory, vector, in_the_clear=True)
        await raw.put(person.user_id, replace(record, content=PLAIN + memory.content.encode(), vector=None))


async def test_plain_words_are_sealed_and_found_again(
    memories: Memories, store: MemoryStore, raw: Raw, *, embedder: Embedder, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_BATCH", 3)
    person = somebody()
    said = [person.said(f"I was a nurse in zymurgy {n}.", minute=n) for n in range(7)]
    await plainly(raw, embedder, person, *said)
    assert b"zymurgy" in await raw.dump(person.user_id)
    assert await memories.renew(person.key, person.user_id) == 7
    assert b"zymurgy" not in await raw.dump(person.user_id)
    assert await everything(memories, person) == said
    assert said[3] in await recall(memories, person, said[3].content)
    assert await store.embedded(person.user_id) == ({each.memory_id for each in said} if way.search == "knn" else set())
    assert await memories.renew(person.key, person.user_id) == 0


async def test_what_was_broken_off_goes_on(
    memories: Memories, store: MemoryStore, raw: Raw, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_BATCH", 2)
    person = somebody()
    said = [person.said(f"I was a nurse in town {n}.", minute=n) for n in range(6)]
    await plainly(raw, embedder, person, *said)
    replaced = store.replace
    calls = 0

    async def breaking(user_id: UUID, records: list[Record]) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionError
        await replaced(user_id, records)

    monkeypatch.setattr(store, "replace", breaking)
    with pytest.raises(ConnectionError):
        await memories.renew(person.key, person.user_id)
    assert await memories.renew(person.key, person.user_id) == 4
    assert await everything(memories, person) == said


async def test_vectors_of_another_embedding_are_made_anew(
    memories: Memories, store: MemoryStore, raw: Raw, embedder: Embedder, way: Way
) -> None:
    person = somebody()
    said = person.said("I was a nurse in Lyon.")
    await remember(memories, person, said)
    (record,) = await store.page(person.user_id, 10, None)
    (vector,) = await embedder.embed([said.content])
    foreign = bytes([EMBEDDING + 1]) + pack(vector)[1:]
    changed = replace(record, vector=person.key.seal(VECTOR, said.memory_id, foreign))
    await raw.put(person.user_id, replace(changed, embedding=vector) if way.search == "knn" else changed)
    elsewhere = Memories(store, embedder, search=way.search, most=MOST)
    assert await recall(elsewhere, person, said.content) == []
    assert await elsewhere.renew(person.key, person.user_id) == 1
    assert await recall(elsewhere, person, said.content) == [said]
    assert await elsewhere.renew(person.key, person.user_id) == 0


async def test_the_way_to_search_can_be_changed(store: MemoryStore, embedder: Embedder) -> None:
    person = somebody()
    said = person.said("I was a nurse in Lyon.")
    in_one, in_other = (Memories(store, embedder, search=each, most=MOST) for each in ("sealed", "knn"))
    assert in_one.format != in_other.format
    await remember(in_one, person, said)
    assert await recall(in_other, person, "nurse") == []
    for memories in (in_other, in_one, in_other):
        assert await memories.renew(person.key, person.user_id) == 1
        assert await recall(memories, person, "nurse") == [said]
        assert bool(await store.embedded(person.user_id)) is (memories is in_other)


async def test_what_does_not_open_is_left_as_it_is(memories: Memories, store: MemoryStore, raw: Raw) -> None:
    person, mallory = somebody(), somebody()
    said = person.said()
    await remember(memories, person, said)
    before = await store.page(person.user_id, 10, None)
    assert await memories.renew(mallory.key, person.user_id) == 0
    assert await store.page(person.user_id, 10, None) == before
    await raw.put(person.user_id, broken := replace(before[0], content=PLAIN + b"\xff\xff"))
    assert await memories.renew(person.key, person.user_id) == 0
    assert await store.page(person.user_id, 10, None) == [broken]


async def test_nothing_that_is_forgotten_meanwhile_comes_back_and_nothing_that_is_remembered_is_lost(
    memories: Memories, raw: Raw, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_BATCH", 2)
    person = somebody()
    other = person.said().message_id
    said = [person.said(f"I was a nurse in town {n}.", minute=n) for n in range(8)]
    elsewhere = [person.said(f"I was a cook in town {n}.", minute=20 + n, conversation=other) for n in range(4)]
    new = [person.said(f"I was a clerk in town {n}.", minute=40 + n) for n in range(4)]
    await plainly(raw, embedder, person, *said, *elsewhere)
    await asyncio.gather(
        memories.renew(person.key, person.user_id),
        memories.renew(person.key, person.user_id),
        *(memories.forget(person.user_id, memory.memory_id) for memory in said[::2]),
        *(remember(memories, person, memory) for memory in new),
        memories.forget_conversation(person.user_id, other),
    )
    await memories.renew(person.key, person.user_id)
    assert await everything(memories, person) == [*said[1::2], *new]
    assert b"in town" not in await raw.dump(person.user_id)


async def test_a_person_who_is_forgotten_meanwhile_stays_forgotten(
    memories: Memories, raw: Raw, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_BATCH", 1)
    for _ in range(3):
        person = somebody()
        await plainly(raw, embedder, person, *(person.said(f"I was a nurse {n}.", minute=n) for n in range(4)))
        await asyncio.gather(memories.renew(person.key, person.user_id), memories.forget_user(person.user_id))
        assert await raw.dump(person.user_id) == b""
