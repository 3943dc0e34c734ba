"""Messages in the database; every statement is about one person's. Their words are sealed and opened here."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from chassis.direct import Built, Connection, Row
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Insert,
    Integer,
    LargeBinary,
    Select,
    Text,
    Uuid,
    bindparam,
    insert,
    literal,
    select,
    true,
)

from backend.ai_core import Turn
from backend.limits.allowances import Allowance, counting, values_of
from backend.messages.schemas import Message, PersonMessage, Reply
from backend.messages.words import Words
from backend.pages import Page, bad_cursor
from backend.schema import conversations, messages, outbox, person_usage

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
_MOST = bindparam("most", type_=Integer())
_MINE = (messages.c.conversation_id == _CONVERSATION) & (messages.c.user_id == _USER)

_PERSONA = select(conversations.c.persona).where(
    conversations.c.conversation_id == _CONVERSATION, conversations.c.user_id == _USER
)
_LOCK = _PERSONA.with_for_update(read=True, key_share=True)
_LOCK_CONVERSATION = Built(_LOCK)
_HISTORY = Built(
    select(messages.c.message_id, messages.c.sender, messages.c.content)
    .where(
        _MINE,
        messages.c.position
        < select(messages.c.position)
        .where(messages.c.message_id == _MESSAGE, messages.c.user_id == _USER)
        .scalar_subquery(),
    )
    .order_by(messages.c.position.desc())
    .limit(_MOST)
)


def _insert(sender: Literal["user", "ai"], **more: ColumnElement[Any]) -> Insert:
    """Stores a message in the conversation, unless that is gone; one statement, as it needs no transaction then."""
    values: dict[str, ColumnElement[Any]] = {
        "message_id": _MESSAGE,
        "conversation_id": conversations.c.conversation_id,
        "user_id": conversations.c.user_id,
        "sender": literal(sender),
        "content": bindparam("cell", type_=LargeBinary()),
        **more,
    }
    return insert(messages).from_select(list(values), _LOCK.with_only_columns(*values.values()))


def _add_message() -> Select[str, UUID, str, bytes]:
    """Counts and stores what a person says, unless the conversation is gone or they have used up their messages.

    A row a turn before it, and at least one: what a statement reads is as it was before the statement.
    """
    spoken = _LOCK.add_columns(conversations.c.conversation_id, conversations.c.user_id).cte("spoken")
    minute = counting("messages_minute", person_usage, select(spoken.c.user_id)).cte("minute")
    day = counting("messages_day", person_usage, select(minute.c.user_id)).cte("day")
    values: dict[str, ColumnElement[Any]] = {
        "message_id": _MESSAGE,
        "conversation_id": spoken.c.conversation_id,
        "user_id": spoken.c.user_id,
        "sender": literal("user"),
        "content": bindparam("cell", type_=LargeBinary()),
        "status": literal("complete"),
    }
    allowed = select(*values.values()).join_from(spoken, day, spoken.c.user_id == day.c.user_id)
    persona = select(spoken.c.persona).scalar_subquery().label("persona")
    added = insert(messages).from_select(list(values), allowed).returning(persona).cte("added")
    before = (
        select(messages.c.message_id, messages.c.sender, messages.c.content, messages.c.position)
        .where(_MINE)
        .order_by(messages.c.position.desc())
        .limit(_MOST)
        .subquery("before")
    )
    return (
        select(added.c.persona, before.c.message_id, before.c.sender, before.c.content)
        .select_from(added.outerjoin(before, true()))
        .order_by(before.c.position.desc())
    )


_ADD_MESSAGE = Built(_add_message())


def _add_reply() -> Select[datetime]:
    more = {"user_message_id": bindparam("answered", type_=Uuid()), "status": bindparam("status", type_=Text())}
    columns = (messages.c.message_id, messages.c.conversation_id, messages.c.user_id, messages.c.created_at)
    reply = _insert("ai", **more).returning(*columns).cte("reply")
    turn = insert(outbox).from_select(
        ["reply_message_id", "conversation_id", "user_id"],
        select(reply.c.message_id, reply.c.conversation_id, reply.c.user_id),
    )
    return select(reply.c.created_at).add_cte(turn.cte("turn"))


_ADD_REPLY = Built(_add_reply())
_FIND_REPLY = Built(select(*_COLUMNS).where(messages.c.user_message_id == _MESSAGE, messages.c.user_id == _USER))
_LIST = select(*_COLUMNS).where(_MINE).order_by(messages.c.position.desc()).limit(bindparam("most", type_=Integer()))
_FIRST_PAGE = Built(_LIST)
_LATER_PAGE = Built(_LIST.where(messages.c.position < bindparam("before", type_=BigInteger())))
_POSITION = Built(select(messages.c.position).where(_MINE, messages.c.message_id == _MESSAGE))


def _message(row: Row, words: Words) -> Message:
    # What the database holds was checked when it was written.
    fields: dict[str, Any] = {**row, "content": words.open(row["message_id"], row["content"])}
    if row["sender"] == "user":
        del fields["user_message_id"]
        return PersonMessage.model_construct(None, **fields)
    return Reply.model_construct(None, **fields)


async def lock_conversation(connection: Connection, user_id: UUID, conversation_id: UUID) -> str | None:
    """The persona of this person's conversation, which cannot be deleted until the transaction ends."""
    rows = await connection.rows(_LOCK_CONVERSATION, user=user_id, conversation=conversation_id)
    return rows[0].persona if rows else None


