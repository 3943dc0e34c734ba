"""The small language model and its server, the real ones."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import health
from local.certificates import Authority
from local.llama import CONTEXT_TOKENS, NAME, Json, Llama
from local.model import create_app
from local.ports import free_port
from tests.support.waiting import eventually

KEY = {"Authorization": "Bearer the-key"}
GREETING = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="session")
def llama() -> Llama:
    return Llama()


Post = Callable[..., httpx.Response]


@pytest.fixture
def post(llama: Llama) -> Post:
    def send(body: Any, path: str = "/v1/chat/completions", headers: dict[str, str] = KEY) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(create_app(llama, "the-key"))
            async with httpx.AsyncClient(transport=transport, base_url="https://model", timeout=60) as client:
                content = body if isinstance(body, bytes) else json.dumps(body)
                return await client.request("POST" if body else "GET", path, content=content, headers=headers)

        return asyncio.run(run())

    return send


def _chunks(response: httpx.Response) -> list[str]:
    return [line.removeprefix("data: ") for line in response.text.splitlines() if line]


def test_an_answer_is_written(post: Post):
    answer = post({"messages": GREETING, "max_tokens": 8}).json()
    assert answer["choices"][0]["message"]["content"].strip()
    assert answer["usage"]["completion_tokens"] <= 8
    assert answer["model"] == NAME


def test_an_answer_is_streamed_as_openai_does_it(post: Post):
    response = post({"messages": GREETING, "max_tokens": 8, "stream": True, "stream_options": {"include_usage": True}})
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, last = _chunks(response)
    assert last == "[DONE]"
    parsed: list[Json] = [json.loads(chunk) for chunk in chunks]
    words = [c["delta"].get("content") or "" for chunk in parsed for c in chunk["choices"]]
    assert "".join(words).strip()
    assert parsed[-1]["usage"]["prompt_tokens"] > 0


def test_the_same_seed_and_temperature_zero_answer_alike(post: Post):
    body = {"messages": GREETING, "max_tokens": 8, "temperature": 0, "seed": 1}
    streamed = [json.loads(chunk) for chunk in _chunks(post(body | {"stream": True}))[:-1]]
    words = "".join(c["delta"].get("content") or "" for chunk in streamed for c in chunk["choices"])
    assert words == post(body).json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "the-key"}])
def test_nobody_is_served_without_the_key(post: Post, headers: dict[str, str]):
    response = post({"messages": GREETING}, headers=headers)
    assert response.status_code == 401
    assert "the-key" not in response.text


@pytest.mark.parametrize("stream", [False, True])
def test_too_long_a_prompt_is_refused(post: Post, *, stream: bool):
    long = [{"role": "user", "content": "word " * CONTEXT_TOKENS}]
    response = post({"messages": long, "stream": stream})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "exceed_context_size_error"


@pytest.mark.parametrize("body", [b"[1]", b"{", {"messages": "x"}, {"messages": "x", "stream": True}, {"stream": True}])
def test_a_malformed_request_is_refused(post: Post, body: Any):
    response = post(body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_its_name_is_listed(post: Post):
    assert post(None, "/v1/models").json()["data"][0]["id"] == NAME


def test_who_goes_away_stops_the_model(llama: Llama):
    stopped = threading.Event()

    class Watched(Llama):
        def __init__(self) -> None:
            """The model that is loaded already."""

        def stream(self, request: Json, on_chunk: Callable[[Json], bool]) -> None:
            llama.stream(request, on_chunk)
            stopped.set()

    async def leave_after_the_first_chunk() -> None:
        body = json.dumps({"messages": GREETING, "stream": True, "max_tokens": 100_000, "ignore_eos": True}).encode()
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b""}
        scope |= {"headers": [(b"authorization", b"Bearer the-key")]}
        first = asyncio.Event()
        messages = iter([{"type": "http.request", "body": body}])

        async def receive() -> Any:
            if message := next(messages, None):
                return message
            await first.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message.get("body"):
                first.set()

        await create_app(Watched(), "the-key")(scope, receive, send)
        assert first.is_set()
        await asyncio.to_thread(stopped.wait, 30)

    asyncio.run(leave_after_the_first_chunk())
    assert stopped.is_set()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """The server as ``make up`` starts it."""
    authority = Authority("test")
    authority.write_certificate(tmp_path / "ca.pem")
    leaf, port = authority.issue_server("model", tmp_path), free_port()
    environment = {"PORT": str(port), "MODEL_API_KEY": "the-key"}
    environment |= {"TLS_CERT_FILE": str(leaf.certificate), "TLS_KEY_FILE": str(leaf.key)}
    with subprocess.Popen([sys.executable, "-m", "local.model"], env=os.environ | environment) as started:
        yield started, port, tmp_path / "ca.pem"
        started.kill()


def test_the_server_speaks_verified_tls_and_ends_on_sigterm(process: tuple[subprocess.Popen[bytes], int, Path]):
    started, port, ca = process
    ready = health.check(port, "/v1/models", ca, headers=KEY)
    eventually(lambda: ready(started.pid), 60)
    assert not health.check(port, "/v1/models", ca)(started.pid)
    started.terminate()
    assert started.wait(30) == -signal.SIGTERM  # uvicorn ends as the signal would have, when all is answered


def test_the_librarys_own_server_cannot_be_reached(llama: Llama):
    assert llama
    # Its own alone: another test's may just be starting.
    own = {str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()}
    lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines() if "unused.sock" in line]
    sockets = [fields[7] for fields in lines if f"socket:[{fields[6]}]" in own]
    assert sockets
    assert not [path for path in sockets if Path(path).exists()]
