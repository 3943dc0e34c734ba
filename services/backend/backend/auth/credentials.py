"""What shows that an account is as the backend wrote it: a MAC over its credentials, with a key of the person's own.

Without it, whoever can edit the database could give anybody a password of their choice and sign in. It does not show
that the account is the newest that was written: a row put back as a whole, as a restored backup does, is accepted.
"""

import hmac
from dataclasses import dataclass, field
from uuid import UUID

from chassis.sealing.cells import PersonKey, joined


@dataclass(frozen=True)
class Credentials:
    """What a person signs in with, as it is stored; ``rev`` counts how often it was set."""

    user_id: UUID
    email: str = field(repr=False)
    hashed_password: str = field(repr=False)
    rev: int = 1


@dataclass(frozen=True)
class Stored:
    """An account as it is found, with the MAC that stands beside it."""

    credentials: Credentials
    mac: bytes | None


def mac_of(key: PersonKey, credentials: Credentials) -> bytes:
    """HMAC-SHA256 of ``credentials``, with their owner's key for messages."""
    parts = joined(
        credentials.user_id.bytes, credentials.email, credentials.hashed_password, credentials.rev.to_bytes(8)
    )
    return hmac.digest(key.subkey("credentials"), parts, "sha256")


def as_written(key: PersonKey, stored: Stored) -> bool:
    """Whether the MAC is that of these credentials; an account without one is not as we wrote it."""
    return stored.mac is not None and hmac.compare_digest(stored.mac, mac_of(key, stored.credentials))
