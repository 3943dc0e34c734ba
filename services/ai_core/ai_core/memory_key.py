"""The request header ``Memory-Key``: a person's key for their memories, handed along with each call about words."""

import base64
import binascii
from typing import Annotated
from uuid import UUID

from chassis.problems import InvalidValue, Problem
from chassis.sealing.cells import PersonKey
from chassis.sealing.key_service import CannotUnwrap
from fastapi import Depends, Header

from ai_core.memory.keys import MemoryKeys

HEADER = "Memory-Key"
MOST_CHARACTERS = 1368
"""1 KiB in base64; what AWS KMS makes of a data key has less than 200 bytes."""


async def _decoded(
    header: Annotated[
        str,
        Header(
            alias=HEADER,
            min_length=4,
            max_length=MOST_CHARACTERS,
            pattern="^[A-Za-z0-9+/]+={0,2}$",
            description="The person's key for their memories as the key service wrapped it, in base64.",
        ),
    ],
) -> bytes:
    try:
        return base64.b64decode(header, validate=True)
    except binascii.Error:
        raise not_theirs() from None


WrappedKey = Annotated[bytes, Depends(_decoded)]
"""What a call brings in ``HEADER``."""


def not_theirs() -> Problem:
    """The answer to a wrapped key that is none, or not one for this person's memories."""
    wrong = InvalidValue(pointer=f"/header/{HEADER}", detail="must be the wrapped key of this person's memories")
    return Problem(422, f"The {HEADER} is not good for this person.", errors=[wrong])


async def unwrapped(keys: MemoryKeys, user_id: UUID, wrapped: bytes) -> PersonKey:
    """``keys.of`` for a route.

    Raises:
        Problem: 422 when it is not a key for this person's memories.
        KeyServiceUnavailable: it cannot be unwrapped now.
    """
    try:
        return await keys.of(user_id, wrapped)
    except CannotUnwrap:
        raise not_theirs() from None
