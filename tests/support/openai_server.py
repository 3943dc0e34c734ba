"""A server that speaks OpenAI's chat completions and does what it is told, over TLS: stream, hang, drip, break off.

In a test: ``async with OpenAIServer(certificate, key) as server`` and ``server.scripts``. As a process it answers every
question with nearly the same words, obeys a few orders (``ORDERS``), and stands in for the small model where a test
needs many replies: ``stand_in``, or ``python -m tests.support.openai_server --port 0 --cert FILE --key
FILE [--api-key KEY]``, which prints its address.
"""

import argparse
import asyncio
import itertools
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from aiohttp import ClientConnectionResetError, web

from local.certificates import Authority

REPLY = ("I ", "hear ", "you. ", "What ", "would ", "a ", "good ", "week ", "look ", "like?")
"""What it says where nothing else is scripted."""

_numbers = itertools.count(1)

Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


def chunk(content: str | None, finish_reason: str | None = None) -> bytes:
    """One event of a streamed reply."""
    choice = {"index": 0, "delta": {} if content is None else {"content": content}, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode() + b"\n\n"


def saying(*words: str) -> Script:
    """A whole reply of ``words``."""

    async def events() -> AsyncIterator[bytes]:
        for word in words:
            yield chunk(word)
        yield chunk(None, "stop")
        yield b"data: [DONE]\n\n"

    return streaming(events)


def streaming(events: Callable[[], AsyncIterator[bytes]]) -> Script:
    """Whatever ``events`` gives, as an event stream that ends where it ends."""

    async def script(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async for event in events():
            await response.write(event)
        return response

    return script


def refusing(status: int, headers: dict[str, str] | None = None) -> Script:
    """An error that quotes the prompt, as providers do."""

    async def script(request: web.Request) -> web.StreamResponse:
        said = (await request.json())["messages"]
        return web.json_response({"error": {"message": f"cannot answer {said}"}}, status=status, headers=headers)

    return script


def dripping(seconds: float) -> Script:
    """A reply with a pause before each piece."""

    async def events() -> AsyncIterator[bytes]:
        for word in ("Slow ", "and ", "steady, ", str(next(_numbers))):
            await asyncio.sleep(seconds)
            yield chunk(word)
        yield chunk(None, "stop")
        yield b"data: [DONE]\n\n"

    return streaming(events)


async def _half() -> AsyncIterator[bytes]:
    yield chunk("Half a ")
    yield chunk("thought")


async def _garbage() -> AsyncIterator[bytes]:
    yield b"data: \xff\x00 {]\n\n"


async def _hanging(_request: web.Request) -> web.StreamResponse:
    return await asyncio.get_running_loop().create_future()


ORDERS: dict[str, Callable[[], Script]] = {
    "speak slowly": lambda: dripping(0.15),
    "drip": lambda: dripping(1),
    "break off": lambda: streaming(_half),
    "write garbage": lambda: streaming(_garbage),
    "refuse": lambda: refusing(500),
    "hang": lambda: _hanging,
}
"""What the process does when a person's message begins with these words."""


async def obeying(request: web.Request) -> web.StreamResponse:
    """What ``ORDERS`` says, the whole prompt for whoever asks for it, or else the usual words and a new number."""
    messages = (await request.json())["messages"]
    said: str = messages[-1]["content"]
    if said.startswith("repeat your prompt"):
        return await saying(json.dumps(messages))(request)
    ordered = next((script for words, script in ORDERS.items() if said.startswith(words)), None)
    return await (ordered() if ordered else saying(*REPLY, f" {next(_numbers)}"))(request)


class OpenAIServer:
    """One server on the loopback interface.

    ``scripts`` are used up one a request, the last one goes on; ``requests`` are the bodies that came,
    ``connections`` those they came over, and ``cut_off`` is set when a caller went away before the end.
    """

    def __init__(self, certificate: Path, key: Path, *, api_key: str | None = None, port: int = 0) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate, key)
        self._api_key = api_key
        self._port = port
        self.scripts: list[Script] = [saying(*REPLY)]
        self.requests: list[dict[str, Any]] = []
        self.connections: set[object] = set()
        self.cut_off = threading.Event()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._answer)
        # Without handler_cancellation a handler would not notice that its caller went away.
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def call_soon(self, call: Callable[[], None]) -> None:
        """Let the server's own event loop do something; for tests in another thread."""
        self._loop.call_soon_threadsafe(call)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._api_key and request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        self.requests.append(await request.json())
        self.connections.add(request.transport)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            return await script(request)
        except ClientConnectionResetError:
            # The caller went away while it was written to, as a killed AI core does; aiohttp would print a traceback.
            self.cut_off.set()
            return web.Response()
        except (asyncio.CancelledError, ConnectionResetError):
            self.cut_off.set()
            raise


@contextmanager
def stand_in() -> Generator[list[str]]:
    """A process of its own; the options of ``python -m local up`` that make it the model."""
    with TemporaryDirectory() as folder:
        ca, key = Path(folder, "ca.pem"), Path(folder, "key")
        authority = Authority("Stand-in for a model")
        authority.write_certificate(ca)
        leaf = authority.issue_server("model", Path(folder))
        key.write_text("stand-in")
        files = ("--cert", str(leaf.certificate), "--key", str(leaf.key), "--api-key", key.read_text())
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, "--port", "0", *files],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            yield ["--model-url", url, "--model", "stand-in", "--model-ca-file", str(ca), "--model-key-file", str(key)]
        finally:
            process.terminate()
            process.communicate()


async def _serve(arguments: argparse.Namespace) -> None:
    server = OpenAIServer(arguments.cert, arguments.key, api_key=arguments.api_key, port=arguments.port)
    server.scripts = [obeying]
    async with server:
        print(server.url, flush=True)  # noqa: T201 - what it is started for
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An OpenAI-compatible server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--api-key")
    asyncio.run(_serve(parser.parse_args()))
