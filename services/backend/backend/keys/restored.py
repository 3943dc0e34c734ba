"""Puts the keys of an export into a database that was restored from a backup.

A backup's own keys are not believed: whoever was erased since has theirs in it. So keys come from the export alone,
except those of people who registered after it was made; and who has no key afterwards was erased, and goes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from chassis.sealing.key_service import CannotUnwrap, Purpose
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.keys.epochs import EpochGone
from backend.keys.exports_format import Decoder, Header, Person, Receipt
from backend.keys.outer import unwrap
from backend.schema import erasures, key_epochs, outbox, user_keys, users

BATCH = 1000
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)

_now = func.clock_timestamp

EpochKey = Callable[[int], bytes]
"""Gives the key of an epoch, or raises ``EpochGone``."""


@dataclass
class Report:
    """What a restore did, or would do; numbers of people."""

    restored: int = 0
    """Have their keys from the export."""
    newer: int = 0
    """Registered after the export was made, and keep the keys of the backup."""
    erased: int = 0
    """In the backup and not in the export: erased since the backup was made. Their rows go."""
    unreadable: int = 0
    """Registered after the export was made, but in an epoch that is gone. Their rows go: nobody can read them."""
    without_content: int = 0
    """In the export and not in the backup: registered after it was made. Their account is lost."""

    @property
    def removed(self) -> int:
        """People whose rows go."""
        return self.erased + self.unreadable


async def restore(connection: AsyncConnection, file: BinaryIO, epoch_key: EpochKey) -> Report:
    """Bring the keys, the epochs and the receipts of the database to those of the export in ``file``.

    Args:
        connection: In a transaction, which is to be rolled back if this raises.
        file: An export.
        epoch_key: Gives the keys of epochs.

    Raises:
        ExportDamaged: it is not a whole export.
        EpochGone: its epoch is gone, so there is a newer one.
    """
    decoder = Decoder(file, epoch_key)
    header = decoder.header()
    await _restore_epochs(connection, header, epoch_key)
    restoring = _Restoring(connection, header, epoch_key)
    for records in _batches(decoder.records()):
        receipts = [record for record in records if isinstance(record, Receipt)]
        people = [record for record in records if isinstance(record, Person)]
        await _restore_receipts(connection, receipts)
        await restoring.people(people)
    await restoring.rest()
    return restoring.report


def _batches(records: Iterable[Receipt | Person]) -> Iterator[list[Receipt | Person]]:
    following = iter(records)
    while batch := list(islice(following, BATCH)):
        yield batch


async def _restore_epochs(connection: AsyncConnection, header: Header, epoch_key: EpochKey) -> None:
    """Those of the export and of the backup; the newest whose key is there is the active one."""
    for epoch in header.epochs:
        row = epoch.model_dump() | {"state": "destroyed" if epoch.destroyed_at else "retiring"}
        changed = {name: row[name] for name in ("state", "destroyed_at")}
        same = key_epochs.c.state == "destroyed"  # never comes back
        statement = (
            upsert(key_epochs).values(row).on_conflict_do_update(index_elements=["epoch"], set_=changed, where=~same)
        )
        await connection.execute(statement)
    await connection.execute(update(key_epochs).where(key_epochs.c.state == "active").values(state="retiring"))
    found = await connection.execute(select(key_epochs.c.epoch).where(key_epochs.c.state == "retiring"))
    living = {epoch for epoch in found.scalars() if _lives(epoch_key, epoch)}
    # A later epoch of which neither knows began after both. It ends like the others, or its number would be used again.
    while _lives(epoch_key, following := max(living) + 1):
        await connection.execute(insert(key_epochs).values(epoch=following, state="retiring"))
        living.add(following)
    gone = (key_epochs.c.state == "retiring") & key_epochs.c.epoch.not_in(living)
    await connection.execute(update(key_epochs).where(gone).values(state="destroyed", destroyed_at=_now()))
    await connection.execute(update(key_epochs).where(key_epochs.c.epoch == max(living)).values(state="active"))


def _lives(epoch_key: EpochKey, epoch: int) -> bool:
    try:
        epoch_key(epoch)
    except EpochGone:
        return False
    return True


async def _restore_receipts(connection: AsyncConnection, receipts: Sequence[Receipt]) -> None:
    if receipts:
        statement = upsert(erasures).values([receipt.model_dump() for receipt in receipts])
        later = {"backups_unreadable_at": statement.excluded.backups_unreadable_at}
        await connection.execute(statement.on_conflict_do_update(index_elements=["erasure_id"], set_=later))


class _Restoring:
    """Goes through the people of the export and of the database side by side, both in the order of their ids."""

    def __init__(self, connection: AsyncConnection, header: Header, epoch_key: EpochKey) -> None:
        self.report = Report()
        self._connection = connection
        self._since = header.complete_since
        self._epoch_key = epoch_key
        self._after = _FIRST

    async def people(self, listed: Sequence[Person]) -> None:
        """The next people of the export, and everybody in the database up to the last of them."""
        if listed:
            await self._settle(listed, listed[-1].user_id)

    async def rest(self) -> None:
        """Everybody in the database whose id comes after those of the export."""
        await self._settle([], _LAST)

    async def _settle(self, listed: Sequence[Person], upto: UUID) -> None:
        between = (users.c.user_id > self._after) & (users.c.user_id <= upto)
        found = await self._connection.execute(select(users.c.user_id, users.c.created_at).where(between))
        here = {row.user_id: row.created_at for row in found}
        self._after = upto
        living = [person for person in listed if person.user_id in here]
        self.report.without_content += len(listed) - len(living)
        await self._give_keys(living)
        ids = {person.user_id for person in living}
        erased = [user for user, since in here.items() if user not in ids and since < self._since]
        newer = here.keys() - ids - set(erased)
        keyless = {person.user_id for person in living if not person.keys}
        unreadable = await self._unreadable(newer | keyless)
        self.report.restored += len(ids - unreadable)
        self.report.newer += len(newer - unreadable)
        self.report.erased += len(erased)
        self.report.unreadable += len(unreadable)
        await self._remove([*erased, *unreadable])

    async def _give_keys(self, people: Iterable[Person]) -> None:
        rows = [
            {"user_id": person.user_id, "purpose": key.purpose, "epoch": key.epoch, "wrapped": key.wrapped}
            for person in people
            for key in person.keys
        ]
        if rows:
            statement = upsert(user_keys)
            of_export = {name: statement.excluded[name] for name in ("epoch", "wrapped")}
            statement = statement.on_conflict_do_update(index_elements=["user_id", "purpose"], set_=of_export)
            await self._connection.execute(statement, rows)

    async def _unreadable(self, people: set[UUID]) -> set[UUID]:
        """Whose keys, as the backup has them, do not open."""
        found = await self._connection.execute(select(user_keys).where(user_keys.c.user_id.in_(people)))
        return {row.user_id for row in found if not self._opens(row)}

    def _opens(self, row: Row[UUID, Purpose, int, bytes]) -> bool:
        user_id, purpose, epoch, wrapped = row
        try:
            unwrap(self._epoch_key(epoch), user_id=user_id, purpose=purpose, epoch=epoch, wrapped=wrapped)
        except (EpochGone, CannotUnwrap):
            return False
        return True

    async def _remove(self, people: Sequence[UUID]) -> None:
        """Their rows, and by an order to the AI core what is remembered of them."""
        if people:
            await self._connection.execute(delete(users).where(users.c.user_id.in_(people)))
            await self._connection.execute(insert(outbox), [{"user_id": user} for user in people])
