"""Conversations in the database; every statement is about one person's."""

from uuid import UUID, uuid4

from chassis.direct import Built, Connection
from sqlalchemy import DateTime, Integer, Text, Uuid, bindparam, delete, insert, select, tuple_

from backend.conversations.schemas import Conversation, Persona
from backend.pages import Page, cursor_of, read_cursor
from backend.schema import conversations

_COLUMNS = (conversations.c.conversation_id, conversations.c.persona, conversations.c.created_at)
_MINE = conversations.c.user_id == bindparam("user", type_=Uuid())
_KEY = (conversations.c.created_at, conversations.c.conversation_id)
_LIST = (
    select(*_COLUMNS)
    .where(_MINE)
    .order_by(*(column.desc() for column in _KEY))
    .limit(bindparam("most", type_=Integer()))
)
_FIRST_PAGE = Built(_LIST)
_LATER_PAGE = Built(
    _LIST.where(
        tuple_(*_KEY) < tuple_(bindparam("seen_at", type_=DateTime(timezone=True)), bindparam("seen", type_=Uuid()))
    )
)
_THIS = (conversations.c.conversation_id == bindparam("this", type_=Uuid())) & _MINE
_FIND = Built(select(*_COLUMNS).where(_THIS))
_REMOVE = Built(delete(conversations).where(_THIS).returning(conversations.c.conversation_id))
_ADD = Built(
    insert(conversations)
    .values(
        conversation_id=bindparam("this", type_=Uuid()),
        user_id=bindparam("user", type_=Uuid()),
        persona=bindparam("persona", type_=Text()),
    )
    .returning(*_COLUMNS)
)


async def add(connection: Connection, user_id: UUID, persona: Persona) -> Conversation:
    """A new conversation.

    Raises:
        ForeignKeyViolationError: the person has been erased.
    """
    (row,) = await connection.rows(_ADD, this=uuid4(), user=user_id, persona=persona)
    return Conversation.model_construct(None, **row)


async def find(connection: Connection, user_id: UUID, conversation_id: UUID) -> Conversation | None:
    """This person's conversation of this id."""
    rows = await connection.rows(_FIND, user=user_id, this=conversation_id)
    return Conversation.model_construct(None, **rows[0]) if rows else None


async def page(connection: Connection, user_id: UUID, limit: int, cursor: str | None) -> Page[Conversation]:
    """This person's conversations, newest first.

    Raises:
        Problem: 422 for a cursor that no page has given.
    """
    if cursor is None:
        rows = await connection.rows(_FIRST_PAGE, user=user_id, most=limit + 1)
    else:
        seen_at, seen = read_cursor(cursor)
        rows = await connection.rows(_LATER_PAGE, user=user_id, most=limit + 1, seen_at=seen_at, seen=seen)
    # What the database holds was checked when it was written.
    items = [Conversation.model_construct(None, **row) for row in rows[:limit]]
    return Page(items=items, next=cursor_of(items[-1].created_at, items[-1].conversation_id) if rows[limit:] else None)


async def remove(connection: Connection, user_id: UUID, conversation_id: UUID) -> bool:
    """Remove this person's conversation and all that hangs on it; ``False`` when there is none."""
    return bool(await connection.rows(_REMOVE, user=user_id, this=conversation_id))
