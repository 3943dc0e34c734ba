"""A running Sanctum, as whoever has its machine may use it: its databases, its tasks, its folders."""

import re
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from local.postgres import Postgres
from tests.erasure.opened import Cells, Key, cells_in, keys_in
from tests.support.backups import dump, restore
from tests.support.inside import environment_of, server_of
from tests.support.running import Sanctum

DATABASES = ("users", "memory")
ROLL_SECONDS = 120
_COPY = re.compile(r"COPY (\S+) \(")


@dataclass(frozen=True)
class Backup:
    """Both databases at a moment, restored beside the living ones."""

    ids: dict[str, UUID]
    """Who was there, by e-mail."""
    cells: Cells
    keys: list[Key]
    tables: dict[str, set[str]]
    """In which tables whose id stands."""


class System:
    """``sanctum`` from inside."""

    def __init__(self, sanctum: Sanctum) -> None:
        self.sanctum = sanctum
        self.server: Postgres = server_of(sanctum.state)

    def backup(self, name: str) -> Backup:
        """What a backup of this moment gives: dumped while all goes on, restored under another name."""
        dumped = {database: dump(self.server, database) for database in DATABASES}
        for database, content in dumped.items():
            restore(self.server, content, f"{database}_{name}")
        users, memory = (f"{database}_{name}" for database in DATABASES)
        rows = self.server.query("SELECT email, user_id FROM users ORDER BY email", PGDATABASE=users).splitlines()
        ids = {email: UUID(user_id) for email, user_id in (row.split("|") for row in rows)}
        tables = _tables("\n".join(content.decode() for content in dumped.values()))
        return Backup(ids, cells_in(self.server, users, memory), keys_in(self.server, users), tables)

    def remembered(self) -> set[UUID]:
        """Of whom something is remembered."""
        rows = self.server.query("SELECT DISTINCT user_id FROM memories", PGDATABASE="memory")
        return {UUID(row) for row in rows.split()}

    def sql(self, script: str) -> str:
        """What the administrator sees in the user database."""
        return self.server.query(script, PGDATABASE="users")

    def roll(self) -> float:
        """Run the task that finishes erasures, as the schedule does; how long it took."""
        environment = environment_of("backend", self.sanctum)
        environment["KEY_EXPORTS"] = str(self.sanctum.state / "exports")
        begun = time.monotonic()
        command = [sys.executable, "-m", "backend.roll_keys"]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=ROLL_SECONDS)
        return time.monotonic() - begun


def _tables(dumped: str) -> dict[str, set[str]]:
    """In which tables of a dump in SQL each id stands, and each e-mail."""
    found: dict[str, set[str]] = defaultdict(set)
    table = ""
    for line in dumped.splitlines():
        if begun := _COPY.match(line):
            table = begun[1]
        elif line == r"\.":
            table = ""
        elif table:
            for value in line.split("\t"):
                found[value].add(table)
    return found
