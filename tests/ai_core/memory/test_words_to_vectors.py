"""Passages and embeddings."""

import numpy as np
import pytest
from ai_core.memory.chunks import PASSAGE_TOKENS, passages
from ai_core.memory.embedder import DIMENSIONS, MAX_TOKENS, Embedder
from ai_core.memory.ranking import LEAST_SIMILARITY
from tokenizers import Tokenizer

TEXTS = [
    "I lost my job.",
    "Ich liebe Käse 🧀",
    "x",
    "A longer text about boats, money and the sea. " * 12,
    "word " * 900,
]


@pytest.mark.anyio
async def test_an_embedding_has_length_one(embedder: Embedder) -> None:
    for vector in await embedder.embed(TEXTS):
        assert vector.shape == (DIMENSIONS,)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.anyio
async def test_an_embedding_does_not_depend_on_its_company(embedder: Embedder) -> None:
    together = await embedder.embed([*TEXTS, *TEXTS[::-1]])
    for text, vector, again in zip(TEXTS, together, together[::-1], strict=False):
        (alone,) = await embedder.embed([text])
        assert float(alone @ vector) == pytest.approx(1, abs=1e-4)
        assert float(alone @ again) == pytest.approx(1, abs=1e-4)


@pytest.mark.anyio
async def test_no_texts_have_no_embeddings(embedder: Embedder) -> None:
    assert await embedder.embed([]) == []


@pytest.mark.anyio
async def test_what_means_the_same_is_near(embedder: Embedder) -> None:
    fired, laid_off, soup = await embedder.embed(["I got fired.", "I was dismissed from my job.", "Tomato soup."])
    assert float(fired @ laid_off) > 0.5
    assert float(fired @ soup) < LEAST_SIMILARITY


@pytest.mark.parametrize(
    "content",
    [
        "One sentence here. Another one there! " * 100,
        "no sentence ends in this one " * 100,
        "我三月份被解雇了。" * 100,
        "line\n" * 600,
    ],
)
def test_passages_fit_the_model_and_lose_nothing(content: str, tokenizer: Tokenizer) -> None:
    cut = passages(content, tokenizer)
    assert len(cut) > 1
    assert all(len(tokenizer.encode(passage).ids) <= MAX_TOKENS for passage in cut)
    assert "".join("".join(cut).split()) == "".join(content.split())


def test_passages_end_where_sentences_end(tokenizer: Tokenizer) -> None:
    cut = passages("This is a sentence about my work and what I want. " * 60, tokenizer)
    assert all(passage.endswith("want.") for passage in cut)


def test_passages_hold_as_many_whole_sentences_as_fit(tokenizer: Tokenizer) -> None:
    sentence = "This is a sentence about my work and what I want."
    tokens = len(tokenizer.encode(sentence, add_special_tokens=False).ids)
    cut = passages(" ".join([sentence] * 30), tokenizer)
    assert {passage.count(sentence) for passage in cut[:-1]} == {PASSAGE_TOKENS // tokens}


def test_a_long_sentence_stays_whole_and_by_itself(tokenizer: Tokenizer) -> None:
    sentence = "I would like " + "to learn more and " * 30 + "to rest."
    assert passages(f"It is late. {sentence} Good night.", tokenizer) == ["It is late.", sentence, "Good night."]


def test_passages_do_not_cut_words(tokenizer: Tokenizer) -> None:
    words = "unquestionable considerations " * 200
    assert {word for passage in passages(words, tokenizer) for word in passage.split()} == set(words.split())


def test_an_endless_word_stays_whole(tokenizer: Tokenizer) -> None:
    assert passages("x1" * 3000, tokenizer) == ["x1" * 3000]


def test_a_short_message_is_one_passage(tokenizer: Tokenizer) -> None:
    assert passages("  Hello.  ", tokenizer) == ["Hello."]


@pytest.mark.parametrize("content", ["", " \n"])
def test_nothing_said_is_nothing_to_remember(content: str, tokenizer: Tokenizer) -> None:
    assert passages(content, tokenizer) == []
