"""What stands before OpenSearch in the cloud: refuses what is not signed, and ignores URL parameters of a POST.

Goes wrong when told to: ``scripts`` are used up one a request, then all goes through.
"""

import ssl
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.support.sigv4 import is_signed

Script = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""Answers a request, or with ``None`` lets it through."""


async def passing(_: web.Request) -> None:
    """Nothing goes wrong."""


async def breaking_off(request: web.Request) -> web.StreamResponse:
    """The connection ends without an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


def answering(status: int, document: dict[str, Any] | None = None) -> Script:
    """Something other than what OpenSearch would say."""

    async def script(_: web.Request) -> web.StreamResponse:
        return web.json_response(document or {}, status=status)

    return script


class Domain:
    """Until the end of the block, at ``url``; ``requests`` are method, target and body of all that was asked.

    Args:
        upstream: Address of an OpenSearch.
        tls: To speak TLS.
    """

    def __init__(self, upstream: str, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = upstream
        self._tls = tls
        self.scripts: list[Script] = []
        self.requests: list[tuple[str, str, bytes]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=10 * 1024 * 1024)  # of the smallest instances
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._session = aiohttp.ClientSession()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not is_signed(request.method, request.raw_path, request.headers, body, service="es"):
            return web.json_response({"message": "not signed"}, status=HTTPStatus.FORBIDDEN)
        self.requests.append((request.method, request.raw_path, body))
        script = self.scripts.pop(0) if self.scripts else passing
        if (answer := await script(request)) is not None:
            return answer
        target = request.raw_path.partition("?")[0] if request.method == "POST" else request.raw_path
        headers = {"Content-Type": request.content_type}
        async with self._session.request(request.method, self._upstream + target, data=body, headers=headers) as said:
            return web.Response(status=said.status, body=await said.read(), content_type=said.content_type)
