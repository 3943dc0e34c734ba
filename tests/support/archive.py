"""A server that keeps what an operator may have it keep: an archive of its write-ahead log, a log of its statements."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from local.certificates import Authority
from local.postgres import Postgres

ARCHIVE = "postgres/cluster/archive"
"""Where the archived segments are, in a state folder."""


def archiving(state: Path) -> None:
    """Have the server that will run in ``state`` archive its log of writes."""
    Postgres(state / "postgres", Authority("unused")).prepare()
    command = "mkdir -p ../archive && cp %p ../archive/%f"  # in the folder that is the server's own
    settings = state / "postgres/cluster/data/postgresql.auto.conf"
    with settings.open("a") as file:
        file.write(f"archive_mode = on\narchive_command = '{command}'\n")


def base_backup(server: Postgres, to: Path) -> None:
    """Copy the files of a running server as its manual has it; all that it logged until the end is archived then.

    https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
    """
    data = server.folder / "cluster/data"
    lines = (
        "CHECKPOINT; SELECT pg_backup_start('tests', true);",
        rf"\! cp -a {shlex.quote(str(data))} {shlex.quote(str(to))}",
        "SELECT count(*) FROM pg_backup_stop(wait_for_archive => true);",
    )
    server.query("\n".join(lines))


def log_statements(server: Postgres, databases: Iterable[str], *, wanted: bool) -> None:
    """Whether all statements are logged with their values, in sessions that begin now; those that there are end."""
    for database in databases:
        change = ("SET log_statement = 'all'", "SET log_error_verbosity = 'default'") if wanted else ("RESET ALL",)
        for each in change:
            server.query(f'ALTER DATABASE "{database}" {each}')
        others = "FROM pg_stat_activity WHERE datname = :'it' AND pid <> pg_backend_pid()"
        server.query(f"SELECT count(pg_terminate_backend(pid)) {others}", variables={"it": database})
