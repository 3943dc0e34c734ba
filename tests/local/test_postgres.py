"""PostgreSQL on this machine."""

import asyncio
import json
import ssl

import asyncpg

from local.postgres import Postgres


def test_the_administrator_signs_in_over_verified_tls(postgres: Postgres):
    async def version() -> str:
        admin = json.loads(postgres.admin_secret.read_text())
        tls = ssl.create_default_context(cafile=postgres.ca_file)
        connection = await asyncpg.connect(
            host=postgres.host,
            port=postgres.port,
            user=admin["username"],
            password=admin["password"],
            database="x",
            ssl=tls,
        )
        try:
            await connection.execute("CREATE EXTENSION vector")
            return await connection.fetchval("SHOW server_version")
        finally:
            await connection.close()

    postgres.create_database("x")
    postgres.create_database("x")
    assert asyncio.run(version()).startswith("18")
