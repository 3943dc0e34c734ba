"""OpenSearch domains and services of VPC Lattice: TLS under their names, and in only what the emulator says may."""

import base64
import itertools
import json
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from rehearsal.fronts.emulator import Emulator
from rehearsal.fronts.health import Health
from rehearsal.fronts.names import Names

PORT = 443
MOST_BYTES = 10 * 1024 * 1024
"""Of a request: what OpenSearch's smallest instances take."""
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "expect", "upgrade", "te", "trailer"}
"""What a request or an answer says of one connection only (RFC 9110, 7.6.1), or is said anew."""


class Front:
    """Asks ``emulator`` before it passes a request on.

    Args:
        emulator: Who decides.
        names: What there is.
        health: Which tasks are well.
        opensearch: Address of the server behind every domain.
        log: Gets a line of JSON for each answer that was passed on: from whom, of what kind, from when to when, and
            whether it ended in order.
    """

    def __init__(self, emulator: Emulator, names: Names, health: Health, opensearch: str, log: Path) -> None:
        self._emulator, self._names, self._health, self._opensearch = emulator, names, health, opensearch
        self._log = log
        self._turns = itertools.count()

    @asynccontextmanager
    async def serving(self, address: str, port: int = PORT) -> AsyncGenerator[int]:
        """Serve until the block is left; the port, which is another in tests alone."""
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # Lattice verifies no target's either
        # A new connection for each request: who ends an idle one at the wrong moment would lose the request.
        connector = aiohttp.TCPConnector(ssl=tls, force_close=True, limit=0)
        timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=1)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as self._session:
            await runner.setup()
            await web.TCPSite(runner, address, port, ssl_context=self._names.tls()).start()
            try:
                yield runner.addresses[0][1]
            finally:
                await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.lower().partition(":")[0]
        endpoint = self._names.endpoints.get(host)
        if endpoint is None:
            return web.json_response({"message": "nothing has this name"}, status=HTTPStatus.MISDIRECTED_REQUEST)
        body = await request.read()
        headers = [[name, value] for name, value in request.headers.items()]
        refusal = await self._emulator.refusal(
            host=host,
            method=request.method,
            target=request.raw_path,
            headers=headers,
            body=base64.b64encode(body).decode(),
        )
        if refusal is not None:
            return web.json_response({"message": refusal}, status=HTTPStatus.FORBIDDEN)
        upstream = self._opensearch
        if endpoint.kind == "lattice":
            well = [target for target in endpoint.targets if target in self._health.well]
            if not well:
                return web.json_response({"message": "no healthy target"}, status=HTTPStatus.SERVICE_UNAVAILABLE)
            upstream = f"https://{well[next(self._turns) % len(well)]}"
        return await self._pass(request, upstream, body)

    async def _pass(self, request: web.Request, upstream: str, body: bytes) -> web.StreamResponse:
        url = URL(upstream + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, data=body, headers=_end_to_end(request.headers)) as said:
            answer = web.StreamResponse(status=said.status, reason=said.reason, headers=_end_to_end(said.headers))
            await answer.prepare(request)
            begun, in_order = time.time(), False
            try:
                async for chunk in said.content.iter_any():
                    await answer.write(chunk)
                in_order = True
            finally:
                self._note(url.authority, said.content_type, begun, in_order=in_order)
            await answer.write_eof()
            return answer

    def _note(self, target: str, kind: str, begun: float, *, in_order: bool) -> None:
        line = {"target": target, "kind": kind, "begun": begun, "until": time.time(), "in_order": in_order}
        with self._log.open("a") as log:
            log.write(json.dumps(line) + "\n")


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP)
