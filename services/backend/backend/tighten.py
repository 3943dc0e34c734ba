"""What the database admits until nothing of before there were keys is left: plain messages, accounts without a MAC.

The version of before stores both, and serves until this one does. So they are refused from the beginning where there
is no such version, and otherwise at the first deployment that finds none.
"""

from chassis.logs import log
from chassis.sealing import cells
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from backend.schema import IS_SEALED, SEALED_CHECK

SINCE = "0006"
"""The revision that came with the first version that seals."""

_PLAIN_LEFT = "SELECT EXISTS (SELECT FROM messages WHERE get_byte(content, 0) = 0)"
_MAC_LEFT = "SELECT EXISTS (SELECT FROM users WHERE mac IS NULL)"
_MAC_ADMITS_NULL = "SELECT NOT attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'mac'"


async def tighten(connection: AsyncConnection, before: str | None) -> None:
    """Refuse what no longer is. Safe to repeat.

    Args:
        connection: The administrator's.
        before: The revision the database had before this deployment.
    """
    if before is not None and before < SINCE:
        return
    await _refuse_plain(connection)
    await _demand_mac(connection)


async def _refuse_plain(connection: AsyncConnection) -> None:
    sealed = await connection.scalar(text(IS_SEALED), {"name": SEALED_CHECK})
    if sealed:
        return
    if await connection.scalar(text(_PLAIN_LEFT)):
        log("migration.plain_messages_left", "warning")
        return
    if sealed is None:
        # Two steps, so that nobody waits while all rows are read: from the first on no new one is plain.
        check = f"CHECK (get_byte(content, 0) = {cells.SEALED})"
        await _execute(connection, f"ALTER TABLE messages ADD CONSTRAINT {SEALED_CHECK} {check} NOT VALID")
    await _execute(connection, f"ALTER TABLE messages VALIDATE CONSTRAINT {SEALED_CHECK}")
    await _execute(connection, "ALTER TABLE messages DROP CONSTRAINT IF EXISTS messages_content_check")
    await _execute(connection, "DROP INDEX IF EXISTS messages_plain")
    log("migration.plain_messages_refused")


async def _demand_mac(connection: AsyncConnection) -> None:
    if not await connection.scalar(text(_MAC_ADMITS_NULL)):
        return
    if await connection.scalar(text(_MAC_LEFT)):
        log("migration.accounts_without_mac_left", "warning")
        return
    await _execute(connection, "ALTER TABLE users ALTER COLUMN mac SET NOT NULL")
    log("migration.accounts_without_mac_refused")


async def _execute(connection: AsyncConnection, statement: str) -> None:
    await connection.execute(text(statement))
    await connection.commit()
