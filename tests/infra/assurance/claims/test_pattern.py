"""A pattern matches what its description says it matches, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.assurance.claims.pattern import any_of, shape_of, text_of


def obviously(pattern: str, text: str) -> bool:
    """The slow oracle: try every length for every star."""
    if not pattern:
        return not text
    if pattern.startswith("[*]"):
        return text.startswith("*") and obviously(pattern[3:], text[1:])
    if pattern.startswith("**"):
        return any(obviously(pattern[2:], text[n:]) for n in range(len(text) + 1))
    if pattern.startswith("*"):
        return any("/" not in text[:n] and obviously(pattern[1:], text[n:]) for n in range(len(text) + 1))
    return text[:1] == pattern[0] and obviously(pattern[1:], text[1:])


patterns = st.lists(st.sampled_from(["a", "/", "*", "**", "[*]", ".", "("]), max_size=6).map("".join)
texts = st.text("a/*.(", max_size=6)


def matches(patterns_: list[str], values: list[str]) -> bool:
    shape, text = shape_of(patterns_), text_of(values)
    return shape == text if isinstance(shape, str) else bool(shape.fullmatch(text))


@settings(deadline=None, max_examples=300, derandomize=True)
@given(pattern=patterns, text=texts)
@example(pattern="a[*]", text="a*")
@example(pattern="*", text="a/a")
@example(pattern="**", text="a/a")
def test_pattern_matches_what_it_says(pattern: str, text: str) -> None:
    assert matches([pattern], [text]) == obviously(pattern, text)
    assert bool(any_of([[pattern, "other"]]).fullmatch(text)) == (obviously(pattern, text) or text == "other")


@settings(deadline=None, max_examples=200, derandomize=True)
@given(columns=st.lists(st.tuples(patterns, texts), min_size=2, max_size=3))
def test_columns_are_matched_each_by_its_own_pattern(columns: list[tuple[str, str]]) -> None:
    patterns_, values = [pattern for pattern, _ in columns], [value for _, value in columns]
    assert matches(patterns_, values) == all(obviously(pattern, value) for pattern, value in columns)


@pytest.mark.parametrize(("pattern", "exact"), [("kms:[*] on [*]", "kms:* on *"), ("a.b", "a.b")])
def test_without_a_star_a_pattern_means_one_text(pattern: str, exact: str) -> None:
    assert shape_of([pattern]) == exact
