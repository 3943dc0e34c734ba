"""A memory database, the embedding model, and a running AI core in front of a model that does what it is told."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from ai_core.memory.embedder import Embedder, load_tokenizer
from ai_core.memory.opensearch_client import OpenSearchClient
from ai_core.memory.opensearch_index import ALIAS, prepare
from ai_core.prepare_memory import MIGRATIONS
from ai_core.settings import DatabaseSettings, MemorySettings
from chassis.migrations import migrate
from chassis.signing import Signer
from pydantic import SecretStr
from tokenizers import Tokenizer

from local import health, key_file, opensearch, opensearch_binaries
from local.certificates import Authority, Leaf
from local.postgres import Postgres, free_port
from tests.ai_core.keys_along import KeysAlong
from tests.support import privacy
from tests.support.aws import with_credentials
from tests.support.canaries import HOOKS
from tests.support.openai_server import REPLY, OpenAIServer, saying
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
REFRESH_INTERVAL = "20ms"
"""Of OpenSearch, whose writes wait for the next refresh."""


@dataclass(frozen=True)
class Files:
    """Certificates of one machine: servers' and the backend's."""

    ca: Path
    server: Path
    server_key: Path
    client_ca: Path
    client: Path
    client_key: Path


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> DatabaseSettings:
    """A memory database with this version's schema, and the service's own way in."""
    postgres.create_database("memory")
    settings = DatabaseSettings(
        database_host=postgres.host,
        database_port=postgres.port,
        database_name="memory",
        database_user="ai_core",
        database_ca_file=postgres.ca_file,
        database_password=SecretStr('it\'s a "test" password'),
    )
    asyncio.run(migrate(MIGRATIONS, settings, str(postgres.admin_secret)))
    return settings


@pytest.fixture(scope="session")
def signer() -> Signer:
    """Signs as a task does."""
    with pytest.MonkeyPatch.context() as variables:
        with_credentials(variables)
        return Signer("es", sign_payload=True)


@pytest.fixture(scope="session")
def opensearch_server(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Iterator[str]:
    """The address of an OpenSearch with this version's index, which looks at no signature.

    Whoever asks for it is in one of two xdist groups, so that a run starts two servers and no more.
    """
    if lacks := opensearch_binaries.missing():
        pytest.skip(lacks)
    folder = tmp_path_factory.mktemp("opensearch")
    with opensearch.running(folder) as server:
        asyncio.run(_prepare(OpenSearchClient(server.url, signer)))
        yield server.url
    privacy.keep(folder)
    shutil.rmtree(folder)


async def _prepare(client: OpenSearchClient) -> None:
    await prepare(client)
    await client.call("PUT", f"/{ALIAS}/_settings", {"index": {"refresh_interval": REFRESH_INTERVAL}})
    await client.close()


@pytest.fixture(scope="session")
def opensearch_over_mtls(opensearch_server: str, files: Files) -> Iterator[MemorySettings]:
    """The same OpenSearch as one machine has it: behind the front that wants a client certificate.

    A client of it is ``open_client`` of these settings.
    """
    port, upstream = free_port(), opensearch_server.rpartition(":")[2]
    environment = {"PORT": str(port), "UPSTREAM_PORT": upstream, "CLIENT_CA_FILE": str(files.client_ca)}
    environment |= {"TLS_CERT_FILE": str(files.server), "TLS_KEY_FILE": str(files.server_key)}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.tls_front"], env=environment | coverage_variables(), cwd=ROOT
    )
    answers = health.check(port, "/", files.ca, client=Leaf(files.client, files.client_key))
    eventually(lambda: answers(process.pid))
    yield MemorySettings(
        memory_store="opensearch",
        memory_url=f"https://127.0.0.1:{port}",
        memory_auth="mtls",
        memory_ca_file=files.ca,
        memory_client_cert_file=files.client,
        memory_client_key_file=files.client_key,
    )
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return load_tokenizer()


@pytest.fixture(scope="session")
def embedder(tokenizer: Tokenizer) -> Iterator[Embedder]:
    embedder = Embedder(tokenizer)
    yield embedder
    embedder.close()


@pytest.fixture(scope="session")
def files() -> Iterator[Files]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        servers, clients = Authority("Servers"), Authority("Clients")
        servers.write_certificate(root / "ca.pem")
        clients.write_certificate(root / "client-ca.pem")
        server, client = servers.issue_server("server", root), clients.issue_client("client", root)
        yield Files(
            root / "ca.pem", server.certificate, server.key, root / "client-ca.pem", client.certificate, client.key
        )


@pytest.fixture(scope="session")
def model_process(files: Files) -> Iterator[OpenAIServer]:
    """The model's server, in an event loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = OpenAIServer(files.server, files.server_key, api_key="model key")
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def model(model_process: OpenAIServer) -> OpenAIServer:
    """The model's server, as if nobody had asked it anything yet."""
    model_process.scripts = [saying(*REPLY)]
    model_process.requests.clear()
    model_process.cut_off.clear()
    return model_process


