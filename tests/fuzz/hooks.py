"""What schemathesis needs to know of every API here beyond its document; it loads this by name
(``SCHEMATHESIS_HOOKS``), or by way of the hooks of one API.
"""

from typing import Any

import schemathesis
import schemathesis.cli
from hypothesis import strategies
from schemathesis.core.failures import Failure

from tests.fuzz import said
from tests.fuzz.followed import Followed

Case = schemathesis.Case[Any]

TEXT = strategies.text(strategies.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=100)
# What this format is cannot be said in JSON Schema.
schemathesis.openapi.format("spoken", TEXT.map(lambda text: f"{text}x"))
schemathesis.cli.handler()(Followed)
schemathesis.cli.handler()(said.Said)

_DEPENDS_ON_BEFORE = {"/query/cursor", "/header/Idempotency-Key", "/header/Memory-Key"}
"""A cursor of another list, a key that was used for something else and one that was never wrapped are well-formed, and
refused all the same."""

_SAID_IN_WORDS = ("content", "password", "new_password")
"""Nobody can tell from the document which string violates the formats of these."""


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - its types leave a gap
def after_call(_context: schemathesis.HookContext, _case: Case, response: schemathesis.Response) -> None:
    """Remember what was said."""
    said.note(response)


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - as above
def filter_failure(
    _context: schemathesis.HookContext, failure: Failure, _case: Case, response: schemathesis.Response
) -> bool:
    """Whether a failure is one."""
    if any(f"violates `format` at /properties/{name}" in failure.message for name in _SAID_IN_WORDS):
        return False
    if response.status_code != 422 or failure.title != "Schema-valid request rejected":
        return True
    return not {error["pointer"] for error in response.json().get("errors", [])} <= _DEPENDS_ON_BEFORE
