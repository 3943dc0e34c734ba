"""What it costs to remember and to find again, on each store, searched in either way; and whether all is found.

100,000 memories of 1,000 people, four of whom have ``SIZES``. A memory is something that somebody says in
``tests.benchmarks.retrieval``, and its vector the real one with noise: they lie as close together as those of a person
do. The embedding model itself is left out.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from ai_core.memory.embedder import DIMENSIONS, Embedder, Embedding, load_tokenizer
from ai_core.memory.memories import Memories, Search
from ai_core.memory.opened import SECONDS
from ai_core.memory.records import opened_vectors, sealed
from ai_core.memory.store import Memory, MemoryStore, memory_id
from chassis.sealing.cells import PersonKey
from numpy.typing import NDArray

from tests.benchmarks.figures import report
from tests.benchmarks.memory_servers import Server, over_opensearch, pgvector
from tests.benchmarks.retrieval.lives import everybody

MEMORIES, PEOPLE = 100_000, 1_000
SIZES = (100, 1_000, 5_000, 20_000)
SEARCHES = {100: 200, 1_000: 100, 5_000: 50, 20_000: 25}
"""How often is searched among how many, so that a size takes some seconds."""
FOUND = 8
QUESTIONS = 300
BATCH = 200
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Somebody:
    """A person, what they said, and its vectors."""

    user_id: UUID
    key: PersonKey
    words: Sequence[str]
    vectors: NDArray[np.float32]


class Chosen(Embedder):
    """Gives vectors that it was given, by their number."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        """The vector with each number."""
        return [self._vectors[int(text)] for text in texts]

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Cost:
    """Of one search, in milliseconds."""

    p50: float
    p99: float
    client_cpu: float
    server_cpu: float


@dataclass(frozen=True)
class _Real:
    """All that is said in the retrieval set, and its embeddings."""

    texts: list[str]
    vectors: NDArray[np.float32]

    def like(self, count: int, random: np.random.Generator) -> tuple[list[str], NDArray[np.float32]]:
        """``count`` texts of these, and vectors that have a cosine of about 0.8 to theirs."""
        chosen = random.integers(0, len(self.texts), count)
        noise = random.standard_normal((count, DIMENSIONS), dtype=np.float32) * np.float32(0.75 / DIMENSIONS**0.5)
        made = self.vectors[chosen] + noise
        return [self.texts[number] for number in chosen], made / np.linalg.norm(made, axis=1, keepdims=True)


def _real() -> _Real:
    texts = [said.words for life in everybody().values() for said, _, _ in life.messages()]
    embedder = Embedder(load_tokenizer())
    try:
        return _Real(texts, np.stack(asyncio.run(embedder.embed(texts))))
    finally:
        embedder.close()


def _population(real: _Real) -> list[Somebody]:
    """Everybody, those of ``SIZES`` first."""
    random = np.random.default_rng(7)
    others = PEOPLE - len(SIZES)
    counts = [*SIZES, *[(MEMORIES - sum(SIZES)) // others] * others]
    ids = [uuid4() for _ in counts]
    return [
        Somebody(user_id, PersonKey(user_id, os.urandom(32)), *real.like(count, random))
        for user_id, count in zip(ids, counts, strict=True)
    ]


async def _fill(store: MemoryStore, people: Sequence[Somebody], search: Search) -> dict[UUID, int]:
    """Remember all of it, 16 people at a time; which vector each memory of those of ``SIZES`` has."""
    room = asyncio.Semaphore(16)
    numbers: dict[UUID, int] = {}

    async def one(person: Somebody) -> None:
        async with room:
            for start in range(0, len(person.vectors), BATCH):
                conversation, vectors = uuid4(), person.vectors[start : start + BATCH]
                said = [_memory(person, conversation, number) for number in range(start, start + len(vectors))]
                numbers.update((memory.memory_id, start + number) for number, memory in enumerate(said))
                records = [
                    sealed(person.key, memory, vector, in_the_clear=search == "knn")
                    for memory, vector in zip(said, vectors, strict=True)
                ]
                await store.remember(person.user_id, conversation, records)

    await asyncio.gather(*map(one, people))
    return numbers


def _memory(person: Somebody, conversation: UUID, number: int) -> Memory:
    message = uuid4()
    return Memory(
        memory_id=memory_id(person.user_id, message, 0),
        conversation_id=conversation,
        message_id=message,
        sender="user",
        content=person.words[number],
        created_at=NOW - timedelta(minutes=number),
    )


async def _cost(server: Server, search: Callable[[int], Awaitable[object]], count: int) -> Cost:
    """What ``search`` costs, called ``count`` times after a few for warming up."""
    for number in range(min(count, 50)):
        await search(number)
    client, served, seconds = time.process_time(), server.cpu_seconds(), list[float]()
    for number in range(count):
        begun = time.perf_counter()
        await search(number)
        seconds.append(time.perf_counter() - begun)
    client, served = time.process_time() - client, server.cpu_seconds() - served
    percentiles = statistics.quantiles(seconds, n=100)
    return Cost(*(1000 * each for each in (percentiles[49], percentiles[98], client / count, served / count)))


async def _recall(
    store: MemoryStore, person: Somebody, questions: NDArray[np.float32], search: Search, numbers: dict[UUID, int]
) -> float:
    """The share of a brute-force search's ``FOUND`` nearest among as many nearest that the store and its way find."""
    cells = await store.vectors(person.user_id)
    vectors = opened_vectors(person.key, person.user_id, cells)
    hits = 0
    for question in questions:
        if search == "knn":
            found = await store.nearest(person.user_id, question, FOUND)
        else:
            found = vectors.nearest(question, FOUND)
        exact = np.argsort(-(person.vectors @ question))[:FOUND]
        hits += len({numbers[each] for each in found} & {*exact.tolist()})
    return hits / FOUND / len(questions)


