"""Messages in the database; every statement is about one person's. Words are sealed and opened here."""

import base64
import binascii
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    LargeBinary,
    RowMapping,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from backend import seal
from backend.ai_core import Turn
from backend.messages.schemas import Message, PersonMessage, Reply
from backend.pages import Page, bad_cursor
from backend.schema import conversations, messages, outbox

_COLUMNS = (
    messages.c.message_id,
    messages.c.conversation_id,
    messages.c.sender,
    messages.c.content,
    messages.c.created_at,
    messages.c.status,
    messages.c.user_message_id,
)


_USER, _CONVERSATION, _MESSAGE = (bindparam(name, type_=Uuid()) for name in ("user", "conversation", "message"))

# Built once: building a statement takes longer than running it.
_PERSONA = select(conversations.c.persona).where(
    conversations.c.conversation_id == _CONVERSATION, conversations.c.user_id == _USER
)
_LOCK = _PERSONA.with_for_update(read=True, key_share=True)
_HISTORY = (
    select(messages.c.sender, messages.c.content)
    .where(
        messages.c.conversation_id == _CONVERSATION,
        messages.c.user_id == _USER,
        messages.c.position
        < func.coalesce(
            select(messages.c.position)
            .where(messages.c.message_id == _MESSAGE, messages.c.user_id == _USER)
            .scalar_subquery(),
            2**63 - 1,
        ),
    )
    .order_by(messages.c.position.desc())
    .limit(bindparam("most", type_=Integer()))
)


def _insert(sender: Literal["user", "ai"], **more: ColumnElement[Any]) -> Insert:
    """Stores a message in the conversation, unless that is gone; one statement, as it needs no transaction then."""
    values: dict[str, ColumnElement[Any]] = {
        "message_id": _MESSAGE,
        "conversation_id": conversations.c.conversation_id,
        "user_id": conversations.c.user_id,
        "sender": literal(sender),
        "content": bindparam("words", type_=LargeBinary()),
        **more,
    }
    return insert(messages).from_select(list(values), _LOCK.with_only_columns(*values.values()))


_ADD_MESSAGE = _insert("user", status=literal("complete")).returning(_PERSONA.scalar_subquery())


def _add_reply() -> Select[datetime]:
    more = {"user_message_id": bindparam("answered", type_=Uuid()), "status": bindparam("status", type_=Text())}
    columns = (messages.c.message_id, messages.c.conversation_id, messages.c.user_id, messages.c.created_at)
    reply = _insert("ai", **more).returning(*columns).cte("reply")
    turn = insert(outbox).from_select(
        ["reply_message_id", "conversation_id", "user_id"],
        select(reply.c.message_id, reply.c.conversation_id, reply.c.user_id),
    )
    return select(reply.c.created_at).add_cte(turn.cte("turn"))


_ADD_REPLY = _add_reply()


def _message(row: RowMapping) -> Message:
    fields: dict[str, Any] = {**row, "content": seal.open_sealed(row["content"])}
    if row["sender"] == "user":
        del fields["user_message_id"]
        return PersonMessage(**fields)
    return Reply(**fields)


async def lock_conversation(connection: AsyncConnection, user_id: UUID, conversation_id: UUID) -> str | None:
    """The persona of this person's conversation, which cannot be deleted until the transaction ends."""
    return await connection.scalar(_LOCK, {"user": user_id, "conversation": conversation_id})


async def add_message(
    connection: AsyncConnection, user_id: UUID, conversation_id: UUID, message_id: UUID, content: str
) -> str | None:
    """Store what a person said; the persona it was said to, or ``None`` when they have no such conversation."""
    values = {"user": user_id, "conversation": conversation_id, "message": message_id, "words": seal.seal(content)}
    return await connection.scalar(_ADD_MESSAGE, values)


async def add_reply(
    connection: AsyncConnection,
    user_id: UUID,
    conversation_id: UUID,
    *,
    user_message_id: UUID,
    content: str,
    status: Literal["complete", "interrupted"],
) -> Reply | None:
    """Store a reply and have the outbox hand the turn to the memory; ``None`` when the conversation is gone.

    Raises:
        IntegrityError: the message has a reply already.
    """
    message_id = uuid4()
    values = {"user": user_id, "conversation": conversation_id, "message": message_id, "words": seal.seal(content)}
    created_at = await connection.scalar(_ADD_REPLY, {**values, "answered": user_message_id, "status": status})
    if created_at is None:
        return None
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
    """What was said before a message, oldest first: the newest turns that fit both bounds.

    Before a message that is not stored yet is all that is.
    """
    values = {"user": user_id, "conversation": conversation_id, "message": before, "most": most}
    turns: list[Turn] = []
    for row in await connection.execute(_HISTORY, values):
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
