"""Prints what is found of the committed set, plainly and as Sanctum does it, side by side."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import chain
from statistics import median

from ai_core.memory.chunks import passages
from ai_core.memory.embedder import Embedder, Embedding, load_tokenizer
from ai_core.memory.ranking import CANDIDATES, rank

from tests.benchmarks.figures import report
from tests.benchmarks.retrieval.lives import Half, Kind, Life, Question, lives
from tests.benchmarks.retrieval.plain import nearest, pieces
from tests.benchmarks.retrieval.quality import (
    Answer,
    Answers,
    Memories,
    Model,
    Way,
    ask,
    hit,
    mean,
    reciprocal_rank,
)

PLAIN = Way("plain", pieces, nearest)
RANKED = Way("ranked", passages, rank)
ROUNDS = 20


@asynccontextmanager
async def _model() -> AsyncGenerator[Model]:
    tokenizer = load_tokenizer()
    embedder = Embedder(tokenizer)
    yield Model(embedder, tokenizer)
    embedder.close()


async def report_retrieval(half: Half = "report") -> None:
    """The figures of one half; the other was for choosing."""
    async with _model() as model:
        for way in (PLAIN, RANKED):
            _report(way.name, await ask(way, half, model), bound=way is RANKED)
        milliseconds = await _milliseconds_to_rank(half, model)
    report(f"CPU to rank {CANDIDATES} candidates", milliseconds, "ms", at_most=0.5)


async def report_kinds(half: Half) -> None:
    """hit@8 and MRR of each kind of question."""
    async with _model() as model:
        for way in (PLAIN, RANKED):
            for kind, answers in (await ask(way, half, model)).items():
                if kind != "nothing":
                    report(f"{kind} ({len(answers)} questions), hit@8, {way.name}", mean(answers, hit), "")
                    report(f"{kind}, MRR, {way.name}", mean(answers, reciprocal_rank), "")


def _report(way: str, answers: Answers, *, bound: bool) -> None:
    """What is claimed is claimed of the ranking, hence ``bound``."""
    asked = list(chain.from_iterable(answers[kind] for kind in answers if kind != "nothing"))
    corrected, changed = _with_stale(answers, "correction"), _with_stale(answers, "recency")
    report(f"found, of what was said: hit@8, {way}", mean(asked, hit), "", at_least=0.9 if bound else None)
    report(f"  MRR, {way}", mean(asked, reciprocal_rank), "", at_least=0.65 if bound else None)
    before = mean(corrected, lambda answer: answer.stale_before)
    report(f"  corrections: what was corrected stands before, {way}", before, "", at_most=0.4 if bound else None)
    report(f"  corrections: what was corrected is given at all, {way}", mean(corrected, lambda a: a.stale_given), "")
    report(f"  recency: what is out of date stands before, {way}", mean(changed, lambda a: a.stale_before), "")
    report(f"  repeated: things to know that are given, {way}", mean(answers["repeated"], lambda a: a.found), "")
    report(f"  repeated: passages that only repeat another, {way}", mean(answers["repeated"], lambda a: a.repeats), "")
    report(f"  nothing to find: passages given, {way}", mean(answers["nothing"], lambda a: a.given), "")
    report(f"  tokens given for a question, {way}", mean(asked, lambda a: a.tokens), "")


def _with_stale(answers: Answers, kind: Kind) -> list[tuple[Question, Answer]]:
    return [(question, answer) for question, answer in answers[kind] if question.stale]


async def _milliseconds_to_rank(half: Half, model: Model) -> float:
    """Of the median question, each at its quickest: what else the machine does is not the ranking's."""
    took: list[float] = []
    for life in lives(half):
        memories = await Memories.of(life, RANKED.cut, model)
        questions = await model.embed([question.ask for question in life.questions])
        took += [min(_seconds(memories, asked, life) for _ in range(ROUNDS)) for asked in questions]
    return median(took) * 1000


def _seconds(memories: Memories, asked: Embedding, life: Life) -> float:
    candidates = memories.nearest_to(asked)
    begun = time.perf_counter()
    rank(candidates, life.now)
    return time.perf_counter() - begun
