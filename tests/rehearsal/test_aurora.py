"""The front of the emulated Aurora, before a real PostgreSQL."""

import ssl
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rehearsal.authority import Authority
from rehearsal.fronts import aurora
from rehearsal.fronts.__main__ import needs_token
from rehearsal.fronts.emulator import Emulator, Endpoint
from rehearsal.fronts.names import Names
from rehearsal.stores import DATABASE, Aurora

pytestmark = pytest.mark.anyio

HOST = "localhost"
ROLES = """
DO $$ BEGIN
  CREATE ROLE tokens LOGIN; GRANT rds_iam TO tokens;
  CREATE ROLE words LOGIN PASSWORD 'a password';
  GRANT CONNECT ON DATABASE users TO tokens, words;
END $$
"""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """What the front runs on."""
    return "asyncio"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aurora]:
    """The server behind the front."""
    with Aurora(tmp_path_factory.mktemp("aurora")) as server:
        server.query(ROLES)
        yield server


@asynccontextmanager
async def _front(database: Aurora, folder: Path) -> AsyncGenerator[tuple[int, ssl.SSLContext]]:
    """Its port, and who believes its certificate; the emulator has one good token."""

    async def decide(request: web.Request) -> web.Response:
        asked = await request.json()
        good = asked == {"host": HOST, "port": aurora.PORT, "user": "tokens", "token": "a good token"}
        return web.json_response(None if good else "not good")

    app = web.Application()
    app.router.add_post("/_rehearsal/database", decide)
    authority = Authority(folder / "authority")
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        emulator = Emulator(str(server.make_url("")).rstrip("/"), session)
        names = Names(emulator, authority)
        names.endpoints = {HOST: Endpoint("database", "users", "111122223333", "us-east-1", [])}
        front = aurora.Front(emulator, names, database.port, needs_token(database.port, database.admin_secret))
        async with front.serving("127.0.0.1", 0) as port:
            yield port, ssl.create_default_context(cafile=authority.certificate)


async def _who(port: int, tls: ssl.SSLContext | None, user: str, password: str) -> str:
    connection = await cast("Any", asyncpg).connect(
        host=HOST, port=port, user=user, password=password, database=DATABASE, ssl=tls or False
    )
    try:
        return await connection.fetchval("SELECT current_user")
    finally:
        await connection.close()


async def test_a_role_that_has_rds_iam_signs_in_with_a_good_token_and_with_nothing_else(
    database: Aurora, tmp_path: Path
) -> None:
    async with _front(database, tmp_path) as (port, tls):
        assert await _who(port, tls, "tokens", "a good token") == "tokens"
        for other in ("a bad token", "a password"):
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="PAM authentication failed"):
                await _who(port, tls, "tokens", other)


async def test_any_other_role_signs_in_with_its_password_and_no_token(database: Aurora, tmp_path: Path) -> None:
    async with _front(database, tmp_path) as (port, tls):
        assert await _who(port, tls, "words", "a password") == "words"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await _who(port, tls, "words", "a good token")


async def test_nobody_signs_in_without_tls(database: Aurora, tmp_path: Path) -> None:
    async with _front(database, tmp_path) as (port, _):
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"rds\.force_ssl"):
            await _who(port, None, "words", "a password")
