"""A person's account as a whole."""

from uuid import UUID

from chassis.direct import Built, Connection, Row
from sqlalchemy import bindparam, delete, select

from backend.auth.throttle import account_of
from backend.schema import sign_in_failures, users

_FIND = Built(select(users.c.user_id, users.c.email, users.c.created_at).where(users.c.user_id == bindparam("user")))
_REMOVE = Built(delete(users).where(users.c.user_id == bindparam("user")).returning(users.c.email))
_FORGET_FAILURES = Built(delete(sign_in_failures).where(sign_in_failures.c.account == bindparam("account")))


async def find(connection: Connection, user_id: UUID) -> Row | None:
    """``user_id``, ``email`` and ``created_at`` of an account."""
    rows = await connection.rows(_FIND, user=user_id)
    return rows[0] if rows else None


async def remove(connection: Connection, user_id: UUID) -> bool:
    """Remove a person and everything of theirs from the database; ``False`` when there is none."""
    removed = await connection.rows(_REMOVE, user=user_id)
    for user in removed:
        await connection.rows(_FORGET_FAILURES, account=account_of(user.email))
    return bool(removed)
