"""Migrations: twice at once, from a newer version, and what the service's role may do afterwards."""

import asyncio
import ssl
from pathlib import Path
from uuid import uuid4

import pytest
from chassis.engine import connect
from chassis.migrations import migrate
from chassis.settings import DatabaseSettings
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from local.certificates import Authority
from local.postgres import Postgres

pytestmark = pytest.mark.anyio

ENV = """
from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
"""
STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{name}", {after!r}


def upgrade():
    op.create_table("table_{name}", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """An Alembic folder with two steps."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENV)
    (tmp_path / "versions" / "one.py").write_text(STEP.format(name="one", after=None))
    (tmp_path / "versions" / "two.py").write_text(STEP.format(name="two", after="one"))
    return tmp_path


@pytest.fixture
def database(postgres: Postgres) -> DatabaseSettings:
    """A new empty database, and a role that does not exist yet, with names that need quoting."""
    name = f'odd "name" {uuid4()}'
    postgres.create_database(name)
    return DatabaseSettings(
        database_host="localhost",
        database_port=postgres.port,
        database_name=name,
        database_user=f'role "{uuid4()}"',
        database_ca_file=postgres.ca_file,
        database_password=SecretStr("it's"),
    )


async def value(settings: DatabaseSettings, statement: str) -> object:
    """What ``statement`` gives the service's role."""
    engine = connect(settings, pool_size=1)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def test_two_at_once_migrate_once(steps: Path, database: DatabaseSettings, postgres: Postgres) -> None:
    await asyncio.gather(*(migrate(steps, database, str(postgres.admin_secret)) for _ in range(2)))
    await migrate(steps, database, str(postgres.admin_secret))
    assert await value(database, "SELECT count(*) FROM table_one") == 0
    assert await value(database, "SELECT count(*) FROM table_two") == 0


async def test_a_newer_database_is_left_alone(steps: Path, database: DatabaseSettings, postgres: Postgres) -> None:
    await migrate(steps, database, str(postgres.admin_secret))
    (steps / "versions" / "two.py").unlink()  # the image of the version before, which the deployment goes back to
    await migrate(steps, database, str(postgres.admin_secret))
    assert await value(database, "SELECT count(*) FROM table_two") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (id int)",
        "DROP TABLE table_one",
        "TRUNCATE table_one",
        "ALTER TABLE table_one ADD COLUMN x int",
        "SELECT * FROM alembic_version",
        "UPDATE alembic_version SET version_num = 'x'",
        "CREATE ROLE another",
    ],
)
async def test_the_services_role_may_not(
    statement: str, steps: Path, database: DatabaseSettings, postgres: Postgres
) -> None:
    await migrate(steps, database, str(postgres.admin_secret))
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        await value(database, statement)


async def test_the_services_role_may_change_rows(steps: Path, database: DatabaseSettings, postgres: Postgres) -> None:
    await migrate(steps, database, str(postgres.admin_secret))
    await value(database, "INSERT INTO table_one VALUES (1)")
    await value(database, "UPDATE table_one SET id = 2")
    assert await value(database, "SELECT id FROM table_one") == 2
    await value(database, "DELETE FROM table_one")


async def test_a_role_of_another_database_is_kept_out(
    steps: Path, database: DatabaseSettings, postgres: Postgres
) -> None:
    await migrate(steps, database, str(postgres.admin_secret))
    postgres.create_database("another")
    with pytest.raises(DBAPIError, match="permission denied for database"):
        await value(database.model_copy(update={"database_name": "another"}), "SELECT 1")


async def test_a_new_password_takes_the_place_of_the_old(
    steps: Path, database: DatabaseSettings, postgres: Postgres
) -> None:
    await migrate(steps, database, str(postgres.admin_secret))
    changed = database.model_copy(update={"database_password": SecretStr("new")})
    await migrate(steps, changed, str(postgres.admin_secret))
    assert await value(changed, "SELECT 1") == 1
    with pytest.raises(DBAPIError, match="password authentication failed"):
        await value(database, "SELECT 1")


async def test_a_missing_secret_is_said(steps: Path, database: DatabaseSettings, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="DATABASE_ADMIN_SECRET"):
        await migrate(steps, database, str(tmp_path / "nothing"))


async def test_a_server_with_a_strange_certificate_is_told_no_password(
    database: DatabaseSettings, tmp_path: Path
) -> None:
    Authority("Stranger").write_certificate(tmp_path / "ca.pem")
    misled = database.model_copy(update={"database_ca_file": tmp_path / "ca.pem"})
    with pytest.raises(ssl.SSLCertVerificationError):
        await value(misled, "SELECT 1")
