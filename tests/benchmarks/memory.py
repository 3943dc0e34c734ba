"""What it costs to remember and to find again, on each store, searched in either way; and whether all is found.

100,000 memories of 1,000 people, four of whom have ``SIZES``. A search is all that ``Memories.recall`` does but the
embedding model: the request, what comes back, opening, comparing, and ranking. Processor time is that of this process,
which does what the AI core does, and that of the store's processes.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import uvloop
from ai_core.memory.embedder import Embedder, Embedding
from ai_core.memory.memories import Memories, Search
from ai_core.memory.opened import SECONDS
from ai_core.memory.opensearch_client import StoreUnavailable
from ai_core.memory.ranking import CANDIDATES
from ai_core.memory.records import opened_vectors, sealed
from ai_core.memory.store import MemoryStore
from numpy.typing import NDArray

from local import opensearch_binaries
from tests.benchmarks.figures import report, tell
from tests.benchmarks.memory_people import NOW, Somebody, embedded, population
from tests.benchmarks.memory_servers import Server, over_opensearch, pgvector

MEMORIES, PEOPLE = 100_000, 1_000
SIZES = (100, 1_000, 5_000, 20_000)
FOUND = 8
BATCH = 200
MOST_ATTEMPTS = 4
"""To store a batch, each of which may take a minute."""
QUESTIONS = 1_500
"""So many that a recall is known to a tenth of a percent; of 300 it was half a percent more or less."""
ASKED_OF_STORE = 50
"""Of ``QUESTIONS``, where the store compares exact vectors itself and so loses none."""
MOST_SEARCHES, FEWEST_SEARCHES, MOST_SECONDS = 200, 20, 5.0
"""How often is searched for a figure."""
WARMING_UP, SECONDS_WARMING_UP = 500, 20.0
"""Of a store that has just been filled: Java compiles what is run often."""

HEADING = f"{'a search, in milliseconds':<46}{'searches':>9}{'p50':>9}{'p99':>9}{'CPU: AI core':>14}{'server':>9}"

Ask = Callable[[int], Awaitable[object]]


class Chosen(Embedder):
    """Gives vectors that it was given, by their number."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        self._vectors = vectors

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        """The vector with each number."""
        return [self._vectors[int(text)] for text in texts]

    def close(self) -> None:
        """Nothing is open."""


class _Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class _Measured:
    """A store that is searched in one way, and the vector's number of each memory in it."""

    server: Server
    store: MemoryStore
    search: Search
    numbers: dict[UUID, int]

    @property
    def title(self) -> str:
        return f"{self.server.name}, {self.search}"


async def _fill(server: Server, store: MemoryStore, people: Sequence[Somebody], search: Search) -> dict[UUID, int]:
    """Remember all of it, as the AI core does but the embedding; which vector each memory has."""
    room = asyncio.Semaphore(server.writers)
    numbers: dict[UUID, int] = {}

    async def remember(person: Somebody, start: int) -> None:
        async with room:
            conversation, vectors = uuid4(), person.vectors[start : start + BATCH]
            said = [person.memory(conversation, number) for number in range(start, start + len(vectors))]
            numbers.update((memory.memory_id, start + number) for number, memory in enumerate(said))
            records = [
                sealed(person.key, memory, vector, in_the_clear=search == "knn")
                for memory, vector in zip(said, vectors, strict=True)
            ]
            for _ in range(MOST_ATTEMPTS):
                with suppress(StoreUnavailable):  # by much work; it is the same to store a memory twice
                    return await store.remember(person.user_id, conversation, records)
            sys.exit(f"{server.name} does not keep up: is this machine busy?")

    batches = ((person, start) for person in people for start in range(0, len(person.vectors), BATCH))
    await asyncio.gather(*(remember(person, start) for person, start in batches))
    return numbers


async def _filled(server: Server, people: Sequence[Somebody], search: Search) -> _Measured:
    """A full store; what it took is reported."""
    store, title = server.open(), f"{server.name}, {search}"
    tell(f"{title}: {MEMORIES} memories are stored …")
    client, served = time.process_time(), server.cpu_seconds()
    numbers = await _fill(server, store, people, search)
    client = time.process_time() - client
    taken = await server.settle()
    served = server.cpu_seconds() - served
    report(f"{title}: CPU to store a memory, AI core", client / MEMORIES * 1e6, "µs")
    report(f"{title}: CPU to store a memory, server", served / MEMORIES * 1e6, "µs")
    report(f"{title}: on disk, a memory", taken / MEMORIES, "B")
    return _Measured(server, store, search, numbers)


