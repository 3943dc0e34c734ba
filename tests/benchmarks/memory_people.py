"""Those whose memory is measured: some with much to remember, among many with little.

What they said are sentences of ``tests.benchmarks.retrieval``, and a vector is the real one of its sentence with noise:
they lie as close together as those of a person do, and nothing is embedded a hundred thousand times.
"""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
from ai_core.memory.embedder import DIMENSIONS, Embedder, load_tokenizer
from ai_core.memory.store import Memory, memory_id
from chassis.sealing.cells import PersonKey
from numpy.typing import NDArray

from tests.benchmarks.retrieval.lives import everybody

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOISE = 0.75
"""Length of what is added to a vector of length 1: the two then have a cosine of about 0.8."""


@dataclass(frozen=True)
class Somebody:
    """A person, what they said, and its vectors."""

    user_id: UUID
    key: PersonKey
    words: Sequence[str]
    vectors: NDArray[np.float32]

    def memory(self, conversation: UUID, number: int) -> Memory:
        """What they said with this number, later than all with a greater one."""
        message = uuid4()
        return Memory(
            memory_id=memory_id(self.user_id, message, 0),
            conversation_id=conversation,
            message_id=message,
            sender="user",
            content=self.words[number],
            created_at=NOW - timedelta(minutes=number),
        )


@dataclass(frozen=True)
class Said:
    """All that is said in the retrieval set, and its embeddings."""

    texts: list[str]
    vectors: NDArray[np.float32]

    def like(self, count: int, random: np.random.Generator) -> tuple[list[str], NDArray[np.float32]]:
        """``count`` of these texts, and vectors that are near theirs."""
        chosen = random.integers(0, len(self.texts), count)
        noise = random.standard_normal((count, DIMENSIONS), dtype=np.float32) * np.float32(NOISE / DIMENSIONS**0.5)
        made = self.vectors[chosen] + noise
        return [self.texts[number] for number in chosen], made / np.linalg.norm(made, axis=1, keepdims=True)


def embedded() -> Said:
    """The retrieval set, each message embedded once."""
    texts = [said.words for life in everybody().values() for said, _, _ in life.messages()]
    embedder = Embedder(load_tokenizer())
    try:
        return Said(texts, np.stack(asyncio.run(embedder.embed(texts))))
    finally:
        embedder.close()


def population(said: Said, sizes: Sequence[int], others: int, memories: int) -> list[Somebody]:
    """People with ``sizes`` memories, in that order, and ``others`` who share the rest of ``memories``."""
    random = np.random.default_rng(7)
    each, more = divmod(memories - sum(sizes), others)
    counts = [*sizes, *(each + (number < more) for number in range(others))]
    ids = [uuid4() for _ in counts]
    return [
        Somebody(user_id, PersonKey(user_id, os.urandom(32)), *said.like(count, random))
        for user_id, count in zip(ids, counts, strict=True)
    ]
