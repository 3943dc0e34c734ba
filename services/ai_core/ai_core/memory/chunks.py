"""Cuts a message into passages that the embedding model can read as a whole."""

import re
from collections.abc import Iterator

from tokenizers import Tokenizer

from ai_core.memory.embedder import MAX_TOKENS

_PASSAGE = MAX_TOKENS - 2  # the model's marks at both ends
_SENTENCE_END = re.compile(r"[.!?…]\s|[。！？\n]")
_WORD_END = re.compile(r"\s")


def passages(content: str, tokenizer: Tokenizer) -> list[str]:
    """``content`` in order, in pieces of at most ``MAX_TOKENS`` of ``tokenizer``.

    A piece ends with a sentence where one ends in its second half, else between two words, and inside a word only
    where that alone is too long.
    """
    offsets: list[tuple[int, int]] = tokenizer.encode(content, add_special_tokens=False).offsets
    return [piece for piece in _cut(content, offsets) if piece]


def _cut(content: str, offsets: list[tuple[int, int]]) -> Iterator[str]:
    first = 0
    while len(offsets) - first > _PASSAGE:
        cut = _last_good(content, offsets, first)
        yield content[offsets[first][0] : offsets[cut][0]].strip()
        first = cut
    if first < len(offsets):
        yield content[offsets[first][0] :].strip()


def _last_good(content: str, offsets: list[tuple[int, int]], first: int) -> int:
    """The token before which to cut."""
    candidates = range(first + _PASSAGE, first + _PASSAGE // 2, -1)
    for boundary in (_SENTENCE_END, _WORD_END):
        for token in candidates:
            if boundary.search(content, offsets[token - 1][0], offsets[token][0]):
                return token
    return first + _PASSAGE
