"""What lies in a store is of no use without the person's key, nor in another place than its own: on every store."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from ai_core.memory.embedder import Embedder
from ai_core.memory.memories import Memories
from ai_core.memory.records import PLAIN
from ai_core.memory.store import MemoryStore, Record
from ai_core.memory.vectors import pack

from tests.ai_core.memory.conftest import Raw, Way, everything, somebody
from tests.ai_core.memory.test_store_contract import recall, remember

pytestmark = pytest.mark.anyio
WORDS = "I was a nurse in Lyon, zymurgy is my secret."


def traces(words: str, vector: bytes) -> list[bytes]:
    """What words and their vector would look like, had they been stored."""
    return [
        form for plain in (words.encode(), vector) for form in (plain, plain.hex().encode(), base64.b64encode(plain))
    ]


async def test_a_store_holds_no_words_and_no_vector(
    store: MemoryStore, memories: Memories, raw: Raw, embedder: Embedder, way: Way
) -> None:
    person = somebody()
    kept = person.said(WORDS)
    (vector,) = await embedder.embed([WORDS])
    await remember(memories, person, kept)
    looked_for = traces(WORDS, pack(vector)[5:])
    dump = await raw.dump(person.user_id)
    assert str(kept.memory_id).encode() in dump
    assert [trace for trace in looked_for if trace in dump] == []
    assert await store.embedded(person.user_id) == ({kept.memory_id} if way.search == "knn" else set())
    # The control: had it been stored, it would have been found.
    (record,) = await store.page(person.user_id, 10, None)
    await raw.put(
        person.user_id, replace(record, content=PLAIN + WORDS.encode(), vector=pack(vector), embedding=vector)
    )
    dump = await raw.dump(person.user_id)
    assert {looked_for[0], looked_for[3]} <= {trace for trace in looked_for if trace in dump}
    assert await store.embedded(person.user_id) == {kept.memory_id}


async def test_the_same_words_are_never_stored_the_same(memories: Memories, store: MemoryStore) -> None:
    person = somebody()
    await remember(memories, person, person.said(WORDS), person.said(WORDS))
    first, second = await store.page(person.user_id, 10, None)
    assert first.content[1:] != second.content[1:]
    assert first.vector != second.vector


Change = Callable[[Record, Record], Record]
CHANGES: dict[str, Change] = {
    "words of another memory": lambda one, other: replace(one, content=other.content),
    "the vector in the place of the words": lambda one, _: replace(one, content=one.vector or b""),
    "a bit of the words": lambda one, _: replace(one, content=flipped(one.content)),
    "the first byte": lambda one, _: replace(one, content=PLAIN + one.content[1:]),
    "words that nobody sealed": lambda one, _: replace(one, content=PLAIN + b"I was a nurse in Lyon"),
    "no words": lambda one, _: replace(one, content=b"\x01"),
}


def flipped(cell: bytes, at: int = -1) -> bytes:
    changed = bytearray(cell)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_words_that_were_changed_or_moved_are_left_out_and_told(
    memories: Memories, store: MemoryStore, raw: Raw, change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    person = somebody()
    one, other = person.said(WORDS, minute=1), person.said("I was a nurse in Paris.", minute=2)
    await remember(memories, person, one, other)
    first, second = await store.page(person.user_id, 10, None)
    await raw.put(person.user_id, change(first, second))
    for _ in range(2):
        assert await everything(memories, person) == [other]
        assert await recall(memories, person, "nurse") == [other]
    assert told(caplog) == {(person.user_id, one.memory_id, 1, "content")}


async def test_a_record_of_another_person_is_left_out_and_told(
    memories: Memories, store: MemoryStore, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    alice, mallory = somebody(), somebody()
    stolen, own = alice.said(WORDS), mallory.said("I was a nurse in Paris.", minute=1)
    await remember(memories, alice, stolen)
    await remember(memories, mallory, own)
    (record,) = await store.page(alice.user_id, 10, None)
    await raw.put(mallory.user_id, record)
    assert await everything(memories, mallory) == [own]
    assert await recall(memories, mallory, "nurse") == [own]
    assert ("content", stolen.memory_id) in {(part, memory_id) for _, memory_id, _, part in told(caplog)}


VECTOR_CHANGES: dict[str, Change] = {
    "that of another memory": lambda one, other: replace(one, vector=other.vector),
    "a bit of it": lambda one, _: replace(one, vector=flipped(one.vector or b"", 20)),
    "words in its place": lambda one, _: replace(one, vector=one.content),
    "one that nobody sealed": lambda one, _: replace(one, vector=b"\x00" * 389),
}


@pytest.mark.parametrize("change", VECTOR_CHANGES.values(), ids=VECTOR_CHANGES.keys())
async def test_vectors_that_were_changed_or_moved_are_left_out_and_told(
    store: MemoryStore, raw: Raw, change: Change, *, embedder: Embedder, way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    person = somebody()
    one, other = person.said(WORDS, minute=1), person.said("I was a nurse in Paris.", minute=2)
    await remember(Memories(store, embedder, search=way.search, most=10), person, one, other)
    elsewhere = Memories(store, embedder, search=way.search, most=10)  # which has no opened vectors yet
    first, second = await store.page(person.user_id, 10, None)
    changed = change(first, second)
    if way.search == "knn":
        (vector,) = await embedder.embed([WORDS])
        changed = replace(changed, embedding=vector)
    await raw.put(person.user_id, changed)
    assert await recall(elsewhere, person, "nurse") == [other]
    assert await everything(elsewhere, person) == [one, other]
    assert told(caplog) == {(person.user_id, one.memory_id, 1, "vector")}


def told(caplog: pytest.LogCaptureFixture) -> set[tuple[object, ...]]:
    """The events that say what does not open; none of them has words."""
    assert "zymurgy" not in caplog.text
    assert "zymurgy" not in json.dumps([str(vars(each)) for each in caplog.records])
    fields = [vars(each)["fields"] for each in caplog.records if each.msg == "memory.cannot_open"]
    return {tuple(each[name] for name in ("user_id", "memory_id", "cells", "part")) for each in fields}
