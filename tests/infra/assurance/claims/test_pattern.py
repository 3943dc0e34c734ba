"""A pattern matches what its description says it matches, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.assurance.claims.pattern import any_of, exact


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


@settings(deadline=None, max_examples=500, derandomize=True)
@given(pattern=patterns, text=texts)
@example(pattern="a[*]", text="a*")
@example(pattern="*", text="a/a")
@example(pattern="**", text="a/a")
@example(pattern="a**", text="")
@example(pattern="***", text="/")
def test_pattern_matches_what_it_says(pattern: str, text: str) -> None:
    assert any_of([pattern]).matches(text) == obviously(pattern, text)
    assert any_of([pattern, "other"]).matches(text) == (obviously(pattern, text) or text == "other")
    assert exact(pattern) is None or (exact(pattern) == text) == obviously(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"), [("kms:[*] on [*]", "kms:* on *"), ("a.b", "a.b"), ("a*", None), ("[*]*", None)]
)
def test_without_a_star_a_pattern_means_one_text(pattern: str, text: str | None) -> None:
    assert exact(pattern) == text
