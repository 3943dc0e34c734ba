"""Makes an export of the keys of everybody who lives, and proves it before anybody relies on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from chassis.sealing.key_service import CannotUnwrap
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.keys.epochs import EpochKeys
from backend.keys.exports import ExportFailed, Exports
from backend.keys.exports_format import (
    Decoder,
    Encoder,
    Epoch,
    ExportDamaged,
    Header,
    Person,
    Receipt,
    Record,
    WrappedKey,
)
from backend.keys.outer import unwrap
from backend.schema import erasures, key_epochs, user_keys, users

_AT_A_TIME = 1000

_OLDEST_TRANSACTION = text(
    "SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""The role sees its own transactions alone; nobody else registers people."""
_ONE_SNAPSHOT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


@dataclass(frozen=True)
class Proven:
    """An export of which every key was read back from every place where it has to be, and opened.

    Only ``export_keys`` makes one: whoever is about to destroy a key has to show it.
    """

    name: str
    people: int
    active: int
    """The epoch that every key in it is wrapped in."""


async def export_keys(connection: AsyncConnection, epochs: EpochKeys, exports: Exports) -> Proven:
    """Write the keys of everybody, as the database has them at one moment, and read them back.

    Args:
        connection: In no transaction.
        epochs: Where the key of the active epoch is.
        exports: Where the export goes.

    Raises:
        ExportFailed: it was not written, is not what was written, or is not in every recovery region.
        EpochKeysUnavailable: the store of epoch keys does not answer.
    """
    async with connection.begin():
        since: datetime = (await connection.execute(_OLDEST_TRANSACTION)).scalar_one()
    async with connection.begin():
        await connection.execute(_ONE_SNAPSHOT)
        header = await _header(connection, since)
        name = f"keys-{header.made_at:%Y%m%dT%H%M%S.%fZ}-{header.active:08d}"
        epoch_key = await asyncio.to_thread(epochs.read, header.active)
        encoder = Encoder(epoch_key)
        async with aclosing(encoder.encode(_records(connection, header))) as parts:
            await asyncio.to_thread(exports.write, name, _blocking(parts, asyncio.get_running_loop()))
    await asyncio.to_thread(_compare, exports.read, name, header, epoch_key, encoder)
    await asyncio.to_thread(exports.settle, name)
    return Proven(name, encoder.people, header.active)


async def _header(connection: AsyncConnection, since: datetime) -> Header:
    found = (await connection.execute(select(key_epochs).order_by(key_epochs.c.epoch))).all()
    active = [row.epoch for row in found if row.state == "active"]
    if not active:
        raise ExportFailed("there is no active epoch")
    return Header(
        made_at=(await connection.execute(select(func.now()))).scalar_one(),
        complete_since=since,
        active=active[0],
        epochs=[Epoch(epoch=row.epoch, created_at=row.created_at, destroyed_at=row.destroyed_at) for row in found],
    )


async def _records(connection: AsyncConnection, header: Header) -> AsyncIterator[Record]:
    yield header
    columns = erasures.c.erasure_id, erasures.c.erased_at, erasures.c.epoch, erasures.c.backups_unreadable_at
    receipts = await connection.stream(select(*columns).execution_options(yield_per=_AT_A_TIME))
    async for rows in receipts.partitions():
        for erasure_id, erased_at, epoch, unreadable_at in rows:
            yield Receipt(erasure_id=erasure_id, erased_at=erased_at, epoch=epoch, backups_unreadable_at=unreadable_at)
    keys = select(users.c.user_id, user_keys.c.purpose, user_keys.c.epoch, user_keys.c.wrapped).outerjoin(user_keys)
    found = await connection.stream(keys.order_by(users.c.user_id).execution_options(yield_per=_AT_A_TIME))
    person: Person | None = None
    async for rows in found.partitions():
        for user_id, purpose, epoch, wrapped in rows:
            key = (WrappedKey(purpose, epoch, wrapped),) if purpose else ()
            if person and person.user_id == user_id:
                person = Person(user_id, person.keys + key)
                continue
            if person:
                yield person
            person = Person(user_id, key)
    if person:
        yield person


def _blocking(parts: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """``parts`` for a thread, while ``loop`` runs in another."""
    while (part := asyncio.run_coroutine_threadsafe(_following(parts), loop).result()) is not None:
        yield part


async def _following(parts: AsyncIterator[bytes]) -> bytes | None:
    return await anext(parts, None)


def _compare(read: Callable[[str], BinaryIO], name: str, header: Header, epoch_key: bytes, written: Encoder) -> None:
    """Read the export from where it is kept: it is what was written, and each key in it opens."""
    try:
        with closing(read(name)) as file:
            decoder = Decoder(file, {header.active: epoch_key}.__getitem__)
            same = decoder.header() == header
            for record in decoder.records():
                if isinstance(record, Person):
                    _open_all(record, header.active, epoch_key)
    except (ExportDamaged, CannotUnwrap, LookupError) as error:
        raise ExportFailed("the export that was read back does not open") from error
    if not same or (decoder.digest, decoder.people) != (written.digest, written.people):
        raise ExportFailed("the export that was read back is another than was written")


def _open_all(person: Person, active: int, epoch_key: bytes) -> None:
    for key in person.keys:
        if key.epoch != active:
            raise ExportFailed("a key in the export is not wrapped in the active epoch")
        unwrap(epoch_key, user_id=person.user_id, purpose=key.purpose, epoch=active, wrapped=key.wrapped)
