"""Messages in the database; every statement is about one person's. Words are sealed and opened here."""

import base64
import binascii
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from backend import seal
from backend.ai_core import Turn
from backend.messages.schemas import Message, PersonMessage, Reply
from backend.pages import Page, bad_cursor
from backend.schema import conversations, messages

_COLUMNS = (
    messages.c.message_id,
    messages.c.conversation_id,
    messages.c.sender,
    messages.c.content,
    messages.c.created_at,
    messages.c.status,
    messages.c.user_message_id,
)


def _message(row: RowMapping) -> Message:
    fields: dict[str, Any] = {**row, "content": seal.open_sealed(row["content"])}
    if row["sender"] == "user":
        del fields["user_message_id"]
        return PersonMessage(**fields)
    return Reply(**fields)


async def lock_conversation(connection: AsyncConnection, user_id: UUID, conversation_id: UUID) -> str | None:
    """The persona of this person's conversation, which cannot be deleted until the transaction ends."""
    statement = select(conversations.c.persona).where(
        conversations.c.conversation_id == conversation_id, conversations.c.user_id == user_id
    )
    return await connection.scalar(statement.with_for_update(read=True, key_share=True))


async def add_message(
    connection: AsyncConnection, user_id: UUID, conversation_id: UUID, message_id: UUID, content: str
) -> None:
    """Store what a person said."""
    await connection.execute(
        insert(messages).values(
            message_id=message_id,
            conversation_id=conversation_id,
            user_id=user_id,
            sender="user",
            content=seal.seal(content),
            status="complete",
        )
    )


async def add_reply(
    connection: AsyncConnection,
    user_id: UUID,
    conversation_id: UUID,
    *,
    message_id: UUID,
    user_message_id: UUID,
    content: str,
    status: Literal["complete", "interrupted"],
) -> Reply:
    """Store a reply.

    Raises:
        IntegrityError: the message has one already.
    """
    statement = insert(messages).values(
        message_id=message_id,
        conversation_id=conversation_id,
        user_id=user_id,
        user_message_id=user_message_id,
        sender="ai",
        content=seal.seal(content),
        status=status,
    )
    created_at = (await connection.execute(statement.returning(messages.c.created_at))).scalar_one()
    return Reply(
        message_id=message_id,
        conversation_id=conversation_id,
        user_message_id=user_message_id,
        content=content,
        created_at=created_at,
        status=status,
    )


async def find_reply(connection: AsyncConnection, user_id: UUID, user_message_id: UUID) -> Reply | None:
    """The reply to this person's message."""
    statement = select(*_COLUMNS).where(messages.c.user_message_id == user_message_id, messages.c.user_id == user_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    found = _message(row) if row else None
    return found if isinstance(found, Reply) else None


async def history(
    connection: AsyncConnection, user_id: UUID, conversation_id: UUID, *, before: UUID, most: int, most_bytes: int
) -> list[Turn]:
    """What was said before a message, oldest first: the newest turns that fit both bounds."""
    position = select(messages.c.position).where(messages.c.message_id == before, messages.c.user_id == user_id)
    statement = (
        select(messages.c.sender, messages.c.content)
        .where(
            messages.c.conversation_id == conversation_id,
            messages.c.user_id == user_id,
            messages.c.position < position.scalar_subquery(),
        )
        .order_by(messages.c.position.desc())
        .limit(most)
    )
    turns: list[Turn] = []
    for row in await connection.execute(statement):
        most_bytes -= len(row.content)
        if most_bytes < 0:
            break
        turns.append(Turn(sender=row.sender, content=seal.open_sealed(row.content)))
    return turns[::-1]


async def page(
    connection: AsyncConnection, user_id: UUID, conversation_id: UUID, limit: int, cursor: str | None
) -> Page[Message]:
    """The newest messages of this person's conversation, in ascending order; the cursor leads to older ones.

    A cursor is the id of the oldest message shown: a message's position would tell how many all people have written.

    Raises:
        Problem: 422 for a cursor that no page of this conversation has given.
    """
    mine = (messages.c.conversation_id == conversation_id) & (messages.c.user_id == user_id)
    statement = select(*_COLUMNS).where(mine)
    if cursor is not None:
        position = select(messages.c.position).where(mine, messages.c.message_id == _read_cursor(cursor))
        if (before := await connection.scalar(position)) is None:
            raise bad_cursor()
        statement = statement.where(messages.c.position < before)
    statement = statement.order_by(messages.c.position.desc()).limit(limit + 1)
    rows = (await connection.execute(statement)).mappings().all()
    items = [_message(row) for row in rows[:limit]][::-1]
    return Page(items=items, next=_cursor(items[0].message_id) if rows[limit:] else None)


def _cursor(message_id: UUID) -> str:
    return base64.urlsafe_b64encode(message_id.bytes).decode()


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
