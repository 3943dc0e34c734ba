"""A database of before there were keys: its schema, with people and messages as that version stored them."""

import asyncio
import json
from uuid import UUID, uuid4

from alembic import command
from alembic.config import Config
from backend.migrate import MIGRATIONS
from chassis.engine import connect
from pwdlib import PasswordHash
from sqlalchemy import Connection

from local import key_file
from tests.backend.process import Backend

LAST_REVISION = "0003"
PASSWORD = "correct horse battery staple"


def make_earlier(backend: Backend) -> None:
    """The database of ``backend``, at the last revision of before there were keys."""
    backend.postgres.create_database(backend.database)
    key_file.keep(backend.key_file)
    asyncio.run(_upgrade(backend))


async def _upgrade(backend: Backend) -> None:
    admin = json.loads(backend.postgres.admin_secret.read_text())
    engine = connect(backend.read_settings(), credentials=(admin["username"], admin["password"]))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


def _run(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, LAST_REVISION)


def add_person(backend: Backend, email: str) -> UUID:
    """Somebody who registered then, with ``PASSWORD``."""
    user_id = uuid4()
    backend.sql(
        "INSERT INTO users (user_id, email, hashed_password) VALUES (:'it', :'email', :'hashed')",
        it=str(user_id), email=email, hashed=PasswordHash.recommended().hash(PASSWORD),
    )  # fmt: skip
    return user_id


def add_messages(backend: Backend, user_id: UUID, number: int) -> str:
    """A conversation in which somebody said that many things then, ``said 1``, ``said 2`` …; its id."""
    conversation = str(uuid4())
    backend.sql(
        "BEGIN; INSERT INTO conversations (conversation_id, user_id, persona) VALUES (:'conversation', :'it', 'Gem');"
        "INSERT INTO messages (message_id, conversation_id, user_id, sender, content, status) "
        "SELECT gen_random_uuid(), :'conversation', :'it', 'user', '\\x00' || convert_to('said ' || n, 'UTF8'), "
        "'complete' FROM generate_series(1, :'number'::integer) n ORDER BY n; COMMIT",
        conversation=conversation, it=str(user_id), number=str(number),
    )  # fmt: skip
    return conversation
