"""Patterns mean what IAM says; what only a deployment knows may be anything, and equals itself."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.assurance.access.policies.patterns import anything, literal, matches, matches_arn
from infra.assurance.access.policies.truth import MAYBE, NO, YES, Truth

HOLES: Final = {"1": anything("one"), "2": "{{resolve:ssm:two:2}}"}
FILLINGS: Final = ("", "a", "b", "ab", "ba", "aab")
parts = st.text("ab*?12", max_size=6)
texts = st.text("ab12", max_size=6)


def _obviously(pattern: str, text: str) -> bool:
    """Slow: each character in turn, all lengths of each `*`."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_obviously(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and _obviously(pattern[1:], text[1:])


def _filled(text: str, filling: Sequence[str]) -> str:
    return text.replace("1", filling[0]).replace("2", filling[1])


def _answers(pattern: str, text: str) -> Iterator[bool]:
    for filling in product(FILLINGS, repeat=2):
        yield _obviously(_filled(pattern, filling), _filled(text, filling))


def _with_holes(text: str) -> str:
    return "".join(HOLES.get(character, character) for character in text)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(parts, texts)
def test_a_pattern_covers_what_character_by_character_it_covers(pattern: str, text: str) -> None:
    pattern, text = _filled(pattern, ("", "")), _filled(text, ("", ""))
    assert matches(pattern, text) is (YES if _obviously(pattern, text) else NO)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(parts, texts)
def test_unknown_parts_never_make_an_answer_surer_than_every_filling(pattern: str, text: str) -> None:
    found = matches(_with_holes(pattern), _with_holes(text))
    answers = set(_answers(pattern, text))
    assert found is not YES or answers == {True}
    assert found is not NO or answers == {False}


@pytest.mark.parametrize(
    ("pattern", "text", "truth"),
    [
        ("arn:aws:s3:::*", "arn:aws:s3:::data/one", YES),
        ("arn:aws:s3:::data", "arn:aws:s3:::Data", NO),
        ("arn:aws:logs:*:*:group:*", "arn:aws:logs:eu-central-1:1:group:a:stream", YES),
        ("arn:aws:sqs", "arn:aws:sqs:eu-central-1:1:jobs", YES),
        ("arn:aws:s3:::a*", "arn:aws:s3:eu-central-1:1:accesspoint/a", NO),
        # "If the * wildcard is the last character of a resource ARN segment, it can expand to match beyond the colon
        # boundaries": whether here, AWS does not say.
        ("arn:aws:sqs:*:jobs", "arn:aws:sqs:eu-central-1:1:jobs", MAYBE),
        ("arn:*:jobs", "arn:aws:sqs:eu-central-1:1:jobs", MAYBE),
        ("execute-api:/*", "arn:aws:execute-api:eu-central-1:1:api/prod/GET/pets", YES),
        ("execute-api:/prod/*", "arn:aws:execute-api:eu-central-1:1:api/test/GET/prod/1", NO),
        ("execute-api:/*", "arn:aws:lambda:eu-central-1:1:function:pets", NO),
        ("arn:aws:s3:::" + anything("bucket") + "/*", "arn:aws:s3:::data/one", MAYBE),
        ("arn:aws:s3:::" + anything("bucket") + "/*", "arn:aws:s3:::" + anything("bucket") + "/one", YES),
        (anything("an ARN"), "arn:aws:s3:::data", MAYBE),
        ("⟪cut off", "arn:aws:s3:::data", MAYBE),
        ("arn:aws:s3:::logs", "arn:aws:s3:::data-" + anything("suffix"), NO),
        ("arn:aws:s3:::data-*", "arn:aws:s3:::data-" + anything("suffix"), YES),
        ("arn:aws:s3:::data-?", "arn:aws:s3:::data-" + anything("suffix"), MAYBE),
    ],
)
def test_patterns_of_arns_are_held_part_by_part(pattern: str, text: str, truth: Truth) -> None:
    assert matches_arn(pattern, text) is truth


def test_a_literal_star_is_no_wildcard() -> None:
    assert matches(literal("a*"), "ab") is NO
    assert matches(literal("a*"), "a*") is YES
    assert matches("*" + literal("?"), "what?") is YES
    assert matches("*" + literal("?"), "what!") is NO
