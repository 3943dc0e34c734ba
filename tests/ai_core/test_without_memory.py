"""While the memory cannot be read a reply is written without, soon, and the persona knows that it cannot look."""

import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from ai_core import replies
from ai_core.core import Core
from ai_core.memory.embedder import Embedder
from ai_core.memory.keys import MemoryKeys
from ai_core.memory.memories import Memories
from ai_core.memory.opensearch import OpenSearchStore
from ai_core.memory.opensearch_client import OpenSearchClient
from ai_core.memory.pgvector import PgvectorStore
from ai_core.memory.store import MemoryStore
from ai_core.models.openai import OpenAIModel
from ai_core.personas import PERSONAS
from ai_core.prompt import WITHOUT_MEMORY
from ai_core.settings import DatabaseSettings, ModelSettings
from ai_core.tokens import TokenCounter
from chassis import problems
from chassis.sealing.key_service import Context, FileKeyService, KeyService
from fastapi import FastAPI
from tokenizers import Tokenizer

from local.postgres import free_port
from tests.ai_core.conftest import Files
from tests.ai_core.keys_along import KeysAlong
from tests.support.openai_server import OpenAIServer

GEM = PERSONAS["Gem"].prompt
Failing = Callable[[DatabaseSettings, Files], AbstractContextManager[MemoryStore]]
Serve = Callable[[MemoryStore, KeyService], AbstractAsyncContextManager[httpx.AsyncClient]]
MODEL_SECONDS = 2
"""What the model's stand-in takes for its part, on a busy machine."""

pytestmark = pytest.mark.anyio


@contextmanager
def silent(database: DatabaseSettings, _: Files) -> Generator[MemoryStore]:
    """A database that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        port = listening.getsockname()[1]
        yield PgvectorStore(database.model_copy(update={"database_port": port}))


def away(database: DatabaseSettings, _: Files) -> AbstractContextManager[MemoryStore]:
    """A database where nobody listens."""
    return nullcontext(PgvectorStore(database.model_copy(update={"database_port": free_port()})))


def not_ours(database: DatabaseSettings, _: Files) -> AbstractContextManager[MemoryStore]:
    """A database without the tables."""
    return nullcontext(PgvectorStore(database.model_copy(update={"database_name": "postgres"})))


def answering(status: int) -> Failing:
    """An OpenSearch that answers everything with ``status``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_POST = do_PUT = do_GET  # noqa: N815 - as the library calls them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
            """Nothing is printed."""

    @contextmanager
    def running(_: DatabaseSettings, files: Files) -> Generator[MemoryStore]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(files.server, files.server_key)
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            trusted = ssl.create_default_context(cafile=files.ca)
            yield OpenSearchStore(OpenSearchClient(f"https://127.0.0.1:{server.server_port}", tls=trusted))
            server.shutdown()
            thread.join()

    return running


STORES: dict[str, Failing] = {
    "nobody listens": away,
    "silent": silent,
    "without tables": not_ours,
    "429": answering(429),
    "500": answering(500),
    "403": answering(403),
}


@pytest.fixture
def serve(environment: dict[str, str], keys: KeysAlong, embedder: Embedder, tokenizer: Tokenizer) -> Serve:
    """Serves replies over any store and key service."""

    @asynccontextmanager
    async def serving(store: MemoryStore, service: KeyService) -> AsyncGenerator[httpx.AsyncClient]:
        model = OpenAIModel(ModelSettings.model_validate({name.lower(): value for name, value in environment.items()}))
        memories, memory_keys = Memories(store, embedder, search="sealed", most=100), MemoryKeys(service)
        app = FastAPI()
        problems.install(app)
        app.include_router(replies.router(Core(memories, memory_keys, tokenizer, TokenCounter(tokenizer), model, 2000)))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="https://ai-core", auth=keys, timeout=20
        ) as client:
            yield client
        await model.close()
        await memories.close()
        memory_keys.close()

    return serving


def asking(user: UUID, content: str = "What is my dog called?") -> dict[str, Any]:
    history = [{"sender": "user", "content": "Hello"}, {"sender": "ai", "content": "Hi."}]
    return {"user_id": str(user), "persona": "Gem", "history": history, "content": content}


def told_that_it_cannot_look(model: OpenAIServer) -> None:
    (asked,) = model.requests
    assert asked["messages"][0] == {"role": "system", "content": GEM + WITHOUT_MEMORY}
    assert [turn["content"] for turn in asked["messages"][1:]] == ["Hello", "Hi.", "What is my dog called?"]


def logged_of(caplog: pytest.LogCaptureFixture, user: UUID) -> None:
    (record,) = (record for record in caplog.records if record.msg == "reply.without_memory")
    assert (record.levelname, vars(record)["fields"]) == ("ERROR", {"user_id": user})


@pytest.fixture(params=STORES.values(), ids=list(STORES))
def failing(request: pytest.FixtureRequest, database: DatabaseSettings, files: Files) -> Iterator[MemoryStore]:
    with request.param(database, files) as store:
        yield store


async def test_without_its_store_a_reply_is_written_soon_and_the_persona_is_told(
    serve: Serve, failing: MemoryStore, keys: KeysAlong, model: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    user = uuid4()
    async with serve(failing, keys.service) as backend:
        began = time.monotonic()
        answer = await backend.post("/v1/replies", json=asking(user))
        assert time.monotonic() - began < replies.MEMORY_SECONDS + MODEL_SECONDS
    assert json.loads(answer.text.splitlines()[-2][5:]) == {"type": "done"}
    told_that_it_cannot_look(model)
    logged_of(caplog, user)


class Slow:
    """A key service that takes longer than anybody waits."""

    def __init__(self, service: KeyService) -> None:
        self._service = service

    def generate(self, context: Context) -> bytes:
        return self._service.generate(context)

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        time.sleep(replies.MEMORY_SECONDS + MODEL_SECONDS)
        return self._service.unwrap(wrapped, context)


@pytest.fixture(params=["away", "slow"])
def key_service(request: pytest.FixtureRequest, keys: KeysAlong, tmp_path: Path) -> KeyService:
    return Slow(keys.service) if request.param == "slow" else FileKeyService(tmp_path / "no key")


async def test_without_its_key_service_too(
    serve: Serve,
    key_service: KeyService,
    database: DatabaseSettings,
    model: OpenAIServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    user = uuid4()
    async with serve(PgvectorStore(database), key_service) as backend:
        began = time.monotonic()
        assert (await backend.post("/v1/replies", json=asking(user))).status_code == 200
        assert time.monotonic() - began < replies.MEMORY_SECONDS + MODEL_SECONDS
    told_that_it_cannot_look(model)
    logged_of(caplog, user)


async def test_of_whom_nothing_is_remembered_yet_the_persona_is_not_told_so(
    serve: Serve, keys: KeysAlong, database: DatabaseSettings, model: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(PgvectorStore(database), keys.service) as backend:
        assert (await backend.post("/v1/replies", json=asking(uuid4()))).status_code == 200
    assert model.requests[0]["messages"][0]["content"] == GEM
    assert "reply.without_memory" not in [record.msg for record in caplog.records]
