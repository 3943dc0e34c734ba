"""Seals in place what versions of before there were keys have stored plainly, while people go on talking.

It goes on where another process, or this one before it ended, left off, because whatever is plain is found by an index.
When nothing plain is left, the next deployment has the database refuse it (``backend.tighten``).
"""

import asyncio
import random
from uuid import UUID

from chassis.direct import Built, Direct
from chassis.logs import log
from chassis.resting import Resting
from chassis.sealing.key_service import CannotUnwrap
from sqlalchemy import ARRAY, Integer, LargeBinary, Uuid, bindparam, func, select, text, update

from backend.keys.epochs import EpochGone
from backend.keys.missing import NOBODY, give_keys
from backend.keys.person_keys import NoKeys
from backend.messages.words import Sealing
from backend.schema import messages

BATCH = 50
PAUSE_SECONDS = 0.05
"""After each batch, so that it takes a small part of a process's and the database's time."""
EVERY_SECONDS = 60
"""How often it is looked for more: the version of before may still be serving."""

_IS_PLAIN = text("get_byte(messages.content, 0) = 0")
"""In the words of the index, which is found by nothing else."""
_USER = bindparam("user", type_=Uuid())
_NEXT = Built(
    select(messages.c.user_id)
    .where(_IS_PLAIN, messages.c.user_id > bindparam("after", type_=Uuid()))
    .order_by(messages.c.user_id)
    .limit(1)
)
_TAKE = Built(
    select(messages.c.message_id, messages.c.content)
    .where(_IS_PLAIN, messages.c.user_id == _USER)
    .limit(bindparam("most", type_=Integer()))
    .with_for_update(key_share=True, skip_locked=True)
)
_sealed = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid())), bindparam("cells", type_=ARRAY(LargeBinary())))
    .table_valued("message_id", "content", name="sealed")
    .render_derived()
)
_PUT = Built(
    update(messages)
    .where(messages.c.message_id == _sealed.c.message_id, messages.c.user_id == _USER)
    .values(content=_sealed.c.content)
)


async def seal_plain(direct: Direct, sealing: Sealing) -> int:
    """Seal all that is plain now; how many messages that were.

    A person whose key is not theirs is left out, and their messages stay as they are.
    """
    sealed = 0
    after: UUID = NOBODY
    await give_keys(direct, sealing.keys)
    while people := await direct.rows(_NEXT, after=after):
        after = people[0].user_id
        try:
            while number := await _seal_some(direct, sealing, after):
                sealed += number
                await asyncio.sleep(PAUSE_SECONDS)
        except (NoKeys, CannotUnwrap, EpochGone) as error:
            log("messages.left_plain", "error", error, user_id=after)
    return sealed


async def _seal_some(direct: Direct, sealing: Sealing, user_id: UUID) -> int:
    words = await sealing.of(user_id)
    async with direct.begin() as connection:
        plain = await connection.rows(_TAKE, user=user_id, most=BATCH)
        ids = [row.message_id for row in plain]
        cells = [words.seal(row.message_id, words.open(row.message_id, row.content)) for row in plain]
        await connection.rows(_PUT, user=user_id, ids=ids, cells=cells)
    return len(plain)


async def keep_sealing(direct: Direct, sealing: Sealing, resting: Resting) -> None:
    """Seal what is plain until the database admits nothing plain any more."""
    while True:
        try:
            async with resting.upkeep():
                if not await sealing.learn():
                    return
                if sealed := await seal_plain(direct, sealing):
                    log("messages.sealed_in_place", messages=sealed)
        except Exception as error:  # noqa: BLE001 - the database or the key service is away: later then
            log("messages.not_sealed_in_place", "warning", error)
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
