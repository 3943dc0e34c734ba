"""How claims name what facts hold: exactly, or by patterns.

`*` stands for anything within one part of a path, `**` for anything, `[*]` for the character itself. Everything else
means itself.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

SEPARATOR: Final = "\x1f"
"""Between the columns of a fact in one text, which is matched at once."""

Shape: TypeAlias = str | re.Pattern[str]
"""Of the text of a fact: exactly this, or what matches."""

_SPECIAL: Final = re.compile(r"\[\*\]|\*\*|\*")
_MEANINGS: Final = {"[*]": r"\*", "**": f"[^{SEPARATOR}]*", "*": f"[^/{SEPARATOR}]*"}


def text_of(values: Iterable[str]) -> str:
    """The columns of a fact as one text."""
    return SEPARATOR.join(values)


def shape_of(columns: Sequence[str]) -> Shape:
    """What one pattern for each column matches."""
    pattern = text_of(columns)
    if not _SPECIAL.search(pattern.replace("[*]", "")):
        return pattern.replace("[*]", "*")
    return re.compile(_expression(pattern))


def any_of(columns: Iterable[Sequence[str]]) -> re.Pattern[str]:
    """What the columns match if each has several patterns."""
    return re.compile(SEPARATOR.join(f"(?:{'|'.join(map(_expression, patterns))})" for patterns in columns))


def _expression(pattern: str) -> str:
    found = _SPECIAL.findall(pattern)
    literals = [re.escape(part) for part in _SPECIAL.split(pattern)]
    return "".join(
        literal + meaning
        for literal, meaning in zip(literals, [*(_MEANINGS[special] for special in found), ""], strict=True)
    )