async def add_message(
    connection: Connection,
    words: Words,
    conversation_id: UUID,
    *,
    message_id: UUID,
    content: str,
    allowances: Sequence[Allowance],
    most: int,
    most_bytes: int,
) -> tuple[str, list[Turn]] | None:
    """Count and store what a person said; the persona it was said to, and what was said before as ``history``.

    ``None`` when they have no such conversation, or nothing is left of an allowance (for a minute, for a day).
    """
    values: dict[str, object] = {"conversation": conversation_id, "message": message_id, "most": most}
    for allowance in allowances:
        values |= values_of(allowance)
    cell = words.seal(message_id, content)
    rows = await connection.rows(_ADD_MESSAGE, user=words.user_id, cell=cell, **values)
    return (rows[0].persona, _turns(rows, words, most_bytes)) if rows else None


async def add_reply(
    connection: Connection,
    words: Words,
    conversation_id: UUID,
    *,
    user_message_id: UUID,
    content: str,
    status: Literal["complete", "interrupted"],
) -> Reply | None:
    """Store a reply and have the outbox hand the turn to the memory; ``None`` when the conversation is gone.

    Raises:
        UniqueViolationError: the message has a reply already.
    """
    message_id = uuid4()
    rows = await connection.rows(
        _ADD_REPLY,
        user=words.user_id,
        conversation=conversation_id,
        message=message_id,
        cell=words.seal(message_id, content),
        answered=user_message_id,
        status=status,
    )
    if not rows:
        return None
    return Reply(
        message_id=message_id,
        conversation_id=conversation_id,
        user_message_id=user_message_id,
        content=content,
        created_at=rows[0].created_at,
        status=status,
    )


async def find_reply(connection: Connection, words: Words, user_message_id: UUID) -> Reply | None:
    """The reply to this person's message."""
    rows = await connection.rows(_FIND_REPLY, user=words.user_id, message=user_message_id)
    found = _message(rows[0], words) if rows else None
    return found if isinstance(found, Reply) else None


async def history(
    connection: Connection, words: Words, conversation_id: UUID, *, before: UUID, most: int, most_bytes: int
) -> list[Turn]:
    """What was said before a message, oldest first: the newest turns that fit both bounds."""
    rows = await connection.rows(_HISTORY, user=words.user_id, conversation=conversation_id, message=before, most=most)
    return _turns(rows, words, most_bytes)


def _turns(rows: list[Row], words: Words, most_bytes: int) -> list[Turn]:
    turns: list[Turn] = []
    for row in rows:
        if row.content is None:
            break  # nothing was said before
        most_bytes -= len(row.content)
        if most_bytes < 0:
            break
        turns.append(Turn(sender=row.sender, content=words.open(row.message_id, row.content)))
    return turns[::-1]


async def page(
    connection: Connection, words: Words, conversation_id: UUID, limit: int, cursor: str | None
) -> Page[Message]:
    """The newest messages of this person's conversation, in ascending order; the cursor leads to older ones.

    A cursor is the id of the oldest message shown: a message's position would tell how many all people have written.

    Raises:
        Problem: 422 for a cursor that no page of this conversation has given.
    """
    mine = {"user": words.user_id, "conversation": conversation_id}
    if cursor is None:
        rows = await connection.rows(_FIRST_PAGE, **mine, most=limit + 1)
    else:
        seen = await connection.rows(_POSITION, **mine, message=_read_cursor(cursor))
        if not seen:
            raise bad_cursor()
        rows = await connection.rows(_LATER_PAGE, **mine, most=limit + 1, before=seen[0].position)
    items = [_message(row, words) for row in rows[:limit]][::-1]
    return Page(items=items, next=_cursor(items[0].message_id) if rows[limit:] else None)


def _cursor(message_id: UUID) -> str:
    return base64.urlsafe_b64encode(message_id.bytes).decode()


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise bad_cursor() from None