async def _report_recall(measured: _Measured, person: Somebody, questions: NDArray[np.float32]) -> None:
    """The share of the ``FOUND`` nearest by brute force over exact vectors that the store and its way find.

    Among as many, and among all that are ranked.
    """
    store, key = measured.store, person.key
    vectors = opened_vectors(key, person.user_id, await store.vectors(person.user_id))
    near = nearest = 0
    asked = questions if measured.search == "sealed" else questions[:ASKED_OF_STORE]
    for question in asked:
        if measured.search == "knn":
            found = await store.nearest(person.user_id, question, CANDIDATES)
        else:
            found = vectors.nearest(question, CANDIDATES)
        numbers = [measured.numbers[each] for each in found]
        exact: set[int] = {*np.argpartition(person.vectors @ question, -FOUND)[-FOUND:].tolist()}
        near += len(exact.intersection(numbers))
        nearest += len(exact.intersection(numbers[:FOUND]))
    title = f"{measured.title}, {len(person.vectors)} memories"
    report(f"{title}: recall@{FOUND}", 100 * nearest / FOUND / len(asked), "%", at_least=99)
    report(f"  of these among the {CANDIDATES} that are ranked", 100 * near / FOUND / len(asked), "%")


def _ask(measured: _Measured, person: Somebody, questions: NDArray[np.float32], *, kept: bool) -> Ask:
    """Searches for the question with a number, with vectors that are ``kept`` opened or have to be opened."""
    clock = _Clock()
    memories = Memories(measured.store, Chosen(questions), search=measured.search, most=MEMORIES, clock=clock)

    async def ask(number: int) -> object:
        clock.now += 0 if kept else SECONDS
        return await memories.recall(person.key, person.user_id, str(number % len(questions)), NOW)

    return ask


async def _searched(ask: Ask, most: int, seconds: float) -> list[float]:
    """How long each of up to ``most`` searches took, of as many as there is time for."""
    taken = list[float]()
    end = time.perf_counter() + seconds
    while len(taken) < most and (len(taken) < FEWEST_SEARCHES or time.perf_counter() < end):
        begun = time.perf_counter()
        await ask(len(taken))
        taken.append(time.perf_counter() - begun)
    return taken


async def _report_cost(server: Server, title: str, ask: Ask) -> None:
    await _searched(ask, FEWEST_SEARCHES, MOST_SECONDS)
    client, served = time.process_time(), server.cpu_seconds()
    taken = await _searched(ask, MOST_SEARCHES, MOST_SECONDS)
    client, served = time.process_time() - client, server.cpu_seconds() - served
    p50, p99 = 1000 * np.percentile(taken, [50, 99])
    client, served = (1000 * used / len(taken) for used in (client, served))
    tell(f"{title:<46}{len(taken):>9}{p50:>9.2f}{p99:>9.2f}{client:>14.2f}{served:>9.2f}")


async def _measure(server: Server, people: Sequence[Somebody], questions: NDArray[np.float32], search: Search) -> None:
    measured = await _filled(server, people, search)
    try:
        typical = _ask(measured, people[SIZES.index(1_000)], questions, kept=False)
        await _searched(typical, WARMING_UP, SECONDS_WARMING_UP)
        for person in people[: len(SIZES)]:
            await _report_recall(measured, person, questions)
        tell(HEADING)
        for person, size in zip(people, SIZES, strict=False):
            for kept in (False, True) if search == "sealed" else (False,):
                title = f"{measured.title}, {size} memories{', opened before' if kept else ''}"
                await _report_cost(server, title, _ask(measured, person, questions, kept=kept))
    finally:
        await measured.store.close()


def report_memory() -> None:
    """All of it; takes some minutes."""
    said = embedded()
    people = population(said, SIZES, PEOPLE - len(SIZES), MEMORIES)
    _, questions = said.like(QUESTIONS, np.random.default_rng(8))
    tell(f"memory; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    servers = [pgvector]
    if lacks := opensearch_binaries.missing():
        tell(f"OpenSearch is left out. {lacks}")
    else:
        servers.append(over_opensearch)
    for started in servers:
        for search in ("sealed", "knn"):
            with (
                tempfile.TemporaryDirectory() as folder,
                started(Path(folder)) as server,
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,  # as the services have it
            ):
                runner.run(_measure(server, people, questions, search))
