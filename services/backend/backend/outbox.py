"""Hands finished turns to the memory and has it forget, at least once, whatever dies in between.

What is to be done is a row, written in the transaction that makes it necessary. A row that is being worked on is put
off for a while rather than locked, so that nobody waits for a slow memory; after a crash it comes up again.

What is to be forgotten goes first, however much waits to be remembered. Otherwise who waits longest is next: a person
has no more rows than they may send messages.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from chassis.direct import Built, Connection, Direct, Row
from chassis.logs import log
from chassis.resting import Resting
from chassis.sealing.cells import CannotOpen
from chassis.sealing.key_service import CannotUnwrap, KeyServiceUnavailable
from sqlalchemy import ARRAY, BigInteger, Integer, Interval, Uuid, any_, bindparam, delete, func, insert, select, update

from backend.ai_core import CALL_SECONDS, AiCore, RememberedMessage, Unavailable
from backend.keys.epochs import EpochGone, EpochKeysUnavailable
from backend.keys.person_keys import NoKeys
from backend.messages.words import Sealing, Words
from backend.outbox_window import Window
from backend.schema import messages, outbox

LEASE = timedelta(seconds=CALL_SECONDS + 5)
AWAY_PAUSE_SECONDS = 30
"""The longest pause of a row that came while something was away. What spares that is the window, not the pause."""
WRONG_PAUSE_SECONDS = 300
"""The longest pause of a row in which something is wrong."""
POLL_SECONDS = 2
"""How soon a row that another process left behind is found, unless all are resting; a process's own wake it at once."""
GATHER_SECONDS = 0.1
"""What comes within this time is claimed together: in a rush a statement for each turn would be a tenth of its cost."""
BATCH = 8
"""Rows that are claimed, and removed, by one statement."""

_AWAY = (Unavailable, KeyServiceUnavailable, EpochKeysUnavailable)
_WRONG = (NoKeys, EpochGone, CannotUnwrap, CannotOpen)
"""Not expected to be otherwise later, but a row that somebody changed may be put right again."""

_now = func.clock_timestamp

