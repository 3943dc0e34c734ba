"""Text at the borders: what callers may send, and what a model's words are made fit for."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character U+0000")
    return text


Text = Annotated[
    str,
    StringConstraints(max_length=65_536),
    AfterValidator(_without_nul),
    Field(json_schema_extra={"format": "spoken"}),
]
"""What somebody said. pydantic itself refuses lone surrogates."""


def clean(text: str) -> str:
    """``text`` without NUL, with surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
