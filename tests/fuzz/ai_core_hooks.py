"""What schemathesis needs to know of the AI core's API beyond its document."""

import base64
import os
import re
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import schemathesis
from chassis.sealing.key_service import FileKeyService, context

from tests.fuzz.fuzzing import KEY_FILE
from tests.fuzz.hooks import Case

HEADER = "Memory-Key"
_WELL_FORMED = re.compile(r"[A-Za-z0-9+/]{2,1366}={0,2}")

_service = FileKeyService(Path(os.environ[KEY_FILE]))
_written: dict[UUID, str] = {}


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType] - its types leave a gap
def before_call(_context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Send the key of the person whom a call is about, in the place of one that is well-formed and nobody's."""
    headers = cast("dict[str, str] | None", case.headers)  # pyright: ignore[reportUnknownMemberType] - as above
    user_id = _person(case)
    if headers and user_id and _WELL_FORMED.fullmatch(str(headers.get(HEADER, ""))):
        headers[HEADER] = _key(user_id)


def _key(user_id: UUID) -> str:
    """The person's wrapped key: always the same one."""
    if user_id not in _written:
        _written[user_id] = base64.b64encode(_service.generate(context("memories", user_id))).decode()
    return _written[user_id]


def _person(case: Case) -> UUID | None:
    named: list[object] = [case.path_parameters, case.body]  # pyright: ignore[reportUnknownMemberType] - as above
    for where in named:
        try:
            return UUID(cast("dict[str, str]", where)["user_id"])
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return None
