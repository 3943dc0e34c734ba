"""Which of the memories nearest to a question are given to the language model, and in what order.

    score = relevance + RECENCY · 2^(-age / HALF_LIFE) + OWN_WORDS · [said by the person]

``relevance`` is the cosine between question and memory, or that of an earlier memory that this one stands for, if that
is greater. A memory stands for an earlier one in four ways, decided by how alike the two are (their cosine) and, but
for the last, by their words (``corrections``):

* It *repeats* it (``REPEATED``, same speaker, and hardly a word is lost): the earlier is left out. Of two that are as
  alike but not in the same words, the less relevant comes last, after all others.
* The person *takes it back* by its values: "the 14th, not the 12th", and a passage with the 12th that is alike
  (``SAME_STATEMENT``) or has a topic word in common. It is left out where it is alike, else it comes later.
* The person says that something was wrong or has changed, and the earlier passage is somewhat alike (``CORRECTED``): it
  comes later. It is left out where a value was wrong and the two are ``SAME_MATTER``.
* It is *newer* (``SAME_STATEMENT``, both of the person) and about as relevant (``CLOSE``): the earlier comes later.

What the AI said comes after what the person said about the same (``RETOLD``).

All is decided when a question is asked, from what was found for it, and nothing is written down: whoever forgets the
correction has the corrected back. So it cannot see a correction that is not among the candidates, nor one in other
words than ``corrections`` knows; and of what it takes for a repeat the model does not see the older. The figures, and
how the constants were found: ``docs/decisions/0015-what-is-remembered.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import nextafter

import numpy as np

from ai_core.memory.corrections import Words
from ai_core.memory.embedder import Embedding
from ai_core.memory.store import NEAREST, Memory

CANDIDATES = 32
"""How many of a person's memories, the nearest by cosine, are ranked."""
LEAST_SIMILARITY = 0.2
"""Relevance below which a memory is not given: the embedding model then sees nothing that the two have in common."""
LEAST_CANDIDATE = 0.1
"""Cosine below which a memory does not stand for another either."""

RECENCY, HALF_LIFE = 0.02, timedelta(days=180)
OWN_WORDS = 0.02
REPEATED = 0.75
RETOLD = 0.65
SAME_MATTER = 0.6
SAME_STATEMENT = 0.5
CORRECTED = 0.45
CLOSE = 0.1


@dataclass(frozen=True)
class Candidate:
    """A memory that a search found: its embedding, and that one's cosine to the question's."""

    memory: Memory
    vector: Embedding
    similarity: float


def rank(candidates: Sequence[Candidate], now: datetime) -> list[Memory]:
    """The most useful of ``candidates``, at most ``NEAREST``, most useful first; see the module for what that is."""
    near = [candidate for candidate in candidates if candidate.similarity >= LEAST_CANDIDATE]
    if not near:
        return []
    near.sort(key=lambda candidate: (candidate.memory.created_at, candidate.memory.memory_id))
    found = _Found(near)
    found.let_newer_stand_for_older()
    return [near[number].memory for number in found.order(now)[:NEAREST]]


class _Found:
    """Candidates, oldest first."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._memories = [candidate.memory for candidate in candidates]
        self._own = [memory.sender == "user" for memory in self._memories]
        self._words = [Words(memory.content) for memory in self._memories]
        self._denied = [words.denied() if own else [] for own, words in zip(self._own, self._words, strict=True)]
        self._relevance = [candidate.similarity for candidate in candidates]
        vectors = np.concatenate([candidate.vector for candidate in candidates]).reshape(len(candidates), -1)
        self._alike = vectors @ vectors.T
        self._left_out: set[int] = set()
        self._last: set[int] = set()
        self._retellings: list[tuple[int, int]] = []

    def let_newer_stand_for_older(self) -> None:
        """Decide for each pair, from the oldest on, so that the newest of several stands for all."""
        worth_a_look = np.where([bool(denied) for denied in self._denied], LEAST_CANDIDATE, CORRECTED)[:, np.newaxis]
        earlier = np.tri(len(self._memories), k=-1, dtype=np.bool_)
        for newer, older in np.argwhere((self._alike >= worth_a_look) & earlier).tolist():
            if self._memories[newer].message_id != self._memories[older].message_id:
                self._decide(newer, older, float(self._alike[newer, older]))

    def order(self, now: datetime) -> list[int]:
        """Those that are given, the most useful first."""
        scores = [
            relevance + RECENCY * 2 ** -max(0, (now - memory.created_at) / HALF_LIFE) + OWN_WORDS * own
            for memory, relevance, own in zip(self._memories, self._relevance, self._own, strict=True)
        ]
        for retelling, told in self._retellings:
            scores[retelling] = min(scores[retelling], nextafter(scores[told], -1))
        given = [
            number
            for number, relevance in enumerate(self._relevance)
            if relevance >= LEAST_SIMILARITY and number not in self._left_out
        ]
        return sorted(given, key=lambda number: (number in self._last, -scores[number]))

    def _decide(self, newer: int, older: int, alike: float) -> None:
        said, earlier = self._words[newer], self._words[older]
        same_speaker = self._own[newer] == self._own[older]
        if same_speaker and alike >= REPEATED and said.keep(earlier):
            self._stand_for(newer, older, leave_out=True)
        elif self._own[newer]:
            self._correct(newer, older, alike)
        if same_speaker and alike >= REPEATED:
            self._last.add(newer if self._relevance[newer] < self._relevance[older] else older)
        if not same_speaker and alike >= RETOLD:
            self._retellings.append((older, newer) if self._own[newer] else (newer, older))

    def _correct(self, newer: int, older: int, alike: float) -> None:
        said, earlier = self._words[newer], self._words[older]
        if said.take_back(self._denied[newer], earlier, same_statement=alike >= SAME_STATEMENT):
            self._stand_for(newer, older, leave_out=alike >= SAME_STATEMENT)
        elif alike >= CORRECTED and (said.mistake or said.change):
            self._stand_for(newer, older, leave_out=alike >= SAME_MATTER and said.corrects_value(earlier))
        elif alike >= SAME_STATEMENT and self._own[older] and self._about_as_relevant(newer, older):
            self._stand_for(newer, older, leave_out=False)

    def _about_as_relevant(self, newer: int, older: int) -> bool:
        return self._relevance[older] - self._relevance[newer] < CLOSE

    def _stand_for(self, newer: int, older: int, *, leave_out: bool) -> None:
        self._relevance[newer] = max(self._relevance[newer], self._relevance[older])
        if leave_out:
            self._left_out.add(older)
