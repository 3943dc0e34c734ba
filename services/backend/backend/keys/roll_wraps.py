"""Makes the outer wrap of every key anew with the active epoch's key, in batches; nobody has to wait for it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chassis.logs import log
from chassis.sealing.key_service import CannotUnwrap, Purpose
from sqlalchemy import Row, exists, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.keys.epochs import EpochKeys
from backend.keys.outer import unwrap, wrap
from backend.schema import key_epochs, user_keys

BATCH = 2000
PASSES = 30
PAUSE_SECONDS = 1.0
"""Between two passes: what somebody had locked is found by the next."""

_Found = Row[UUID, Purpose, int, bytes]
_UPDATE = text(
    "UPDATE user_keys AS k SET epoch = :epoch, wrapped = n.wrapped"
    " FROM unnest(CAST(:users AS uuid[]), CAST(:purposes AS text[]), CAST(:wrapped AS bytea[]))"
    " AS n(user_id, purpose, wrapped) WHERE k.user_id = n.user_id AND k.purpose = n.purpose"
)


class KeysLeftBehind(RuntimeError):
    """A key is still wrapped in an epoch that is to end: nothing may be destroyed."""


async def wrap_anew(connection: AsyncConnection, epochs: EpochKeys, old: Sequence[int]) -> None:
    """Wrap all keys of the epochs ``old`` in the active one.

    Args:
        connection: In no transaction. Each batch is one, so a run that was broken off goes on where it was.
        epochs: Where the keys of the old epochs and the active one are.
        old: Epochs in which nobody makes a key any more.

    Raises:
        CannotUnwrap: somebody changed a key in the database; the log says whose.
        EpochGone: a key is wrapped in an epoch whose key is no more.
        KeysLeftBehind: some were locked all the time.
    """
    async with connection.begin():
        active = (
            await connection.execute(select(key_epochs.c.epoch).where(key_epochs.c.state == "active"))
        ).scalar_one()
    wraps = _Wraps(epochs, active)
    for _ in range(PASSES):
        last: _Found | None = None
        while found := await _batch(connection, wraps, old, last):
            last = found[-1]
        async with connection.begin():
            if not (await connection.execute(select(exists().where(user_keys.c.epoch.in_(old))))).scalar_one():
                log("keys.wrapped_anew", number=wraps.number, epoch=active)
                return
        await asyncio.sleep(PAUSE_SECONDS)
    raise KeysLeftBehind(f"keys of an old epoch were locked in each of {PASSES} passes")


class _Wraps:
    """Makes wraps anew; knows the keys of the epochs that it met."""

    def __init__(self, epochs: EpochKeys, active: int) -> None:
        self._epochs = epochs
        self._known: dict[int, bytes] = {}
        self.active = active
        self.number = 0

    async def anew(self, found: _Found) -> bytes:
        user_id, purpose, epoch, wrapped = found
        try:
            inner = unwrap(await self._key(epoch), user_id=user_id, purpose=purpose, epoch=epoch, wrapped=wrapped)
        except CannotUnwrap:
            log("keys.changed_outside", "error", user_id=user_id)
            raise
        self.number += 1
        key = await self._key(self.active)
        return wrap(key, user_id=user_id, purpose=purpose, epoch=self.active, inner=inner)

    async def _key(self, epoch: int) -> bytes:
        if epoch not in self._known:
            self._known[epoch] = await asyncio.to_thread(self._epochs.read, epoch)
        return self._known[epoch]


async def _batch(
    connection: AsyncConnection, wraps: _Wraps, old: Sequence[int], last: _Found | None
) -> Sequence[_Found]:
    """Wrap the next keys after ``last`` anew. Those that somebody has locked are left out: to wait for an erasure that
    waits for this batch would be a deadlock."""
    place = tuple_(user_keys.c.user_id, user_keys.c.purpose)
    columns = user_keys.c.user_id, user_keys.c.purpose, user_keys.c.epoch, user_keys.c.wrapped
    following = select(*columns).where(user_keys.c.epoch.in_(old))
    if last:
        following = following.where(place > tuple_(last.user_id, last.purpose))
    following = following.order_by(user_keys.c.user_id, user_keys.c.purpose).limit(BATCH)
    async with connection.begin():
        found = (await connection.execute(following.with_for_update(skip_locked=True))).all()
        anew = [await wraps.anew(row) for row in found]
        users, purposes = [row.user_id for row in found], [row.purpose for row in found]
        values = {"epoch": wraps.active, "users": users, "purposes": purposes, "wrapped": anew}
        await connection.execute(_UPDATE, values)
    return found