_claimed = (
    update(outbox)
    .where(
        outbox.c.outbox_id.in_(
            select(outbox.c.outbox_id)
            .where(outbox.c.next_at <= _now())
            .order_by(outbox.c.reply_message_id.is_not(None), outbox.c.next_at)
            .limit(bindparam("most", type_=Integer()))
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
    )
    .values(attempts=outbox.c.attempts + 1, next_at=_now() + LEASE)
    .returning(*outbox.c)
    .cte("claimed")
)
_said, _reply = messages.alias("said"), messages.alias("reply")
_CLAIM = Built(
    select(
        *_claimed.c,
        _said.c.message_id.label("said_id"),
        _said.c.content.label("said"),
        _said.c.created_at.label("said_at"),
        _reply.c.content.label("reply"),
        _reply.c.created_at.label("replied_at"),
    )
    .outerjoin_from(
        _claimed,
        _reply,
        (_reply.c.message_id == _claimed.c.reply_message_id) & (_reply.c.user_id == _claimed.c.user_id),
    )
    .outerjoin(_said, (_said.c.message_id == _reply.c.user_message_id) & (_said.c.user_id == _reply.c.user_id))
)
_ANY = Built(select(outbox.c.outbox_id).limit(1))
_REMOVE = Built(delete(outbox).where(outbox.c.outbox_id == any_(bindparam("done", type_=ARRAY(BigInteger())))))
_THIS = outbox.c.outbox_id == bindparam("this", type_=BigInteger())
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


async def add_forgetting(connection: Connection, user_id: UUID, conversation_id: UUID | None) -> Row:
    """A conversation, or with ``None`` a whole person, is to be forgotten; the row is the caller's to deliver."""
    (row,) = await connection.rows(_ADD_FORGETTING, user=user_id, conversation=conversation_id)
    return row


class Outbox:
    """The worker of one process; any number may run."""

    def __init__(self, direct: Direct, sealing: Sealing, ai_core: AiCore, resting: Resting) -> None:
        self._direct = direct
        self._sealing = sealing
        self._ai_core = ai_core
        self._resting = resting
        self._wanted = asyncio.Event()
        self._window = Window()

    def wake(self) -> None:
        """There is something to do."""
        self._wanted.set()

    async def deliver_soon(self, row: Row) -> None:
        """Try ``row`` at once; what does not succeed now is done later."""
        self._window.begin(1)
        await self._deliver_or_log(row)

    async def run(self) -> None:
        """Work for ever, but for when nobody is there and no row is left, not even one that was put off: then the
        connections to the database are closed until somebody comes."""
        async with asyncio.TaskGroup() as batches:
            while True:
                await self._window.wait_for_room(BATCH)
                self._wanted.clear()
                rows: list[Row] = []
                most = min(BATCH, self._window.room)
                try:
                    async with self._resting.upkeep():
                        rows = await self.claim(most)
                        if rows:
                            batches.create_task(self._deliver_or_log(*rows))
                        empty = self._resting.quiet and not await self._direct.rows(_ANY)
                    if empty and await self._resting.rest(self._direct.close_idle):
                        continue
                except Exception as error:  # noqa: BLE001 - the database is away, or a fault of ours: try again later
                    log("outbox.failed", "error", error)
                if self._window.least:
                    await asyncio.sleep(POLL_SECONDS)
                elif len(rows) < most:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_SECONDS):
                            await self._wanted.wait()
                            await asyncio.sleep(GATHER_SECONDS)

    async def claim(self, most: int = BATCH) -> list[Row]:
        """Rows that are due, a turn's with what was said; no other worker takes them until their time is over. They
        are the caller's to deliver."""
        rows = await self._direct.rows(_CLAIM, most=most)
        self._window.begin(len(rows))
        return rows

    async def deliver(self, *rows: Row) -> None:
        """Do what the rows say; what is done is removed, what cannot be done now is put off."""
        tasks = [asyncio.create_task(self._do(row)) for row in rows]
        for task in tasks:
            task.add_done_callback(self._window.end)
        done = await asyncio.gather(*tasks, return_exceptions=True)
        if finished := [row.outbox_id for row, how in zip(rows, done, strict=True) if how is True]:
            await self._direct.rows(_REMOVE, done=finished)
        if failure := next((how for how in done if isinstance(how, BaseException)), None):
            raise failure

    async def _deliver_or_log(self, *rows: Row) -> None:
        try:
            async with self._resting.upkeep():
                await self.deliver(*rows)
        except Exception as error:  # noqa: BLE001 - the rows are in the database: the worker will find them
            log("outbox.failed", "error", error)

    async def _do(self, row: Row) -> bool | None:
        """Whether it was done; ``None`` where the row is at fault and no other."""
        try:
            if row.reply_message_id is None:
                await self._ai_core.forget(row.user_id, row.conversation_id)
            else:
                turn = _turn(row, await self._sealing.of(row.user_id))
                memory_key = await self._sealing.keys.memory_key(row.user_id)
                await self._ai_core.remember(row.user_id, row.conversation_id, turn, memory_key)
        except _AWAY as error:
            await self._put_off(row, error, AWAY_PAUSE_SECONDS)
            return False
        except _WRONG as error:
            await self._put_off(row, error, WRONG_PAUSE_SECONDS)
            return None
        return True

    async def _put_off(self, row: Row, error: Exception, longest: int) -> None:
        log("outbox.put_off", "warning", error, user_id=row.user_id, attempts=int(row.attempts))
        seconds = min(2**row.attempts, longest)
        await self._direct.rows(_PUT_OFF, this=row.outbox_id, pause=timedelta(seconds=seconds))


def _turn(row: Row, words: Words) -> list[RememberedMessage]:
    said = words.open(row.said_id, row.said)
    reply = words.open(row.reply_message_id, row.reply)
    return [
        RememberedMessage(message_id=row.said_id, sender="user", content=said, created_at=row.said_at),
        RememberedMessage(message_id=row.reply_message_id, sender="ai", content=reply, created_at=row.replied_at),
    ]
