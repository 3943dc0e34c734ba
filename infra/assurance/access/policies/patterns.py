"""Texts with wildcards, held against texts, where either may have parts that only a deployment knows.

`*` is any text and `?` one character, also across slashes:
<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>. An unknown part equals
itself and may equal anything else.
"""

import re
from functools import cache
from typing import Final

from infra.assurance.access.policies.truth import MAYBE, NO, YES, Truth, every
from infra.assurance.model.identity import is_unknown, unknown

# Each unknown part becomes one character that no name has (Unicode's private planes), so that splitting and wildcards
# treat it as one.
_FIRST: Final = 0xF0000
_LAST: Final = 0x10FFFD
_HOLE: Final = f"{chr(_FIRST)}-{chr(_LAST)}"
_HAS_HOLE: Final = re.compile(f"[{_HOLE}]")
_UNKNOWN_PART: Final = re.compile(r"⟪[^⟪⟫]*⟫|\{\{resolve:[^{}]*\}\}")
_ARN_PARTS: Final = 6
_API: Final = "execute-api:/"

_holes: dict[str, str] = {}


@cache
def sealed(text: str) -> str:
    """The text with each unknown part as one character of its own."""
    while is_unknown(text):
        shorter = _UNKNOWN_PART.sub(lambda part: _hole(part.group()), text)
        if shorter == text:  # a bracket without its partner: all of it is unknown
            return _hole(text)
        text = shorter
    return text


def _hole(part: str) -> str:
    return _holes.setdefault(part, chr(_FIRST + len(_holes) % (_LAST - _FIRST)))


def literal(text: str) -> str:
    """The text with its wildcards as plain characters, to be a pattern's part."""
    return text.replace("*", _STAR).replace("?", _QUESTION)


# `${*}` and `${?}` of a policy are the characters themselves: in a pattern, two of Unicode's private ones.
_STAR: Final = "\ue000"
_QUESTION: Final = "\ue001"
_PLAIN: Final = str.maketrans({_STAR: "*", _QUESTION: "?"})
_SPECIAL: Final = re.compile(f"[*?{_STAR}{_QUESTION}{_HOLE}]")


def anything(of: str) -> str:
    """An unknown part, named for what it stands for."""
    return unknown(of)


@cache
def matches(pattern: str, text: str) -> Truth:
    """Whether a pattern covers a text; upper and lower case differ."""
    if pattern in {"*", text}:
        return YES
    pattern, text = sealed(pattern), sealed(text)
    if _covers(pattern, text):
        return YES
    return MAYBE if _HAS_HOLE.search(pattern + text) and _overlap(pattern, text) else NO


@cache
def matches_arn(pattern: str, arn: str) -> Truth:
    """Whether the pattern of an ARN covers one.

    Each part between colons is held against its own; a pattern of fewer parts goes on with `*`. A `*` that ends a part
    "can expand to match beyond the colon boundaries", says AWS, not when it does: maybe.
    """
    if pattern in {"*", arn}:
        return YES
    wanted, given = sealed(pattern), sealed(arn)
    if wanted.startswith(_API):
        return _matches_api(wanted.removeprefix(_API), given)
    if wanted.count(":") >= _ARN_PARTS - 1 and not _SPECIAL.search(wanted + given):
        return NO
    pattern_parts, arn_parts = wanted.split(":", _ARN_PARTS - 1), given.split(":", _ARN_PARTS - 1)
    if pattern_parts[0] != "arn" or len(arn_parts) < _ARN_PARTS or arn_parts[0] != "arn":
        return matches(wanted, given)
    pattern_parts += ["*"] * (_ARN_PARTS - len(pattern_parts))
    by_part = every(matches(*pair) for pair in zip(pattern_parts, arn_parts, strict=True))
    crosses = "*:" in wanted or _HAS_HOLE.search(wanted)  # what is not known may hold colons, too
    return MAYBE if by_part is NO and crosses and _overlap(wanted, given, in_parts=True) else by_part


def _matches_api(pattern: str, arn: str) -> Truth:
    """A policy on an API may leave out whose it is: `execute-api:/stage/GET/pets`.

    <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies-examples.html>
    """
    front, _, path = arn.partition("/")
    return min(matches("arn:*:execute-api:*", front), matches(pattern, path))


def _covers(pattern: str, text: str) -> bool:
    """Whether it does for certain: `*` covers what is not known, `?` and other characters do not."""
    if "?" in pattern:
        return _expression(pattern).fullmatch(text) is not None
    first, *others = pattern.split("*")
    if not others:
        return first.translate(_PLAIN) == text
    *middle, last = (part.translate(_PLAIN) for part in others)
    first = first.translate(_PLAIN)
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return at <= end and text.startswith(first) and text.endswith(last)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": f"[^{_HOLE}]"}
    return re.compile("".join(wild.get(c) or re.escape(c.translate(_PLAIN)) for c in pattern), re.DOTALL)


def _overlap(pattern: str, text: str, *, in_parts: bool = False) -> bool:
    """Whether some filling of unknown parts makes the pattern cover the text; `in_parts`, the text's hold no colon."""
    left = [(c == "*" or bool(_HAS_HOLE.match(c)), c) for c in pattern]
    right = [(bool(_HAS_HOLE.match(c)), c) for c in text]
    states = {(0, 0)}
    seen: set[tuple[int, int]] = set()
    while states:
        i, j = state = states.pop()
        if state in seen:
            continue
        seen.add(state)
        if i == len(left) and j == len(right):
            return True
        many_left, a = left[i] if i < len(left) else (False, "")
        many_right, b = right[j] if j < len(right) else (False, "")
        if many_left:
            states |= {(i + 1, j)} | ({(i, j + 1)} if b else set())
        if many_right:
            states |= {(i, j + 1)} | ({(i + 1, j)} if a and not (in_parts and a == ":") else set())
        if a and b and not many_left and not many_right and (a == "?" or a.translate(_PLAIN) == b):
            states.add((i + 1, j + 1))
    return False
