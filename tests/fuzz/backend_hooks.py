"""What schemathesis needs to know of the backend's API beyond its document."""

import os
from pathlib import Path
from typing import cast

import schemathesis
from hypothesis import strategies

from tests.fuzz.fuzzing import CA, URL
from tests.fuzz.hooks import TEXT, Case
from tests.support.person import Person

schemathesis.openapi.format("password", TEXT.map(lambda text: f"{text} unlike others"))
# Few addresses come to the mind of the usual strategy, and the second registration of one leads nowhere.
schemathesis.openapi.format("email", strategies.emails() | strategies.uuids().map(lambda one: f"{one}@example.com"))


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
