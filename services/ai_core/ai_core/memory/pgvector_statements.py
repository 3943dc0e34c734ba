"""The statements of the memory in PostgreSQL, built once: building one takes as long as running it.

None reads or changes memories without the person's id, ``:user``.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    Cast,
    DateTime,
    Delete,
    Integer,
    LargeBinary,
    Select,
    Uuid,
    bindparam,
    cast,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from ai_core.memory.tables import forgotten_conversations, forgotten_memories, forgotten_users, memories

_M = memories.c
_USER = bindparam("user", type_=Uuid())
_MOST = bindparam("most", type_=Integer())
_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_mine = _M.user_id == _USER
_one = _M.memory_id == bindparam("id", type_=Uuid())
_of_conversation = _M.conversation_id == bindparam("conversation", type_=Uuid())
_position = (_M.created_at, _M.memory_id)

_RECORD = select(
    _M.memory_id, _M.conversation_id, _M.message_id, _M.sender, _M.created_at, _M.content, _M.vector
).where(_mine)
"""In the order of the fields of ``Record``."""


def _embedding() -> Cast[Any]:
    """The vector that is given as ``:numbers``, a list: the driver sends that in binary, a vector as text."""
    return cast(bindparam("numbers", type_=ARRAY(REAL)), _M.embedding.type)


def _forgotten() -> Select[bool, Any]:
    """Whether all of ``:user`` or of ``:conversation`` was forgotten, and which of ``:ids`` were, one by one."""
    users, conversations, single = forgotten_users.c, forgotten_conversations.c, forgotten_memories.c
    conversation = bindparam("conversation", type_=Uuid())
    of_user = select(literal(1)).where(users.user_id == _USER).exists()
    of_conversation = (
        select(literal(1)).where(conversations.user_id == _USER, conversations.conversation_id == conversation).exists()
    )
    one_by_one = select(func.array_agg(single.memory_id)).where(
        single.user_id == _USER, single.memory_id == func.any(_IDS)
    )
    return select((of_user | of_conversation).label("everything"), one_by_one.scalar_subquery().label("some"))


def _trim() -> Delete:
    """Delete what is above ``:most``; where nothing is, only counts."""
    surplus = select(func.greatest(func.count() - _MOST, 0)).where(_mine).scalar_subquery()
    first = select(_M.memory_id).where(_mine).order_by(_M.sender == "user", *_position).limit(surplus)
    return memories.delete().where(_mine, _M.memory_id.in_(first))


LOCK = select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger())))
LOCK_SHARED = select(func.pg_advisory_xact_lock_shared(bindparam("lock", type_=BigInteger())))

FORGOTTEN = _forgotten()
REMEMBER = insert(memories).values(embedding=_embedding()).on_conflict_do_nothing()
REPLACE = (
    update(memories)
    .where(_mine, _one)
    .values(
        content=bindparam("content", type_=LargeBinary()),
        vector=bindparam("cell", type_=LargeBinary()),
        embedding=_embedding(),
    )
)
TRIM = _trim()

VECTORS = select(func.array_agg(_M.memory_id).label("ids"), func.array_agg(_M.vector).label("cells")).where(
    _mine, _M.vector.is_not(None)
)
NEAREST = (
    select(_M.memory_id)
    .where(_mine, _M.embedding.is_not(None))
    .order_by(_M.embedding.cosine_distance(_embedding()))
    .limit(_MOST)
)
EMBEDDED = select(_M.memory_id).where(_mine, _M.embedding.is_not(None))
READ = _RECORD.where(_M.memory_id == func.any(_IDS))
FIRST_PAGE = _RECORD.order_by(*_position).limit(_MOST)
PAGE = FIRST_PAGE.where(
    tuple_(*_position) > tuple_(bindparam("time", type_=DateTime(timezone=True)), bindparam("id", type_=Uuid()))
)

FORGET = memories.delete().where(_mine, _one)
FORGET_CONVERSATION = memories.delete().where(_mine, _of_conversation)
FORGET_USER = memories.delete().where(_mine)
TOMBSTONE_OF_MEMORY = insert(forgotten_memories).on_conflict_do_nothing()
TOMBSTONE_OF_CONVERSATION = insert(forgotten_conversations).on_conflict_do_nothing()
TOMBSTONE_OF_USER = insert(forgotten_users).on_conflict_do_nothing()
COVERED = tuple(
    table.delete().where(table.c.user_id == _USER) for table in (forgotten_conversations, forgotten_memories)
)
"""Take away the tombstones that one of the whole person covers."""
