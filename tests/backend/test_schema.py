"""The migrations, the tables as the code sees them, and what the backend's role may do."""

import asyncio
import json
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from backend.schema import metadata
from chassis.engine import connect
from sqlalchemy import Connection

from local.failure import Failure
from tests.backend.process import DATABASE_PASSWORD, ROLE, Backend


def test_the_migrations_make_the_tables_that_the_code_uses(deployed: Backend) -> None:
    async def run() -> list[Any]:
        admin = json.loads(deployed.postgres.admin_secret.read_text())
        engine = connect(deployed.read_settings(), credentials=(admin["username"], admin["password"]))
        async with engine.connect() as connection:
            differences = await connection.run_sync(_differences)
        await engine.dispose()
        return differences

    assert asyncio.run(run()) == []


def _differences(connection: Connection) -> list[Any]:
    options = {"compare_type": True, "compare_server_default": False}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return [difference for difference in found if getattr(difference[1], "name", "") != "alembic_version"]


def test_a_second_deployment_changes_nothing(own_backend: Backend) -> None:
    columns = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
        "ORDER BY table_name, ordinal_position"
    )
    before = own_backend.sql(columns)
    own_backend.run_task("migrate")
    assert own_backend.sql(columns) == before


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE users", "CREATE TABLE mine ()", "TRUNCATE users", "SELECT * FROM alembic_version", "CREATE ROLE more"],
)
def test_the_role_may_only_read_and_write_rows(deployed: Backend, statement: str) -> None:
    def ask(sql: str) -> str:
        return deployed.postgres.query(sql, PGUSER=ROLE, PGPASSWORD=DATABASE_PASSWORD, PGDATABASE=deployed.database)

    assert ask("SELECT count(*) FROM users") == "0"
    with pytest.raises(Failure, match=r"denied|must be owner"):
        ask(statement)


@pytest.mark.parametrize(
    "values",
    [
        "gen_random_uuid(), :'conversation', gen_random_uuid(), 'user', '\\x01', 'complete'",
        "gen_random_uuid(), :'conversation', :'user', 'user', '\\x41', 'complete'",
        "gen_random_uuid(), :'conversation', :'user', 'user', '\\x00', 'complete'",
        "gen_random_uuid(), :'conversation', :'user', 'ai', '\\x01', 'complete'",
    ],
    ids=["anothers-conversation", "content-without-its-byte", "plain-content", "reply-to-nothing"],
)
def test_a_message_that_cannot_be_is_refused(deployed: Backend, values: str) -> None:
    user, conversation = deployed.sql("SELECT gen_random_uuid(), gen_random_uuid()").split("|")
    people = (
        "BEGIN; INSERT INTO users (user_id, email, hashed_password, mac) VALUES (:'user', :'user', '', '');"
        "INSERT INTO conversations (conversation_id, user_id, persona) VALUES (:'conversation', :'user', 'Gem');"
        "INSERT INTO messages (message_id, conversation_id, user_id, sender, content, status) VALUES "
    )
    good = "(gen_random_uuid(), :'conversation', :'user', 'user', '\\x01', 'complete'); ROLLBACK"
    deployed.sql(people + good, user=user, conversation=conversation)
    with pytest.raises(Failure, match="violates"):
        deployed.sql(people + f"({values})", user=user, conversation=conversation)
