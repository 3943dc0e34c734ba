"""A front before a running Sanctum that passes everything on, but for what a test changes on the way."""

import asyncio
import json
import ssl
import threading
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, TCPConnector, web

from local.certificates import Authority
from tests.support.canaries import SAID
from tests.support.running import Sanctum

NOT_PASSED_ON = {"host", "connection", "content-length", "transfer-encoding", "date", "server"}
"""Headers of one connection, not of what goes over it."""
TOKENS = SAID - {"email", "username"}


@dataclass(frozen=True)
class Passing:
    """A request on its way to Sanctum."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Seen:
    """An answer on its way back; ``cut`` ends the connection in the middle of it."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False

    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)

    def saying(self, **members: object) -> "Seen":
        """The same with other members in its JSON."""
        return replace(self, body=json.dumps(self.json() | members).encode())


PassOn = Callable[[Passing], Awaitable[Seen]]
Change = Callable[[Passing, PassOn], Awaitable[Seen]]


async def nothing(request: Passing, pass_on: PassOn) -> Seen:
    """The change that is none."""
    return await pass_on(request)


class Front:
    """HTTPS on localhost, in a thread of its own."""

    def __init__(self, sanctum: Sanctum, folder: Path, *, old: bool = False) -> None:
        """Its certificate's authority goes into ``folder``; ``old``: it speaks TLS 1.1, too."""
        authority = Authority("A front of the tests")
        leaf = authority.issue_server("front", folder)
        self.ca = folder / "front-ca.pem"
        authority.write_certificate(self.ca)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(leaf.certificate, leaf.key)
        if old:
            self._tls.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # that it is deprecated is the point
                self._tls.minimum_version = ssl.TLSVersion.TLSv1_1
        self.change: Change = nothing
        self.said: set[str] = set()
        """Passwords, tokens and words of all requests and answers."""
        self.url = ""
        self._sanctum = sanctum
        self._loop = asyncio.new_event_loop()
        self._started, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "localhost", 0, ssl_context=self._tls).start()
        self.url = f"https://localhost:{runner.addresses[0][1]}"
        trust = ssl.create_default_context(cafile=self._sanctum.ca)
        async with ClientSession(connector=TCPConnector(ssl=trust), auto_decompress=False) as self._session:
            self._started.set()
            await self._stop.wait()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in NOT_PASSED_ON}
        passing = Passing(request.method, request.path_qs, headers, await request.read())
        seen = await self.change(passing, self._pass_on)
        self._remember(passing.body)
        if not seen.cut:
            return web.Response(status=seen.status, headers=seen.headers, body=seen.body)
        response = web.StreamResponse(status=seen.status, headers=seen.headers)
        await response.prepare(request)
        await response.write(seen.body)
        assert request.transport
        request.transport.close()
        return response

    async def _pass_on(self, request: Passing) -> Seen:
        url = self._sanctum.url + request.path
        async with self._session.request(
            request.method, url, headers=request.headers, data=request.body or None
        ) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in NOT_PASSED_ON}
            body = await answer.read()
        for line in body.splitlines():
            self._remember(line.removeprefix(b"data:"))
        return Seen(answer.status, headers, body)

    def _remember(self, body: bytes) -> None:
        try:
            self._collect(json.loads(body))
        except ValueError:
            return  # a form, or nothing

    def _collect(self, node: Any, name: str = "") -> None:
        if isinstance(node, str) and name in TOKENS:
            self.said.add(node)
        for key, value in node.items() if isinstance(node, dict) else ():  # pyright: ignore[reportUnknownVariableType] - any JSON
            self._collect(value, str(key))  # pyright: ignore[reportUnknownArgumentType] - any JSON
        for value in node if isinstance(node, list) else ():  # pyright: ignore[reportUnknownVariableType] - any JSON
            self._collect(value, name)
