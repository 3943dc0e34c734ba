"""Rolls the epoch: what was erased before dies in every backup, and nobody else loses anything.

A new epoch begins, every outer wrap is made anew with its key, an export of all keys is proven, and then the keys of
the epochs before are destroyed. A run that was broken off anywhere is finished by the next.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from chassis.logs import log
from sqlalchemy import Select, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.keys.epochs import EpochKeys
from backend.keys.exports import Exports
from backend.keys.exports_made import Proven, export_keys
from backend.keys.roll_wraps import KeysLeftBehind, wrap_anew
from backend.schema import erasures, key_epochs, user_keys

LONGEST = timedelta(days=30)
"""An epoch is not active for longer, so that the newest export is never older: a bucket may let older ones go."""
LOCK = 5_368_210_554
"""The advisory lock of whoever changes epochs; any number will do, but that of migrations."""

_now = func.clock_timestamp
T = TypeVar("T")
_waits = erasures.c.backups_unreadable_at.is_(None)


@dataclass(frozen=True)
class Places:
    """Where keys are beside the database."""

    epochs: EpochKeys
    exports: Exports


async def alone(connection: AsyncConnection) -> bool:
    """Whether nobody else changes epochs, from now on and until ``connection`` is closed."""
    return bool(await _scalar(connection, select(func.pg_try_advisory_lock(LOCK))))


async def roll(connection: AsyncConnection, places: Places) -> None:
    """Finish what was broken off, and roll where an erasure waits for it or the epoch has lasted long enough.

    Args:
        connection: One that is ``alone``; in no transaction.
        places: Where keys are beside the database.

    Raises:
        ExportFailed, EpochKeysUnavailable: nothing was destroyed, or not everything yet; the next run goes on.
        CannotUnwrap: somebody changed a key in the database; nothing was destroyed.
        KeysLeftBehind: some were locked all the time; nothing was destroyed.
    """
    begun_at = await _scalar(connection, select(_now()))
    if old := await _retiring(connection):
        await _finish(connection, places, old)
    if await _due(connection):
        await _begin(connection, places.epochs)
        await _finish(connection, places, await _retiring(connection))
    if not await _scalar(connection, select(exists().where(_waits, erasures.c.erased_at < begun_at))):
        log("keys.no_erasure_waits")  # an alarm counts these


async def _begin(connection: AsyncConnection, epochs: EpochKeys) -> None:
    """Begin an epoch. Its key comes first, so that whoever finds the row finds the key."""
    new = await _scalar(connection, select(func.max(key_epochs.c.epoch))) + 1
    await asyncio.to_thread(epochs.create, new)
    await asyncio.to_thread(epochs.read, new)
    async with connection.begin():
        # Waits for everybody who holds the active epoch: they make a key in it, or erase somebody from it.
        await connection.execute(update(key_epochs).where(key_epochs.c.state == "active").values(state="retiring"))
        await connection.execute(insert(key_epochs).values(epoch=new, state="active"))
    log("keys.epoch_began", epoch=new)


async def _finish(connection: AsyncConnection, places: Places, old: list[int]) -> None:
    """End the epochs ``old``. The order of these lines is what keeps everybody's words readable."""
    await wrap_anew(connection, places.epochs, old)
    proven = await export_keys(connection, places.epochs, places.exports)
    log("keys.exported", people=proven.people, epoch=proven.active)
    await _destroy(connection, places.epochs, old, proven)
    await _receipts(connection, old)
    await asyncio.to_thread(places.exports.thin_out)


async def _destroy(connection: AsyncConnection, epochs: EpochKeys, old: list[int], proven: Proven) -> None:
    """Destroy the keys of ``old``: the one place where that is done, and only for who shows the export that outlives
    them."""
    left = await _scalar(connection, select(func.count()).where(user_keys.c.epoch.in_(old)))
    if left or proven.active in old:
        raise KeysLeftBehind(f"{left} keys are wrapped in epochs that were about to be destroyed")
    for epoch in old:
        await asyncio.to_thread(epochs.destroy, epoch)
        log("keys.epoch_destroyed", epoch=epoch)


async def _receipts(connection: AsyncConnection, old: list[int]) -> None:
    """Write down that the keys of ``old`` are gone, and with them every old copy of what was erased."""
    gone = select(key_epochs.c.epoch).where(key_epochs.c.state == "destroyed")
    async with connection.begin():
        await connection.execute(
            update(key_epochs).where(key_epochs.c.epoch.in_(old)).values(state="destroyed", destroyed_at=_now())
        )
        told = await connection.execute(
            update(erasures).where(_waits, erasures.c.epoch.in_(gone)).values(backups_unreadable_at=_now())
        )
    log("keys.erasures_finished", number=told.rowcount)


async def _retiring(connection: AsyncConnection) -> list[int]:
    async with connection.begin():
        found = select(key_epochs.c.epoch).where(key_epochs.c.state == "retiring").order_by(key_epochs.c.epoch)
        return list((await connection.execute(found)).scalars())


async def _due(connection: AsyncConnection) -> bool:
    long_ago = (key_epochs.c.state == "active") & (key_epochs.c.created_at < _now() - LONGEST)
    return await _scalar(connection, select(exists().where(_waits) | exists().where(long_ago)))


async def _scalar(connection: AsyncConnection, statement: Select[T]) -> T:
    async with connection.begin():
        return (await connection.execute(statement)).scalar_one()
