"""Lists in pages: ``?limit=`` and an opaque ``?cursor=`` that names the last thing seen (keyset pagination)."""

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from chassis.problems import InvalidValue, Problem
from fastapi import Query
from pydantic import BaseModel

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=100, description="How many at the most.")]
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before.")]
DEFAULT_LIMIT = 20

_KEY = struct.Struct(">q16s")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Page(BaseModel, Generic[T]):
    """A page of a list; ``next`` is the cursor of the one after, ``null`` on the last."""

    items: list[T]
    next: str | None


def cursor_of(created_at: datetime, identifier: UUID) -> str:
    """The cursor of a thing by when it was made."""
    key = _KEY.pack((created_at - _EPOCH) // _MICROSECOND, identifier.bytes)
    return base64.urlsafe_b64encode(key).decode()


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """What ``cursor_of`` was made of.

    Raises:
        Problem: 422 when it was made of nothing.
    """
    try:
        micros, identifier = _KEY.unpack(base64.b64decode(cursor, altchars=b"-_", validate=True))
        return _EPOCH + micros * _MICROSECOND, UUID(bytes=identifier)
    except (binascii.Error, struct.error, ValueError, OverflowError):
        raise bad_cursor() from None


def bad_cursor() -> Problem:
    """The answer to a cursor that no page has given."""
    return Problem(
        422,
        "The cursor is not one that a page has given.",
        errors=[InvalidValue(pointer="/query/cursor", detail="must be the next of an earlier page")],
    )
