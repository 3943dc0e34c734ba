"""The stores behind the emulated Aurora and OpenSearch Service: the same servers as on one machine."""

import http.client
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local import files
from local.certificates import Authority
from local.opensearch import START_SECONDS as OPENSEARCH_SECONDS
from local.opensearch import OpenSearch
from local.ports import free_port
from local.postgres import ADMIN, Postgres
from local.unprivileged import Command, give
from rehearsal import postgres_17
from rehearsal.processes import running

HBA = f"""\
# Only the front comes here. Whoever may sign in with a token alone, it has let in; anybody else has a password.
hostssl all {ADMIN} 127.0.0.1/32 scram-sha-256
host all {ADMIN} 127.0.0.1/32 scram-sha-256
host all +rds_iam 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
DATABASE = "users"


class Aurora(Postgres):
    """PostgreSQL as the front of the emulated Aurora needs it, with what a new cluster of Aurora has.

    Args:
        folder: For its data.
        installation: The server's programs; those of one machine where left out.
    """

    def __init__(self, folder: Path, installation: Path | None = None) -> None:
        super().__init__(folder, Authority("Sanctum rehearsal: PostgreSQL"), durable=False)
        self._newer = self._installation
        self._installation = installation or self._installation

    def prepare(self) -> Command:
        """As on one machine, with other rules for who may sign in."""
        command = super().prepare()
        files.write(self._cluster / "pg_hba.conf", HBA.encode())
        give(self._cluster, self._account().owner)
        return command

    def start(self) -> None:
        """Run it; it has the database of the template, and the role whose members sign in with tokens."""
        super().start()
        self.create_database(DATABASE)
        self.query(
            r"SELECT 'CREATE ROLE rds_iam NOLOGIN' WHERE NOT EXISTS"
            r" (SELECT FROM pg_roles WHERE rolname = 'rds_iam') \gexec"
        )

    def _program(self, name: str, *arguments: str) -> Command:
        folder = self._newer if name == "psql" else self._installation
        return (str(folder / "bin" / name), *arguments)

    @property
    def major(self) -> str:
        """Which PostgreSQL it is."""
        return str(int(self.query("SHOW server_version_num")) // 10_000)


def aurora(folder: Path) -> Aurora:
    """The server behind the cluster, with its data under ``folder``."""
    return Aurora(folder / "postgres", postgres_17.installation())


@contextmanager
def opensearch(folder: Path) -> Generator[str]:
    """The server behind the domain; where it answers, in plain HTTP and without asking who calls."""
    server = OpenSearch(folder / "opensearch")
    command = server.prepare()
    with running("opensearch", command, server.environment, server.ready, within=OPENSEARCH_SECONDS):
        yield server.url


@contextmanager
def language_model() -> Generator[str]:
    """The small language model; where it answers, in plain HTTP."""
    port = free_port()
    environment = {"PATH": os.defpath, "PORT": str(port)}

    def ready(_: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/v1/models")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    with running("model", (sys.executable, "-m", "rehearsal.model"), environment, ready, within=120):
        yield f"http://127.0.0.1:{port}"
