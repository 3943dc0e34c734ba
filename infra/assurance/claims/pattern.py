"""How claims name what facts hold: exactly, or by patterns.

`*` stands for anything within one part of a path, `**` for anything, `[*]` for the character itself. Everything else
means itself.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, NamedTuple

_SPECIAL: Final = re.compile(r"\[\*\]|\*\*|\*")
_MEANINGS: Final = {"[*]": r"\*", "**": ".*", "*": "[^/]*"}


class AnyOf(NamedTuple):
    """Several patterns. Most are one text, or end with their only star: those need no regular expression."""

    texts: frozenset[str]
    beginnings: tuple[str, ...]
    expressions: tuple[re.Pattern[str], ...]

    def matches(self, value: str) -> bool:
        """Whether a value is what one of the patterns means."""
        return (
            value in self.texts
            or value.startswith(self.beginnings)
            or any(expression.fullmatch(value) for expression in self.expressions)
        )


def any_of(patterns: Iterable[str]) -> AnyOf:
    """What the patterns match."""
    texts: set[str] = set()
    beginnings: list[str] = []
    expressions: list[re.Pattern[str]] = []
    for pattern in patterns:
        text = exact(pattern)
        if text is not None:
            texts.add(text)
        elif pattern.endswith("**") and "*" not in pattern[:-2]:
            beginnings.append(pattern[:-2])
        else:
            expressions.append(_expression(pattern))
    return AnyOf(frozenset(texts), tuple(beginnings), tuple(expressions))


def exact(pattern: str) -> str | None:
    """The one text that a pattern without stars means; None if it has some."""
    if "*" not in pattern:
        return pattern
    return pattern.replace("[*]", "*") if "*" not in pattern.replace("[*]", "") else None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    found = [_MEANINGS[special] for special in _SPECIAL.findall(pattern)]
    literals = [re.escape(literal) for literal in _SPECIAL.split(pattern)]
    return re.compile("".join(part for pair in zip(literals, [*found, ""], strict=True) for part in pair), re.DOTALL)
