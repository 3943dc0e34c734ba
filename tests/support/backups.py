"""Backups of a database as an operator makes them: with PostgreSQL's own tools, restored into another database."""

import json
import subprocess

from local import postgres_binaries
from local.postgres import TOOLS, Postgres


def dump(server: Postgres, database: str, *options: str) -> bytes:
    """What ``pg_dump`` makes of a database, as SQL unless ``options`` say otherwise; others go on using it."""
    return _run(server, "pg_dump", *options, database)


def dump_unpacked(server: Postgres, database: str) -> bytes:
    """What is in a compressed dump: in it as it is, not even what was stored plainly is found."""
    return _run(server, "pg_restore", "--file=-", given=dump(server, database, "--format=custom"))


def restore(server: Postgres, dumped: bytes, database: str) -> None:
    """Make ``database`` of a dump in SQL."""
    server.create_database(database)
    _run(server, "psql", "-XqAt", "--set=ON_ERROR_STOP=1", database, given=dumped)


def _run(server: Postgres, program: str, *arguments: str, given: bytes = b"") -> bytes:
    admin = json.loads(server.admin_secret.read_text())
    environment = server.environment | {
        "PGHOST": server.host,
        "PGPORT": str(server.port),
        "PGUSER": admin["username"],
        "PGPASSWORD": admin["password"],
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": str(server.ca_file),
    }
    command = [str(postgres_binaries.install(TOOLS) / "bin" / program), *arguments]
    return subprocess.run(command, env=environment, input=given, check=True, capture_output=True).stdout
