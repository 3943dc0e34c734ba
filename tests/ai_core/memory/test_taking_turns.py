"""Questions and what is to be remembered take turns at the embedding model: neither waits for all of the other."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from ai_core.memory.embedder import Embedder, Embedding
from ai_core.memory.memories import Memories
from ai_core.memory.pgvector import PgvectorStore
from ai_core.settings import DatabaseSettings
from tokenizers import Tokenizer

from tests.ai_core.memory.conftest import MOST, somebody
from tests.ai_core.memory.test_store_contract import recall, remember

pytestmark = pytest.mark.anyio
MANY = 10
AT_MOST = 2
"""Turns of others that may be before one's own: what has begun, and what had come before."""


class Noting(Embedder):
    """Writes down what it is asked for, in order."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer)
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[Embedding]:
        self.asked += texts
        return await super().embed(texts)


@pytest.fixture
def noting(tokenizer: Tokenizer) -> Iterator[Noting]:
    embedder = Noting(tokenizer)
    yield embedder
    embedder.close()


@pytest.fixture
async def memories(database: DatabaseSettings, noting: Noting) -> AsyncIterator[Memories]:
    """In one store: this is decided before any is asked."""
    memories = Memories(PgvectorStore(database), noting, search="sealed", most=MOST)
    yield memories
    await memories.close()


async def test_a_question_waits_for_one_turn_however_much_is_to_be_remembered(
    memories: Memories, noting: Noting
) -> None:
    person = somebody()
    remembering = [remember(memories, person, person.said(f"I count to {number}.")) for number in range(MANY)]
    await asyncio.gather(*remembering, recall(memories, person, "To what?"))
    assert noting.asked.index("To what?") <= AT_MOST


async def test_one_thing_is_remembered_after_one_question_however_many_there_are(
    memories: Memories, noting: Noting
) -> None:
    person = somebody()
    questions = [recall(memories, person, f"Can I count to {number}?") for number in range(MANY)]
    await asyncio.gather(*questions, remember(memories, person, person.said("I count.")))
    assert noting.asked.index("I count.") <= AT_MOST


async def test_what_was_asked_lately_is_remembered_without_another_run_of_the_model(
    noting: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = await noting.embed(["I count."])
    monkeypatch.setattr(noting, "_run", None)
    (second,) = await noting.embed(["I count."])
    assert second is first
