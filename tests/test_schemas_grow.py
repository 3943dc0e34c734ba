"""Expand/contract: each migration leaves the release before it able to serve, as it does while the next one starts.

Every revision of both services is applied to a real PostgreSQL, and the schema after it compared with the one before.
"""

import asyncio
import json
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import ai_core
import backend
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from local.postgres import Postgres

MIGRATIONS = {service.__name__: Path(str(service.__file__)).parent / "migrations" for service in (ai_core, backend)}

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable = 'YES',
  column_default IS NOT NULL OR is_identity = 'YES' OR is_generated <> 'NEVER'
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text, conname FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index
WHERE indisunique AND indrelid::regclass::text NOT LIKE 'pg\\_%'
"""


class Column(NamedTuple):
    """What a statement has to give a column."""

    type: str
    nullable: bool
    default: bool


class Schema(NamedTuple):
    """What the code of a release relies on."""

    columns: dict[tuple[str, str], Column]
    refusals: set[tuple[str, str]]
    """Constraints and unique indexes: a table, and the name."""

    @classmethod
    def read(cls, connection: Connection) -> "Schema":
        """That of the database at the other end."""
        columns = {(row[0], row[1]): Column(*row[2:]) for row in connection.execute(text(COLUMNS))}
        return cls(columns, {(row[0], row[1]) for row in connection.execute(text(CONSTRAINTS))})


def breaks(before: Schema, after: Schema) -> list[str]:
    """Why the code of ``before`` cannot serve on ``after``; nothing where it can."""
    tables = {table for table, _ in before.columns}
    found: list[str] = []
    for (table, name), column in before.columns.items():
        now = after.columns.get((table, name))
        if now is None:
            found.append(f"{table}.{name} is gone")
        elif now.type != column.type:
            found.append(f"{table}.{name} was {column.type} and is {now.type}")
        elif column.nullable and not now.nullable:
            found.append(f"{table}.{name} must now be given")
        elif column.default and not now.default:
            found.append(f"{table}.{name} has lost its default")
    for (table, name), column in after.columns.items():
        if table in tables and (table, name) not in before.columns and not (column.nullable or column.default):
            found.append(f"{table}.{name} is new and must be given")
    found += [f"{table} refuses more: {name}" for table, name in after.refusals - before.refusals if table in tables]
    return sorted(found)


class _Database:
    """A database of its own, which only grows if the test is right."""

    def __init__(self, postgres: Postgres) -> None:
        self._name = f"grow_{uuid4().hex}"
        postgres.create_database(self._name)
        admin = json.loads(postgres.admin_secret.read_text())
        self._url = URL.create(
            "postgresql+asyncpg", admin["username"], admin["password"], postgres.host, postgres.port, self._name
        )
        self._tls = ssl.create_default_context(cafile=postgres.ca_file)

    def after(self, step: Callable[[Connection], None]) -> Schema:
        """The schema that ``step`` leaves."""

        async def run() -> Schema:
            engine = create_async_engine(self._url, connect_args={"ssl": self._tls})
            async with engine.connect() as connection:
                await connection.run_sync(step)
                await connection.commit()
                schema = await connection.run_sync(Schema.read)
            await engine.dispose()
            return schema

        return asyncio.run(run())


def _upgrade(migrations: Path, revision: str, connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revisions(migrations: Path) -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


@pytest.mark.parametrize("service", MIGRATIONS)
def test_the_release_before_can_serve_on_the_schema_of_every_migration(postgres: Postgres, service: str) -> None:
    database, migrations = _Database(postgres), MIGRATIONS[service]
    first, *others = _revisions(migrations)
    before = database.after(partial(_upgrade, migrations, first))
    assert before.columns
    assert before.refusals
    for revision in others:
        after = database.after(partial(_upgrade, migrations, revision))
        assert breaks(before, after) == [], revision
        before = after


BEFORE = "CREATE TABLE t (id integer PRIMARY KEY, a text, b text NOT NULL DEFAULT '', c text NOT NULL)"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("ALTER TABLE t DROP COLUMN a", "t.a is gone"),
        ("DROP TABLE t", "t.a is gone"),
        ("ALTER TABLE t RENAME COLUMN a TO z", "t.a is gone"),
        ("ALTER TABLE t RENAME TO z", "t.a is gone"),
        ("ALTER TABLE t ALTER COLUMN a TYPE bytea USING a::bytea", "t.a was text and is bytea"),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "t.a must now be given"),
        ("ALTER TABLE t ALTER COLUMN b DROP DEFAULT", "t.b has lost its default"),
        ("ALTER TABLE t ADD COLUMN d text NOT NULL", "t.d is new and must be given"),
        ("ALTER TABLE t ADD CHECK (a <> '')", "t refuses more: t_a_check"),
        ("ALTER TABLE t ADD CHECK (a <> '') NOT VALID", "t refuses more: t_a_check"),
        ("CREATE UNIQUE INDEX one ON t (a)", "t refuses more: one"),
        ("CREATE TABLE u (id integer PRIMARY KEY REFERENCES t); ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES u",
         "t refuses more: t_id_fkey"),
    ],
)  # fmt: skip
def test_what_the_release_before_would_stumble_over_is_told(postgres: Postgres, statement: str, why: str) -> None:
    database = _Database(postgres)
    before = database.after(_executing(BEFORE))
    assert why in breaks(before, database.after(_executing(statement)))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE t ADD COLUMN d text",
        "ALTER TABLE t ADD COLUMN d text NOT NULL DEFAULT ''",
        "ALTER TABLE t ADD COLUMN d bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE t ALTER COLUMN c DROP NOT NULL",
        "CREATE INDEX i ON t (a)",
        "CREATE TABLE u (id integer PRIMARY KEY REFERENCES t, d text NOT NULL UNIQUE)",
    ],
)
def test_what_the_release_before_does_not_notice_is_no_break(postgres: Postgres, statement: str) -> None:
    database = _Database(postgres)
    before = database.after(_executing(BEFORE))
    assert breaks(before, database.after(_executing(statement))) == []


def _executing(statements: str) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        for statement in statements.split(";"):
            connection.execute(text(statement))

    return run
