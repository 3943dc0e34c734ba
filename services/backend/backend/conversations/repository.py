"""Conversations in the database; every statement is about one person's."""

from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.conversations.schemas import Conversation, Persona
from backend.pages import Page, cursor_of, read_cursor
from backend.schema import conversations

_COLUMNS = (conversations.c.conversation_id, conversations.c.persona, conversations.c.created_at)


async def add(connection: AsyncConnection, user_id: UUID, persona: Persona) -> Conversation:
    """A new conversation.

    Raises:
        IntegrityError: the person has been erased.
    """
    statement = insert(conversations).values(conversation_id=uuid4(), user_id=user_id, persona=persona)
    row = (await connection.execute(statement.returning(*_COLUMNS))).one()
    return Conversation.model_validate(row, from_attributes=True)


async def find(connection: AsyncConnection, user_id: UUID, conversation_id: UUID) -> Conversation | None:
    """This person's conversation of this id."""
    statement = select(*_COLUMNS).where(
        conversations.c.conversation_id == conversation_id, conversations.c.user_id == user_id
    )
    row = (await connection.execute(statement)).one_or_none()
    return Conversation.model_validate(row, from_attributes=True) if row else None


async def page(connection: AsyncConnection, user_id: UUID, limit: int, cursor: str | None) -> Page[Conversation]:
    """This person's conversations, newest first.

    Raises:
        Problem: 422 for a cursor that no page has given.
    """
    key = tuple_(conversations.c.created_at, conversations.c.conversation_id)
    statement = select(*_COLUMNS).where(conversations.c.user_id == user_id)
    if cursor is not None:
        statement = statement.where(key < read_cursor(cursor))
    statement = statement.order_by(conversations.c.created_at.desc(), conversations.c.conversation_id.desc())
    rows = (await connection.execute(statement.limit(limit + 1))).all()
    items = [Conversation.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return Page(items=items, next=cursor_of(items[-1].created_at, items[-1].conversation_id) if rows[limit:] else None)


async def remove(connection: AsyncConnection, user_id: UUID, conversation_id: UUID) -> bool:
    """Remove this person's conversation and all that hangs on it; ``False`` when there is none."""
    statement = delete(conversations).where(
        conversations.c.conversation_id == conversation_id, conversations.c.user_id == user_id
    )
    return (await connection.execute(statement)).rowcount > 0
