"""Which of the memories nearest to a question are given to the language model, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ai_core.memory.embedder import Embedding
from ai_core.memory.store import LEAST_SIMILARITY, NEAREST, Memory

CANDIDATES = 32
"""How many of a person's memories, the nearest by cosine, are ranked."""


@dataclass(frozen=True)
class Candidate:
    """A memory that a search found: its embedding, and that one's cosine to the question's."""

    memory: Memory
    vector: Embedding
    similarity: float


def rank(candidates: Sequence[Candidate], now: datetime) -> list[Memory]:  # noqa: ARG001 - used by what ranks by time
    """The most useful of ``candidates``, at most ``NEAREST`` and none below ``LEAST_SIMILARITY``, most useful first."""
    near = [candidate for candidate in candidates if candidate.similarity >= LEAST_SIMILARITY]
    near.sort(key=lambda candidate: -candidate.similarity)
    return [candidate.memory for candidate in near[:NEAREST]]
