"""How well a way to cut, choose and order memories answers the questions of the set."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Self
from uuid import UUID, uuid5

import numpy as np
from ai_core.memory.embedder import Embedder, Embedding
from ai_core.memory.ranking import CANDIDATES, Candidate
from ai_core.memory.store import Memory, memory_id
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tests.benchmarks.retrieval.lives import Half, Kind, Life, Question, Said, lives

Cut = Callable[[str, Tokenizer], list[str]]
Choose = Callable[[Sequence[Candidate], datetime], list[Memory]]


@dataclass(frozen=True)
class Way:
    """A way to find what was said."""

    name: str
    cut: Cut
    choose: Choose


@dataclass(frozen=True)
class Answer:
    """What one question was given."""

    first: int | None
    """Place of the first passage that answers, from 1; ``None`` where there is none."""
    stale_before: bool
    """A message that must not stand before the answer does, or is given without it."""
    stale_given: bool
    found: float
    """Share of the things to know that are among what was given."""
    repeats: int
    """Passages that only say again what another one given says."""
    given: int
    tokens: int


class Model:
    """The embedding model, which is asked for each text once."""

    def __init__(self, embedder: Embedder, tokenizer: Tokenizer) -> None:
        self._embedder = embedder
        self.tokenizer = tokenizer
        self._known: dict[str, Embedding] = {}

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        """One embedding a text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, await self._embedder.embed(new), strict=True))
        return [self._known[text] for text in texts]


Answers = dict[Kind, list[tuple[Question, Answer]]]


@dataclass(frozen=True)
class Memories:
    """What is remembered of a life: its passages, their vectors, and the names of their messages."""

    passages: list[Memory]
    vectors: NDArray[np.float32]
    names: dict[UUID, str]

    @classmethod
    async def of(cls, life: Life, cut: Cut, model: Model) -> Self:
        """All of a life, cut into passages."""
        names = {_message_id(life, said): said.id for said, _, _ in life.messages()}
        passages = [
            Memory(
                memory_id=memory_id(life.user_id, _message_id(life, said), number),
                conversation_id=conversation,
                message_id=_message_id(life, said),
                sender=said.by,
                content=passage,
                created_at=at,
            )
            for said, conversation, at in life.messages()
            for number, passage in enumerate(cut(said.words, model.tokenizer))
        ]
        return cls(passages, np.array(await model.embed([passage.content for passage in passages])), names)

    def nearest_to(self, asked: Embedding) -> list[Candidate]:
        """What the search of a store finds for a question."""
        similarities = self.vectors @ asked
        nearest: list[int] = np.argsort(-similarities)[:CANDIDATES].tolist()
        return [Candidate(self.passages[n], self.vectors[n], float(similarities[n])) for n in nearest]


async def ask(way: Way, half: Half, model: Model) -> Answers:
    """Every question of ``half``, each to the memory of its own person."""
    answers: Answers = defaultdict(list)
    for life in lives(half):
        memories = await Memories.of(life, way.cut, model)
        for question in life.questions:
            (asked,) = await model.embed([question.ask])
            given = way.choose(memories.nearest_to(asked), life.now)
            told = [(memories.names[memory.message_id], memory.content) for memory in given]
            tokens = sum(len(model.tokenizer.encode(content, add_special_tokens=False).ids) for _, content in told)
            answers[question.kind].append((question, judge(question, told, tokens)))
    return answers


def mean(answers: Sequence[tuple[Question, Answer]], figure: Callable[[Answer], float]) -> float:
    """The mean of a figure over questions."""
    return fmean(figure(answer) for _, answer in answers)


def hit(answer: Answer) -> float:
    """Whether the answer is among what was given: the mean of this is hit@8."""
    return float(answer.first is not None)


def reciprocal_rank(answer: Answer) -> float:
    """1 for an answer in the first place, 1/2 in the second: the mean of this is MRR."""
    return 1 / answer.first if answer.first else 0.0


def judge(question: Question, told: Sequence[tuple[str, str]], tokens: int) -> Answer:
    """What an answer is worth that gives passages, each by its message's name and its words, in this order."""

    def says(thing: Sequence[str], name: str, content: str) -> bool:
        return name in thing and question.holds.get(name, "") in content

    places = [
        [place for place, (name, content) in enumerate(told, 1) if says(thing, name, content)]
        for thing in question.answers
    ]
    first = min((place for of_one in places for place in of_one), default=None)
    stale = min((place for place, (name, _) in enumerate(told, 1) if name in question.stale), default=None)
    return Answer(
        first=first,
        stale_before=stale is not None and (first is None or stale < first),
        stale_given=stale is not None,
        found=fmean(bool(of_one) for of_one in places) if places else 0.0,
        repeats=sum(max(0, len(of_one) - 1) for of_one in places),
        given=len(told),
        tokens=tokens,
    )


def _message_id(life: Life, said: Said) -> UUID:
    return uuid5(life.user_id, said.id)
