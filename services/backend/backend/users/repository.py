"""A person's account as a whole."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.auth.throttle import account_of
from backend.schema import sign_in_failures, users


async def find(connection: AsyncConnection, user_id: UUID) -> Row[Any, Any, Any] | None:
    """``user_id``, ``email`` and ``created_at`` of an account."""
    statement = select(users.c.user_id, users.c.email, users.c.created_at).where(users.c.user_id == user_id)
    return (await connection.execute(statement)).one_or_none()


async def remove(connection: AsyncConnection, user_id: UUID) -> bool:
    """Remove a person and everything of theirs from the database; ``False`` when there is none."""
    email = await connection.scalar(delete(users).where(users.c.user_id == user_id).returning(users.c.email))
    if email is None:
        return False
    await connection.execute(delete(sign_in_failures).where(sign_in_failures.c.account == account_of(email)))
    return True
