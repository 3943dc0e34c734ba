"""Cuts a message into passages: short enough that an embedding says what each is about, and never within a sentence.

The model reads up to ``MAX_TOKENS``, but its vector of a long text is a mean in which a detail is lost. Why 64 tokens:
``docs/decisions/0015-what-is-remembered.md``.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from tokenizers import Tokenizer

from ai_core.memory.embedder import MAX_TOKENS

PASSAGE_TOKENS = 64
_MOST = MAX_TOKENS - 2  # the model's marks at both ends
_SENTENCE_END = re.compile(r"[.!?…]\s|[。！？\n]")
_WORD_END = re.compile(r"\s")

Offsets = list[tuple[int, int]]
"""Where each token begins and ends in the text."""


def passages(content: str, tokenizer: Tokenizer) -> list[str]:
    """``content`` in order, in pieces of as many whole sentences as ``PASSAGE_TOKENS`` of ``tokenizer`` hold.

    A longer sentence is a piece by itself; one that is too long for the model is cut between two words, and inside a
    word only where that alone is too long.
    """
    offsets: Offsets = tokenizer.encode(content, add_special_tokens=False).offsets
    return [piece for piece in _cut(content, offsets) if piece]


def _cut(content: str, offsets: Offsets) -> Iterator[str]:
    ends = [n for n in range(1, len(offsets)) if _between(_SENTENCE_END, content, offsets, n)] + [len(offsets)]
    first = 0
    while first < len(offsets):
        fitting = bisect_right(ends, first + PASSAGE_TOKENS) - 1
        end = ends[fitting] if fitting >= 0 and ends[fitting] > first else ends[fitting + 1]
        if end - first > _MOST:
            end = _last_word_end(content, offsets, first)
        yield content[offsets[first][0] : offsets[end][0] if end < len(offsets) else None].strip()
        first = end


def _last_word_end(content: str, offsets: Offsets, first: int) -> int:
    """The token before which to cut, of those that the model can still read from ``first`` on."""
    candidates = range(first + _MOST, first, -1)
    return next((n for n in candidates if _between(_WORD_END, content, offsets, n)), first + _MOST)


def _between(boundary: re.Pattern[str], content: str, offsets: Offsets, token: int) -> bool:
    """Whether there is such a boundary between this token and the one before."""
    return bool(boundary.search(content, offsets[token - 1][0], offsets[token][0]))
