"""The stores of the memory for a benchmark: real servers, reached over TLS, and what they use of the processor."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import OpenSearchClient, open_client
from ai_core.memory.opensearch_index import ALIAS, prepare
from ai_core.memory.pgvector import PgvectorStore
from ai_core.memory.store import MemoryStore
from ai_core.prepare_memory import MIGRATIONS
from ai_core.settings import DatabaseSettings, MemorySettings
from chassis.migrations import migrate
from pydantic import SecretStr

from local import health, opensearch
from local.certificates import Authority, Leaf
from local.ports import free_port
from local.postgres import Postgres
from tests.support.inside import cpu_seconds, processes_named
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
WHOLE_COMPILER = ("-XX:TieredStopAtLevel=4",)
"""One machine's OpenSearch does without, to start sooner; a domain has it."""


@dataclass(frozen=True)
class Server:
    """A running store."""

    name: str
    open: Callable[[], MemoryStore]
    cpu_seconds: Callable[[], float]
    """CPU time that the server has used, without what stands before it."""
    settle: Callable[[], Awaitable[int]]
    """Returns when all that follows from filling it is done; the bytes that its memories then take on disk."""
    writers: int
    """Who fill it at the same time."""


def _cpu_of(program: str) -> Callable[[], float]:
    def used() -> float:
        while True:
            with suppress(FileNotFoundError, ProcessLookupError):  # one has ended: its time is its parent's now
                return sum(cpu_seconds(each) + _of_ended(each) for each in processes_named(program, os.getpid()))

    return used


def _of_ended(process: Path) -> float:
    """CPU time of the processes that it started and that have ended, such as PostgreSQL's vacuum."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def pgvector(folder: Path) -> Generator[Server]:
    """PostgreSQL with this version's schema."""
    with Postgres(folder / "postgres", Authority("Benchmark"), durable=False) as postgres:
        postgres.create_database("memory")
        settings = DatabaseSettings(
            database_host=postgres.host,
            database_port=postgres.port,
            database_name="memory",
            database_user="ai_core",
            database_ca_file=postgres.ca_file,
            database_password=SecretStr("a benchmark's"),
        )
        asyncio.run(migrate(MIGRATIONS, settings, str(postgres.admin_secret)))

        async def settle() -> int:
            # What its own vacuum would do within a minute.
            size = "VACUUM (ANALYZE) memories; CHECKPOINT; SELECT pg_total_relation_size('memories')"
            return int(await asyncio.to_thread(postgres.query, size, PGDATABASE="memory"))

        yield Server("pgvector", lambda: PgvectorStore(settings), _cpu_of("postgres"), settle, 16)


@contextmanager
def over_opensearch(folder: Path) -> Generator[Server]:
    """OpenSearch with this version's index, behind the front that one machine has."""
    servers, clients = Authority("Servers"), Authority("Clients")
    servers.write_certificate(folder / "ca.pem")
    clients.write_certificate(folder / "client-ca.pem")
    server, client = servers.issue_server("server", folder), clients.issue_client("client", folder)
    with opensearch.running(folder, options=WHOLE_COMPILER) as running:
        asyncio.run(_prepare(running.url))
        with _front(running.port, server, folder) as port:
            answers = health.check(port, "/", folder / "ca.pem", client=client)
            eventually(lambda: answers(0))
            settings = MemorySettings(
                memory_store="opensearch",
                memory_url=f"https://127.0.0.1:{port}",
                memory_auth="mtls",
                memory_ca_file=folder / "ca.pem",
                memory_client_cert_file=client.certificate,
                memory_client_key_file=client.key,
            )
            yield Server(
                "OpenSearch",
                lambda: OpenSearchStore(open_client(settings)),
                _cpu_of("java"),
                lambda: _settle(running.url),
                16,
            )


async def _prepare(url: str) -> None:
    client = OpenSearchClient(url)
    await prepare(client)
    await client.close()


async def _settle(url: str) -> int:
    client = OpenSearchClient(url)
    try:
        await client.call("POST", f"/{ALIAS}/_flush")
        while True:
            _, answer = await client.call("GET", f"/{ALIAS}/_stats/store,merge")
            primaries = json.loads(answer)["_all"]["primaries"]
            if not primaries["merges"]["current"]:
                return primaries["store"]["size_in_bytes"]
            await asyncio.sleep(0.5)
    finally:
        await client.close()


@contextmanager
def _front(upstream: int, server: Leaf, folder: Path) -> Generator[int]:
    port = free_port()
    environment = {"PORT": str(port), "UPSTREAM_PORT": str(upstream), "CLIENT_CA_FILE": str(folder / "client-ca.pem")}
    environment |= {"TLS_CERT_FILE": str(server.certificate), "TLS_KEY_FILE": str(server.key)}
    process = subprocess.Popen([sys.executable, "-m", "local.tls_front"], env=environment, cwd=ROOT)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)