async def _measure(server: Server, people: Sequence[Somebody], real: _Real, search: Search) -> None:
    store, title = server.open(), f"{server.name}, {search}"
    client, served = time.process_time(), server.cpu_seconds()
    numbers = await _fill(store, people, search)
    client, served = time.process_time() - client, server.cpu_seconds() - served
    report(f"{title}: CPU to store a memory, server", served / len(numbers) * 1e6, "µs")
    report(f"{title}: CPU to store a memory, AI core", client / len(numbers) * 1e6, "µs")
    _, questions = real.like(QUESTIONS, np.random.default_rng(8))
    for person, size in zip(people, SIZES, strict=False):
        share = await _recall(store, person, questions, search, numbers)
        report(f"{title}, {size}: recall@{FOUND}", share, "", at_least=0.99)
        for kept in (False, True) if search == "sealed" else (False,):
            cost = await _cost(server, _search(store, person, questions, search, kept=kept), SEARCHES[size])
            what = f"{title}, {size}{', opened before' if kept else ''}"
            report(f"{what}: p50", cost.p50, "ms")
            report(f"{what}: p99", cost.p99, "ms")
            report(f"{what}: CPU, AI core", cost.client_cpu, "ms")
            report(f"{what}: CPU, server", cost.server_cpu, "ms")
    await store.close()


def _search(
    store: MemoryStore, person: Somebody, questions: NDArray[np.float32], search: Search, *, kept: bool
) -> Callable[[int], Awaitable[object]]:
    """Searches for the question with a number, with vectors that are ``kept`` opened or have to be opened."""
    clock = _Clock()
    memories = Memories(store, Chosen(questions), search=search, most=MEMORIES, clock=clock)

    async def ask(number: int) -> object:
        clock.now += 0 if kept else SECONDS
        return await memories.recall(person.key, person.user_id, str(number), NOW)

    return ask


class _Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def report_memory() -> None:
    """All of it; takes some minutes."""
    real = _real()
    people = _population(real)
    for started in (pgvector, over_opensearch):
        for search in ("sealed", "knn"):
            with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as server:
                asyncio.run(_measure(server, people, real, search))


if __name__ == "__main__":
    report_memory()