@dataclass(frozen=True)
class Process:
    """A running AI core."""

    url: str
    pid: int
    log: Path


@pytest.fixture(scope="session")
def words_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file that everybody's keys are wrapped with."""
    path = tmp_path_factory.mktemp("words") / "key"
    key_file.keep(path)
    return path


@pytest.fixture(scope="session")
def keys(words_key: Path) -> KeysAlong:
    """People's wrapped keys, which the backend keeps."""
    return KeysAlong(words_key)


@pytest.fixture(scope="session")
def environment(
    database: DatabaseSettings, files: Files, model_process: OpenAIServer, words_key: Path
) -> dict[str, str]:
    """All that ``python -m ai_core`` finds in its environment."""
    assert database.database_password
    return {
        "PYTHONPATH": f"{ROOT}/services/ai_core:{ROOT}/services/chassis",
        "PORT": str(free_port()),
        "LOG_LEVEL": "info",
        "TLS_CERT_FILE": str(files.server),
        "TLS_KEY_FILE": str(files.server_key),
        "DEREGISTRATION_SECONDS": "0",
        "DRAIN_SECONDS": "5",
        "CALLER_AUTH": "mtls",
        "CLIENT_CA_FILE": str(files.client_ca),
        "KEY_SERVICE": str(words_key),
        "MEMORY_SEARCH": "sealed",
        "MEMORIES_PER_PERSON": "5000",
        "MEMORY_STORE": "pgvector",
        "DATABASE_HOST": database.database_host,
        "DATABASE_PORT": str(database.database_port),
        "DATABASE_NAME": database.database_name,
        "DATABASE_USER": database.database_user,
        "DATABASE_CA_FILE": str(database.database_ca_file),
        "DATABASE_PASSWORD": database.database_password.get_secret_value(),
        "MODEL_PROVIDER": "openai",
        "MODEL_URL": model_process.url,
        "MODEL_CA_FILE": str(files.ca),
        "MODEL_NAME": "scripted",
        "MODEL_API_KEY": "model key",
        "MODEL_CONTEXT_TOKENS": "2048",
        "MODEL_REPLY_TOKENS": "256",
        "MODEL_TIMEOUT_SECONDS": "10",
        "MODEL_CONCURRENCY": "2",
    }


def coverage_variables() -> dict[str, str]:
    """How a run under coverage measures a process that has an environment of its own."""
    return {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}


@contextmanager
def started(environment: dict[str, str], log: Path) -> Generator[Process]:
    """``python -m ai_core`` until the end of the block, as soon as it listens; its log goes to ``log``."""
    environment = environment | coverage_variables()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ai_core"], env=environment, stdout=output, stderr=output, cwd=log.parent
        )
        try:
            url = f"https://localhost:{environment['PORT']}"
            _wait_until_it_listens(process, int(environment["PORT"]), log)
            yield Process(url, process.pid, log)
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def core(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The AI core, running."""
    with started(environment, tmp_path_factory.mktemp("ai_core") / "log") as process:
        yield process


@pytest.fixture(scope="session")
def tls(files: Files) -> ssl.SSLContext:
    """What the backend connects with."""
    context = ssl.create_default_context(cafile=files.ca)
    context.load_cert_chain(files.client, files.client_key)
    return context


@pytest.fixture
def backend(core: Process, tls: ssl.SSLContext, keys: KeysAlong) -> Iterator[httpx.Client]:
    """A client that the AI core takes for the backend, and that hands people's keys along as the backend does."""
    with as_backend(core, tls, keys) as client:
        yield client


def as_backend(core: Process, tls: ssl.SSLContext, keys: KeysAlong) -> httpx.Client:
    """The same for any process."""
    return httpx.Client(base_url=core.url, verify=tls, timeout=20, event_hooks=HOOKS, auth=keys)
