"""Hands finished turns to the memory and has it forget, at least once, whatever dies in between.

What is to be done is a row, written in the transaction that makes it necessary. A row that is being worked on is put
off for a while rather than locked, so that nobody waits for a slow memory; after a crash it comes up again.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

from chassis.direct import Built, Connection, Direct, Row
from chassis.logs import log
from sqlalchemy import BigInteger, Interval, Uuid, bindparam, delete, func, insert, select, update

from backend import seal
from backend.ai_core import CALL_SECONDS, AiCore, RememberedMessage, Unavailable
from backend.schema import messages, outbox

LEASE = timedelta(seconds=CALL_SECONDS + 5)
LONGEST_PAUSE_SECONDS = 300
POLL_SECONDS = 2
"""How soon a row that another process left behind is found; a process's own wake it at once."""
BATCH = 8

_now = func.clock_timestamp

_CLAIM = Built(
    update(outbox)
    .where(
        outbox.c.outbox_id.in_(
            select(outbox.c.outbox_id)
            .where(outbox.c.next_at <= _now())
            .order_by(outbox.c.next_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(attempts=outbox.c.attempts + 1, next_at=_now() + LEASE)
    .returning(*outbox.c)
)
_THIS = outbox.c.outbox_id == bindparam("this", type_=BigInteger())
_REMOVE = Built(delete(outbox).where(_THIS))
_PUT_OFF = Built(update(outbox).where(_THIS).values(next_at=_now() + bindparam("pause", type_=Interval())))
_ADD_FORGETTING = Built(
    insert(outbox)
    .values(
        user_id=bindparam("user", type_=Uuid()),
        conversation_id=bindparam("conversation", type_=Uuid()),
        attempts=1,
        next_at=_now() + LEASE,
    )
    .returning(*outbox.c)
)
_reply = messages.alias()
_TURN = Built(
    select(messages.c.message_id, messages.c.sender, messages.c.content, messages.c.created_at)
    .join(_reply, messages.c.message_id.in_((_reply.c.message_id, _reply.c.user_message_id)))
    .where(
        _reply.c.message_id == bindparam("reply", type_=Uuid()),
        _reply.c.user_id == bindparam("user", type_=Uuid()),
        messages.c.user_id == bindparam("user", type_=Uuid()),
    )
    .order_by(messages.c.position)
)


async def add_forgetting(connection: Connection, user_id: UUID, conversation_id: UUID | None) -> Row:
    """A conversation, or with ``None`` a whole person, is to be forgotten; the row is the caller's to deliver."""
    (row,) = await connection.rows(_ADD_FORGETTING, user=user_id, conversation=conversation_id)
    return row


class Outbox:
    """The worker of one process; any number may run."""

    def __init__(self, direct: Direct, ai_core: AiCore) -> None:
        self._direct = direct
        self._ai_core = ai_core
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._wanted.set()

    async def deliver_soon(self, row: Row) -> None:
        """Try ``row`` at once; what does not succeed now is done later."""
        try:
            await self.deliver(row)
        except Exception as error:  # noqa: BLE001 - the row is in the database: the worker will find it
            log("outbox.failed", "error", error)

    async def run(self) -> None:
        """Work for ever."""
        while True:
            self._wanted.clear()
            try:
                rows = await self.claim()
                await asyncio.gather(*(self.deliver(row) for row in rows))
            except Exception as error:  # noqa: BLE001 - the database is away, or a fault of ours: try again later
                log("outbox.failed", "error", error)
                rows = []
            if len(rows) < BATCH:
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wanted.wait()
                except TimeoutError:
                    pass

    async def deliver(self, row: Row) -> None:
        """Do what a row says and remove it, or put it off."""
        try:
            await self._do(row)
        except Unavailable as error:
            seconds = min(2**row.attempts, LONGEST_PAUSE_SECONDS)
            log("outbox.put_off", "warning", error, user_id=row.user_id, attempts=int(row.attempts))
            await self._direct.rows(_PUT_OFF, this=row.outbox_id, pause=timedelta(seconds=seconds))
        else:
            await self._direct.rows(_REMOVE, this=row.outbox_id)

    async def claim(self) -> list[Row]:
        """Rows that are due; no other worker takes them until their time is over."""
        return await self._direct.rows(_CLAIM)

    async def _do(self, row: Row) -> None:
        if row.reply_message_id is None:
            await self._ai_core.forget(row.user_id, row.conversation_id)
            return
        turn = await self._turn(row.user_id, row.reply_message_id)
        if turn:  # else it was deleted meanwhile
            await self._ai_core.remember(row.user_id, row.conversation_id, turn)

    async def _turn(self, user_id: UUID, reply_message_id: UUID) -> list[RememberedMessage]:
        return [
            RememberedMessage(
                message_id=row.message_id,
                sender=row.sender,
                content=seal.open_sealed(row.content),
                created_at=row.created_at,
            )
            for row in await self._direct.rows(_TURN, reply=reply_message_id, user=user_id)
        ]
