"""Receipts of erasures in the database; they say nothing of who it was."""

from uuid import UUID, uuid4

from chassis.direct import Built, Connection, Row
from sqlalchemy import Integer, Uuid, bindparam, insert, select

from backend.keys.active import hold_active
from backend.schema import erasures

_COLUMNS = (erasures.c.erasure_id, erasures.c.erased_at, erasures.c.backups_unreadable_at)
_WRITE = Built(
    insert(erasures)
    .values(erasure_id=bindparam("erasure", type_=Uuid()), epoch=bindparam("active", type_=Integer()))
    .returning(*_COLUMNS)
)
_FIND = Built(select(*_COLUMNS).where(erasures.c.erasure_id == bindparam("erasure", type_=Uuid())))


async def write_down(connection: Connection) -> Row:
    """A new receipt, in the transaction that removes the person's rows and before it does so.

    It names the active epoch, and no roll ends that before the transaction ends: otherwise a roll could wrap the
    person's keys anew in the next epoch, and tell this one's end for theirs.
    """
    epoch = await hold_active(connection)
    (written,) = await connection.rows(_WRITE, erasure=uuid4(), active=epoch)
    return written


async def find(connection: Connection, erasure_id: UUID) -> Row | None:
    """The receipt; ``None`` when there is none."""
    found = await connection.rows(_FIND, erasure=erasure_id)
    return found[0] if found else None
