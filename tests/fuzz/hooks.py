"""What schemathesis needs to know of this API beyond its document; it loads this by name (``SCHEMATHESIS_HOOKS``)."""

import os
from pathlib import Path
from typing import Any, cast

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import Failure

from tests.support.person import Person

Case = schemathesis.Case[Any]

URL, CA = "FUZZ_URL", "FUZZ_CA"
"""Variables that say where the API is, and who vouches for it."""

_TEXT = strategies.text(strategies.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=100)
# What these formats are cannot be said in JSON Schema.
schemathesis.openapi.format("spoken", _TEXT.map(lambda text: f"{text}x"))
schemathesis.openapi.format("password", _TEXT.map(lambda text: f"{text} unlike others"))


def _somebody() -> str:
    """An access token of a person who was not there before."""
    return Person(os.environ[URL], Path(os.environ[CA])).register().tokens["access_token"]


@schemathesis.auth(refresh_interval=None)  # pyright: ignore[reportUnknownMemberType] - its types leave a gap
class Token:
    """Calls are one person's; who erases an account erases another's, or nobody would be left to call."""

    def __init__(self) -> None:
        self._token = ""

    def get(self, case: Case, _context: schemathesis.AuthContext) -> str:
        """An access token for one call."""
        if cast("str", case.operation.path).endswith("/users/me") and case.method.upper() == "DELETE":
            return _somebody()
        self._token = self._token or _somebody()
        return self._token

    def set(self, case: Case, data: str, _context: schemathesis.AuthContext) -> None:
        """Send it."""
        headers = cast("dict[str, str]", case.headers)  # pyright: ignore[reportUnknownMemberType] - as above
        headers["Authorization"] = f"Bearer {data}"


_DEPENDS_ON_BEFORE = {"/query/cursor", "/header/Idempotency-Key"}
"""A cursor of another list and a key that was used for something else are well-formed, and refused all the same."""

_SAID_IN_WORDS = ("content", "password", "new_password")
"""Nobody can tell from the document which string violates the formats above."""


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
