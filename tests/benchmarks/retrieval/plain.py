"""What finding is compared with: pieces as long as the model reads, and of those the nearest by cosine."""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from ai_core.memory.embedder import MAX_TOKENS
from ai_core.memory.ranking import Candidate
from ai_core.memory.store import NEAREST, Memory
from tokenizers import Tokenizer

LEAST_SIMILARITY = 0.25
_MOST = MAX_TOKENS - 2
_ENDS = (re.compile(r"[.!?…]\s|[。！？\n]"), re.compile(r"\s"))


def pieces(content: str, tokenizer: Tokenizer) -> list[str]:
    """``content`` in pieces of up to ``MAX_TOKENS``, cut in their second half: after a sentence, else after a word."""
    offsets: list[tuple[int, int]] = tokenizer.encode(content, add_special_tokens=False).offsets
    cuts = [0]
    while len(offsets) - cuts[-1] > _MOST:
        within = range(cuts[-1] + _MOST, cuts[-1] + _MOST // 2, -1)
        good = (n for end in _ENDS for n in within if end.search(content, offsets[n - 1][0], offsets[n][0]))
        cuts.append(next(good, cuts[-1] + _MOST))
    borders = [*(offsets[cut][0] for cut in cuts), len(content)] if offsets else []
    return [content[start:end].strip() for start, end in pairwise(borders)]


def nearest(candidates: Sequence[Candidate], now: datetime) -> list[Memory]:  # noqa: ARG001 - in the place of ``rank``
    """The nearest, nearest first."""
    near = sorted(candidates, key=lambda candidate: -candidate.similarity)[:NEAREST]
    return [candidate.memory for candidate in near if candidate.similarity >= LEAST_SIMILARITY]
