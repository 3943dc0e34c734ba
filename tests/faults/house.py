"""A running Sanctum whose parts can be hurt, on a disk small enough to fill."""

import asyncio
import json
import os
import signal
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from local.certificates import Authority
from local.memory import Store
from local.postgres import Postgres
from tests.faults.disk import small_disk
from tests.support import inside
from tests.support.openai_server import stand_in
from tests.support.running import Sanctum, running


@dataclass(frozen=True)
class House:
    """Sanctum, and what only whoever owns the machine may do to it."""

    sanctum: Sanctum
    data: Path
    """PostgreSQL's folder, as it is seen from here."""
    small: bool
    """Whether that is on a disk of its own."""

    def process(self, name: str) -> int:
        """Process id of ``postgres``, ``opensearch`` or a service.

        Raises:
            LookupError: there is none.
            ValueError: there is none, of ``opensearch``.
        """
        if name == "postgres":
            return int((self.data / "cluster/data/postmaster.pid").read_text().splitlines()[0])
        if name == "opensearch":
            told = f"-Dopensearch.path.conf={self.sanctum.state}/opensearch".encode()
            (java,) = (
                process
                for process in inside.processes_named("java", self.sanctum.pid)
                if told in (process / "cmdline").read_bytes()
            )
            return int(java.name)
        return int(inside.process_of(name, self.sanctum).name)

    def send(self, number: signal.Signals, *names: str) -> None:
        """Send a signal to processes, all at once."""
        for process in [self.process(name) for name in names]:
            os.kill(process, number)

    def spoil_certificate(self, name: str, issued: timedelta) -> None:
        """Put a certificate in place that the service finds at its next start; ``issued`` counts from now."""
        authority = Authority.kept(
            "Sanctum on this machine", self.sanctum.ca, self.sanctum.state / "secrets" / "ca.key"
        )
        authority.issue_server(name, self.sanctum.state / "certificates", at=datetime.now(UTC) + issued)

    def said(self, sentence: str) -> int:
        """How often whoever started Sanctum was told ``sentence``."""
        return (self.sanctum.state / "logs" / "sanctum.log").read_text().count(sentence)

    def sql(self, script: str) -> str:
        """What the administrator sees in the user database."""
        return Postgres(self.data, Authority("unused"), port=self._database_port()).query(script, PGDATABASE="users")

    @contextmanager
    def holding_all_connections(self) -> Generator[None]:
        """Hold every connection that PostgreSQL gives, also those that the services had."""
        asyncio_loop = asyncio.new_event_loop()
        held: list[asyncpg.Connection[asyncpg.Record]] = []

        async def hold() -> None:
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    held.append(await self._connect())

        async def hold_all() -> None:
            others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename <> user"
            await hold()
            while await held[0].fetchval(others):  # who was quick has connected again
                await hold()

        async def let_go() -> None:
            for connection in held:
                connection.terminate()

        try:
            asyncio_loop.run_until_complete(hold_all())
            yield
        finally:
            asyncio_loop.run_until_complete(let_go())
            asyncio_loop.close()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        admin = json.loads((self.data / "admin.json").read_text())
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self._database_port(),
            user=admin["username"],
            password=admin["password"],
            database="postgres",
            ssl=ssl.create_default_context(cafile=self.sanctum.ca),
        )

    def _database_port(self) -> int:
        return int((self.data / "cluster/data/postmaster.pid").read_text().splitlines()[3])


@contextmanager
def house(state: Path, memory: Store = "pgvector") -> Generator[House]:
    """Start it with a stand-in for the model."""
    folder = state / "postgres"
    folder.mkdir(parents=True)
    within = small_disk(folder)
    with stand_in() as options, running(state, *options, "--memory", memory, within=within) as sanctum:
        data = Path(f"/proc/{sanctum.pid}/root{folder}") if within else folder
        yield House(sanctum, data, small=bool(within))
