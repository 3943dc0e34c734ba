"""Refresh tokens: each names its sign-in, and is stored as a MAC made with a key of the person whose sign-in that is.

So whoever can write to the database can make none that is good, neither for somebody's sign-in nor for one that they
add for somebody. 256 random bits need no slow hash.
"""

import hmac
import secrets
from uuid import UUID

from chassis.sealing.cells import PersonKey

_RANDOM_BYTES = 32


def new_token(sign_in_id: UUID) -> str:
    """A token of this sign-in."""
    return f"{sign_in_id.hex}.{secrets.token_urlsafe(_RANDOM_BYTES)}"


def sign_in_of(token: str) -> UUID | None:
    """The sign-in that a token names; none where it is no token of ours."""
    name, dot, _ = token.partition(".")
    try:
        return UUID(hex=name) if dot else None
    except ValueError:
        return None


def stored_form(key: PersonKey, token: str) -> bytes:
    """What is stored of a token, with its owner's key for messages."""
    return hmac.digest(key.subkey("refresh_tokens"), token.encode("utf-8", "surrogatepass"), "sha256")
