"""The small service on the chassis, running."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local.certificates import Authority
from local.postgres import free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Service:
    """The process, where it answers, and what it writes."""

    process: "subprocess.Popen[bytes]"
    url: str
    port: int
    ca: Path
    folder: Path

    @property
    def log(self) -> str:
        """Everything it has written."""
        return (self.folder / "log").read_text()

    def client(self) -> httpx.Client:
        """A client that trusts it."""
        return httpx.Client(base_url=self.url, verify=ssl.create_default_context(cafile=self.ca), timeout=20)


@contextmanager
def started(folder: Path, **variables: str) -> Generator[Service]:
    """The service until the end of the block, as soon as it listens."""
    authority, port = Authority("Servers"), free_port()
    authority.write_certificate(folder / "ca.pem")
    leaf = authority.issue_server("server", folder)
    environment = {
        "PYTHONPATH": f"{ROOT}:{ROOT}/services/chassis",
        "PORT": str(port),
        "TLS_CERT_FILE": str(leaf.certificate),
        "TLS_KEY_FILE": str(leaf.key),
        "DEREGISTRATION_SECONDS": "0",
        "DRAIN_SECONDS": "10",
        **variables,
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")},
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chassis.service"], env=environment, stdout=log, stderr=log, cwd=folder
        )
        service = Service(process, f"https://localhost:{port}", port, folder / "ca.pem", folder)
        try:
            _wait_until_it_listens(service)
            yield service
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_it_listens(service: Service) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", service.port), 1).close()
        except OSError:
            if service.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(service.log) from None
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with started(tmp_path_factory.mktemp("chassis")) as running:
        yield running


@pytest.fixture
def client(service: Service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client
