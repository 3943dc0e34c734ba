"""Brings a database to this version's schema, and makes the role that the service signs in with.

Runs before the new version starts, while the old one still serves: a schema only ever grows (expand/contract) and is
never taken back.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.engine import connect
from chassis.logs import log
from chassis.secret_store import read_secret
from chassis.settings import DatabaseSettings

STATEMENT_SECONDS = 600
"""Statements here read whole tables now and then."""
Then = Callable[[AsyncConnection, str | None], Awaitable[None]]
_LOCK = 5_368_210_553
"""The advisory lock that lets one migration at a time into a database; any number will do."""


async def migrate(folder: Path, settings: DatabaseSettings, admin_secret: str, *, then: Then | None = None) -> None:
    """Run the Alembic migrations in ``folder`` as the administrator and grant the service's role what it needs.

    Safe to run again and at the same time. A database that is at a revision this image does not know is newer than
    it (the deployment is being rolled back): it is left as it is.

    Args:
        folder: An Alembic script location.
        settings: The database and the role of the service, whose password is set where one is given.
        admin_secret: Location of ``{"username", "password"}``.
        then: Called afterwards with the administrator's connection and the revision that the database had before,
            unless it is newer than this image.

    Raises:
        LookupError: nothing is at ``admin_secret``.
    """
    secret = read_secret(admin_secret)
    if secret is None:
        raise LookupError("DATABASE_ADMIN_SECRET names a secret that holds nothing")
    admin = json.loads(secret)
    engine = connect(
        settings, pool_size=1, credentials=(admin["username"], admin["password"]), statement_seconds=STATEMENT_SECONDS
    )
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            await connection.commit()
            await _make_role(connection, settings)
            known, before = await connection.run_sync(_upgrade, folder)
            if known and then:
                await then(connection, before)
            await _grant(connection, settings)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, folder: Path) -> tuple[bool, str | None]:
    """Whether this image knows the revision that the database had, and which it was."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    if current is not None and current not in known:
        log("migration.database_is_newer", "warning")
        return False, current
    command.upgrade(config, "head")
    connection.commit()
    log("migration.done")
    return True, current


async def _make_role(connection: AsyncConnection, settings: DatabaseSettings) -> None:
    role = _quoted(settings.database_user)
    found = await connection.scalar(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": settings.database_user}
    )
    if not found:
        await connection.execute(text(f"CREATE ROLE {role} LOGIN NOINHERIT"))
    if settings.database_password:
        # A utility statement takes no parameters; the server quotes the literal for us.
        password = await connection.scalar(
            text("SELECT quote_literal(:password)"), {"password": settings.database_password.get_secret_value()}
        )
        await connection.exec_driver_sql(f"ALTER ROLE {role} PASSWORD {password}")
    else:
        await connection.execute(text(f"GRANT rds_iam TO {role}"))
    await connection.commit()


async def _grant(connection: AsyncConnection, settings: DatabaseSettings) -> None:
    role, database = _quoted(settings.database_user), _quoted(settings.database_name)
    for statement in (
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE ALL ON alembic_version FROM {role}",
    ):
        await connection.execute(text(statement))
    await connection.commit()


def _quoted(identifier: str) -> str:
    return dialect().identifier_preparer.quote_identifier(identifier)
