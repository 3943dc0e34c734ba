"""``Idempotency-Key``: a retry of a request that may have been lost gets its answer, and nothing is said twice.

A key is a row that names the message. Who asks the model for its reply holds a lease on the row and renews it while
alive, so that after a crash the retry may soon ask again.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Annotated
from uuid import UUID, uuid4

from chassis.direct import Built, Connection, Direct
from chassis.logs import log
from chassis.problems import InvalidValue, Problem
from fastapi import Header
from sqlalchemy import Interval, LargeBinary, Text, Uuid, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.messages import repository
from backend.messages.schemas import Reply
from backend.messages.words import Words
from backend.schema import idempotency_keys as keys

LIFE = timedelta(hours=24)
LEASE = timedelta(seconds=6)
"""All is well again in ten seconds, also for a retry of what a dead process, or a lost answer to a commit, began."""
RENEW_SECONDS = 2
GIVE_UP_PAUSES = (0.5, 1, 2, 0)
"""Seconds after each attempt to give a lease up while the database is away."""

IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$", description="Makes a retry safe.")
]
"""Printable ASCII."""

_now = func.clock_timestamp
_THIS = (keys.c.user_id == bindparam("user", type_=Uuid())) & (keys.c.key == bindparam("used", type_=Text()))
_LEASE = bindparam("lease", type_=Uuid())
_FORGET_OLD = Built(delete(keys).where(_THIS, keys.c.created_at < _now() - LIFE))
_ADD = Built(
    insert(keys)
    .values(
        user_id=bindparam("user", type_=Uuid()),
        key=bindparam("used", type_=Text()),
        conversation_id=bindparam("conversation", type_=Uuid()),
        request_hash=bindparam("request_hash", type_=LargeBinary()),
        user_message_id=bindparam("message", type_=Uuid()),
        lease=_LEASE,
        lease_until=_now() + LEASE,
    )
    .on_conflict_do_nothing()
    .returning(keys.c.key)
)
_FIRST = Built(
    select(keys.c.request_hash, keys.c.user_message_id, (keys.c.lease_until < _now()).label("free"))
    .where(_THIS)
    .with_for_update()
)
_TAKE = Built(update(keys).where(_THIS).values(lease=_LEASE, lease_until=_now() + LEASE))
_RENEW = Built(
    update(keys).where(_THIS, keys.c.lease == _LEASE).values(lease_until=_now() + bindparam("life", type_=Interval()))
)


@dataclass(frozen=True)
class Lease:
    """The right to ask the model for the reply to a message: nobody else does meanwhile."""

    user_id: UUID
    key: str
    lease: UUID
    user_message_id: UUID
    stored: bool
    """Whether the message was stored by an earlier request."""


async def claim(connection: Connection, words: Words, conversation_id: UUID, key: str, content: str) -> Lease | Reply:
    """The lease on a message, or its reply where there is one already.

    Raises:
        Problem: 422 when the key was used for something else; 409 while its first request is in flight.
    """
    user_id = words.user_id
    await connection.rows(_FORGET_OLD, user=user_id, used=key)
    new = Lease(user_id, key, uuid4(), uuid4(), stored=False)
    request_hash = sha256(conversation_id.bytes + content.encode()).digest()
    if await connection.rows(
        _ADD,
        user=user_id,
        used=key,
        conversation=conversation_id,
        request_hash=request_hash,
        message=new.user_message_id,
        lease=new.lease,
    ):
        return new
    (first,) = await connection.rows(_FIRST, user=user_id, used=key)
    if first.request_hash != request_hash:
        wrong = InvalidValue(pointer="/header/Idempotency-Key", detail="was used for another message")
        raise Problem(422, "The Idempotency-Key was used for another message.", errors=[wrong])
    if reply := await repository.find_reply(connection, words, first.user_message_id):
        return reply
    if not first.free:
        raise Problem(409, "The first request with this Idempotency-Key still runs.", headers={"Retry-After": "2"})
    await connection.rows(_TAKE, user=user_id, used=key, lease=new.lease)
    return Lease(user_id, key, new.lease, first.user_message_id, stored=True)


@asynccontextmanager
async def held(direct: Direct, lease: Lease | None) -> AsyncGenerator[None]:
    """Renew the lease while inside, and give it up at the end."""
    if lease is None:
        yield
        return
    renewing = asyncio.create_task(_renew(direct, lease))
    try:
        yield
    finally:
        renewing.cancel()
        for pause in GIVE_UP_PAUSES:
            try:
                await _set(direct, lease, timedelta(0))
                break
            except Exception as error:  # noqa: BLE001 - the database is away: in the end the lease runs out
                log("idempotency.lease_not_given_up", "warning", error)
                await asyncio.sleep(pause)


async def _renew(direct: Direct, lease: Lease) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await _set(direct, lease, LEASE)
        except Exception as error:  # noqa: BLE001 - should it be lost: a reply is unique in the database
            log("idempotency.lease_not_renewed", "warning", error)


async def _set(direct: Direct, lease: Lease, life: timedelta) -> None:
    await direct.rows(_RENEW, user=lease.user_id, used=lease.key, lease=lease.lease, life=life)
