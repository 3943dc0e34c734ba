"""The memory in OpenSearch on this machine: the server, the TLS front before it, and what the AI core is told of them.

What people said is remembered by the store that is used when they say it, and by no other.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from local import health, opensearch
from local.certificates import Authority, Leaf
from local.failure import Failure
from local.opensearch import OpenSearch
from local.opensearch_binaries import DOWNLOAD_MB, INSTALLATION, VERSION, missing
from local.ports import free_port
from local.supervisor import Program, Supervisor
from local.unprivileged import dying_with_parent

Store = Literal["pgvector", "opensearch"]
STORES: tuple[Store, ...] = ("pgvector", "opensearch")
ROOT = Path(__file__).resolve().parent.parent


def elsewhere(other: Store) -> str:
    """What to say when a start with another store has left its memories."""
    return (
        f"Sanctum ran with MEMORY={other} before. What people said then is remembered there and nowhere else: it is "
        "not found now, and not forgotten when somebody deletes it now."
    )


class OpenSearchMemory:
    """Both processes and the files that they and the AI core need; the authority of its clients is new at each start.

    Args:
        folder: Where the server's data are.
        certificates: Where certificates are written.
        authority: Signs the certificate of the front.
        ca: The authority's certificate.

    Raises:
        Failure: this machine lacks what OpenSearch needs.
    """

    def __init__(self, folder: Path, certificates: Path, authority: Authority, ca: Path) -> None:
        if lacks := missing():
            raise Failure(lacks)
        self._server = OpenSearch(folder)
        self._port = free_port()
        self._ca = ca
        self._certificates = certificates
        self._clients = certificates / "memory-clients.pem"
        self._leaf, self._client = self.certify(authority)

    def certify(self, authority: Authority) -> tuple[Leaf, Leaf]:
        """New certificates, in the place of those before: of the front, signed by ``authority``, and of its client."""
        # Its key is known to nobody and gone after this: who has a certificate of it is the AI core.
        clients = Authority("Sanctum memory clients")
        clients.write_certificate(self._clients)
        return (
            authority.issue_server("opensearch", self._certificates),
            clients.issue_client("memory-client", self._certificates),
        )

    @property
    def values(self) -> dict[str, str]:
        """What the ``memory.*`` sources of a ``service.toml`` that depend on it are worth."""
        return {
            "memory.kind": "opensearch",
            "memory.url": f"https://127.0.0.1:{self._port}",
            "memory.auth": "mtls",
            "memory.client_cert_file": str(self._client.certificate),
            "memory.client_key_file": str(self._client.key),
        }

    def install(self, supervisor: Supervisor, say: Callable[[str], None]) -> None:
        """Download OpenSearch where it is missing.

        Raises:
            Failure: that is not possible.
            Stopped: meanwhile somebody asked to stop.
        """
        if not INSTALLATION.exists():
            say(f"Downloading OpenSearch {VERSION} from Maven Central ({DOWNLOAD_MB} MB, once) …")
            command = (*dying_with_parent("KILL"), sys.executable, "-m", "local.opensearch_binaries")
            supervisor.run_all({"opensearch_download": (command, os.environ, ROOT)})

    def start(self, supervisor: Supervisor) -> None:
        """Start both and do not wait for them.

        Raises:
            Failure: OpenSearch cannot run here.
        """
        supervisor.start(self._server_program())
        supervisor.start(self._front_program())

    def _server_program(self) -> Program:
        return Program(
            name="opensearch",
            command=self._server.prepare(),
            environment=self._server.environment,
            folder=self._server.folder,
            ready=self._server.ready,
            start_seconds=opensearch.START_SECONDS,
            alive=self._server.alive,
            stop_seconds=60,
            certificates="none",
            explain=self._server.explain,
        )

    def _front_program(self) -> Program:
        alive = health.shakes_hands(self._port, self._ca, self._client)
        return Program(
            name="opensearch_front",
            command=(*dying_with_parent("KILL"), sys.executable, "-m", "local.tls_front"),
            environment={
                "PORT": str(self._port),
                "UPSTREAM_PORT": str(self._server.port),
                "TLS_CERT_FILE": str(self._leaf.certificate),
                "TLS_KEY_FILE": str(self._leaf.key),
                "CLIENT_CA_FILE": str(self._clients),
            },
            folder=ROOT,
            ready=alive,
            alive=alive,
        )
