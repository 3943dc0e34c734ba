"""Has the AI core bring what is remembered to the form it writes now, one person after another, while it serves.

The AI core keeps no people's keys, so it cannot do so by itself. How far it has come stands with each person.
"""

import asyncio
import random
from uuid import UUID

from chassis.direct import Built, Direct
from chassis.logs import log
from chassis.resting import Resting
from chassis.sealing.key_service import CannotUnwrap
from sqlalchemy import BigInteger, SmallInteger, Uuid, bindparam, func, or_, select, update

from backend.ai_core import AiCore, Unavailable
from backend.keys.epochs import EpochGone
from backend.keys.missing import NOBODY
from backend.keys.person_keys import NoKeys, PersonKeys
from backend.schema import users

EVERY_SECONDS = 60
PAUSE_SECONDS = 0.05
"""After each person, so that who is waiting for a reply is served between."""
FAILURES = 3
"""So many people in a row who could not be renewed end a round: it is the AI core that is not well."""
_LOCK = 5_368_210_554
"""The advisory lock of the process that renews; any number will do."""

_ONLY_ONE = Built(select(func.pg_try_advisory_xact_lock(bindparam("lock", _LOCK, type_=BigInteger())).label("mine")))
_FORMAT = bindparam("format", type_=SmallInteger())
_BEHIND = Built(
    select(users.c.user_id)
    # In two ranges, which an index finds. A smaller number may be the newer form: of sealed vectors after plain ones.
    .where(
        or_(users.c.memory_format < _FORMAT, users.c.memory_format > _FORMAT),
        users.c.user_id > bindparam("after", type_=Uuid()),
    )
    .order_by(users.c.user_id)
    .limit(1)
)
_RENEWED = Built(
    update(users)
    .where(users.c.user_id == bindparam("user", type_=Uuid()))
    .values(memory_format=bindparam("renewed", type_=SmallInteger()))
)


async def renew(direct: Direct, keys: PersonKeys, ai_core: AiCore) -> int:
    """Renew whoever is behind; how many people that were. Leaves off when another process is at it.

    Raises:
        Unavailable: the AI core is not well.
    """
    wanted = await ai_core.memory_format()
    renewed = failures = 0
    after: UUID | None = NOBODY
    while after is not None:
        try:
            if after := await _renew_next(direct, keys, ai_core, wanted, after):
                renewed += 1
                failures = 0
        except _Failed as failed:
            log("memories.not_renewed", "warning", failed.__cause__, user_id=failed.user_id)
            after = failed.user_id
            failures += 1
            if failures == FAILURES:
                raise Unavailable from failed
        await asyncio.sleep(PAUSE_SECONDS)
    return renewed


class _Failed(Exception):
    """This person could not be renewed."""

    def __init__(self, user_id: UUID) -> None:
        super().__init__(user_id)
        self.user_id = user_id


async def _renew_next(direct: Direct, keys: PersonKeys, ai_core: AiCore, wanted: int, after: UUID) -> UUID | None:
    """Who was renewed, the next after ``after``; nobody where there is none, or another process is at it."""
    async with direct.begin() as connection:  # holds the lock, and no row: nobody waits for the AI core
        (lock,) = await connection.rows(_ONLY_ONE)
        behind = await connection.rows(_BEHIND, format=wanted, after=after) if lock.mine else []
        if not behind:
            return None
        user_id: UUID = behind[0].user_id
        try:
            renewed = await ai_core.renew_memories(user_id, await keys.memory_key(user_id))
        except (Unavailable, NoKeys, CannotUnwrap, EpochGone) as error:
            raise _Failed(user_id) from error
        await connection.rows(_RENEWED, user=user_id, renewed=renewed)
    return user_id


async def keep_renewing(direct: Direct, keys: PersonKeys, ai_core: AiCore, resting: Resting) -> None:
    """Renew now and then, for ever, while the database is in use; quietly where the AI core is away."""
    while True:
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        try:
            async with resting.upkeep():
                if renewed := await renew(direct, keys, ai_core):
                    log("memories.renewed", people=renewed)
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - the database or the keys are away: later then
            log("memories.renewal_failed", "warning", error)
